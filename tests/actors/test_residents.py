"""Actors of any kind in memory: each once, as long as somebody needs it."""

import asyncio

import pytest

from cfworkflows_emulator.actors import Residents
from cfworkflows_emulator.clock import VirtualClock


class Counter:
    """An actor whose value is on a `disk`; it leaves memory when nobody uses it, unless it is `running`."""

    def __init__(self, key, disk):
        self.key = key
        self.users = 0
        self.running = False
        self.value = disk[key]
        self.disk = disk
        self.calls = []

    def wake(self):
        self.calls.append("wake")
        self.running = True

    def hold_back(self):
        self.calls.append("hold_back")

    def stop(self):
        self.calls.append("stop")

    async def durable(self):
        await asyncio.sleep(0)
        self.disk[self.key] = self.value


class Counters:
    """Residents over a dict; `reads` are the keys of each read, `left` those that have left memory."""

    def __init__(self, **disk):
        self.disk = disk
        self.reads = []
        self.left = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.clock = VirtualClock()
        self.residents = Residents(
            self.clock,
            load=self.load,
            left=lambda counter: self.left.append(counter.key),
            check=self.check,
            absent=lambda: KeyError("no such counter"),
        )

    async def load(self, keys):
        self.reads.append(list(keys))
        await self.gate.wait()
        return [Counter(key, self.disk) for key in keys if key in self.disk]

    def check(self):
        if self.residents.closed:
            raise RuntimeError("closed")

    async def add(self, key, amount):
        async with self.residents.using(key) as counter:
            counter.value += amount
            await asyncio.sleep(0)


async def test_an_actor_is_read_once_for_all_that_use_it_at_the_same_time():
    """Two callers change one object, and it leaves memory behind the last of them."""
    counters = Counters(a=1)
    await asyncio.gather(counters.add("a", 10), counters.add("a", 100))
    assert ({"a": 111}, [["a"]], ["a"], {}) == (
        counters.disk,
        counters.reads,
        counters.left,
        counters.residents.actors,
    )


async def test_an_actor_that_is_not_there_is_an_error_of_the_owner():
    """Whoever has the actors says what it means that there is none of a key."""
    counters = Counters()
    with pytest.raises(KeyError, match="no such counter"):
        await counters.add("a", 1)
    assert set() == counters.residents.work


async def test_those_that_wake_together_are_read_together():
    """One read finds all that are absent; those that are gone meanwhile are passed over."""
    counters = Counters(a=1, c=3)
    counters.residents.wake(["a", "b", "c", "a"])
    await asyncio.wait(counters.residents.work)
    woken = {key: counter.calls for key, counter in counters.residents.actors.items()}
    assert ([["a", "b", "c"]], {"a": ["wake"], "c": ["wake"]}) == (counters.reads, woken)


async def test_an_actor_that_was_woken_stays_as_long_as_it_runs():
    """It is let go once nothing of it runs any more."""
    counters = Counters(a=1)
    counters.residents.wake(["a"])
    await asyncio.wait(counters.residents.work)
    await counters.add("a", 1)
    assert [] == counters.left
    counters.residents.actors["a"].running = False
    await counters.add("a", 1)
    assert ["a"] == counters.left


async def test_one_that_is_being_read_is_removed_too():
    """A deletion waits for the read, which would not see it."""
    counters = Counters(a=1)
    counters.gate.clear()
    counters.residents.wake(["a"])
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    removal = asyncio.create_task(counters.residents.remove({"a"}))
    counters.gate.set()
    (removed,) = await removal
    assert ("a", {}) == (removed.key, counters.residents.actors)


async def test_nothing_wakes_in_residents_that_are_closed():
    """Those in memory let nothing new start, and stop; who asks for one gets the owner's refusal."""
    counters = Counters(a=1, b=2)
    counters.residents.wake(["a"])
    await asyncio.wait(counters.residents.work)
    actor = counters.residents.actors["a"]
    counters.residents.close()
    counters.residents.wake(["b"])
    counters.residents.stop()
    assert ([["a"]], ["wake", "hold_back", "stop"], {}) == (counters.reads, actor.calls, counters.residents.actors)
    with pytest.raises(RuntimeError, match="closed"):
        await counters.add("a", 1)


async def test_time_stands_still_while_actors_are_read():
    """A clock that jumps ahead would miss what they are about to do."""
    counters = Counters(a=1)
    counters.gate.clear()
    fired = []
    counters.clock.call_at(counters.clock.now() + 1, lambda: fired.append("timer"))
    counters.residents.wake(["a"])
    advancing = asyncio.create_task(counters.clock.advance_to_next())
    for _ in range(5):
        await asyncio.sleep(0)
    assert [] == fired
    counters.gate.set()
    await advancing
    assert (["timer"], ["a"]) == (fired, list(counters.residents.actors))
