"""The clocks: the machine's, and the one that moves when it is told to."""

import asyncio
import time

import pytest

from cfworkflows_emulator import clock as module
from cfworkflows_emulator.clock import SystemClock, VirtualClock


async def test_timers_fire_in_order_each_at_its_own_time():
    """Equal times in the order they were set; a fraction of a millisecond is rounded up."""
    clock, fired = VirtualClock(1000), []
    for name, when in [("c", 1020), ("a", 1010.5), ("b", 1020), ("never", 1031)]:
        clock.call_at(when, lambda name=name: fired.append((name, clock.now())))
    await clock.advance(30)
    assert [("a", 1011), ("c", 1020), ("b", 1020)] == fired
    assert 1030 == clock.now()


async def test_a_cancelled_timer_does_not_fire():
    """It is not the next one either."""
    clock = VirtualClock(0)
    clock.call_at(5, lambda: pytest.fail("fired")).cancel()
    assert clock.next_timer is None
    await clock.advance("1 second")
    assert 1000 == clock.now()


async def test_a_timer_in_the_past_fires_now_and_the_time_stays():
    """The clock never goes backwards."""
    clock, fired = VirtualClock(1000), []
    clock.call_at(10, lambda: fired.append(clock.now()))
    await clock.advance(0)
    assert [1000] == fired


async def test_a_timer_set_by_a_timer_fires_on_the_way():
    """As long as it falls due before the end."""
    clock, fired = VirtualClock(0), []
    clock.call_at(10, lambda: clock.call_at(20, lambda: fired.append(clock.now())))
    await clock.advance(30)
    assert [20] == fired


async def test_it_stands_still_while_it_is_held():
    """What a timer starts ends before the next one fires."""
    clock, fired = VirtualClock(0), []

    async def work():
        await asyncio.sleep(0.01)
        fired.append(clock.now())
        clock.release()

    def begin():
        clock.hold()
        tasks.append(asyncio.ensure_future(work()))

    tasks = []
    clock.call_at(10, begin)
    clock.call_at(20, lambda: fired.append(clock.now()))
    await clock.advance(30)
    assert [10, 20] == fired


async def test_two_that_advance_it_at_once_do_not_turn_it_back():
    """The later end counts."""
    clock = VirtualClock(0)
    clock.hold()
    both = asyncio.gather(clock.advance(10), clock.advance(100))
    await asyncio.sleep(0)
    clock.call_at(50, lambda: None)
    clock.release()
    await both
    assert clock.now() >= 100


async def test_advance_to_next_goes_to_the_next_timer():
    """And raises if there is none."""
    clock, fired = VirtualClock(0), []
    clock.call_at(7, lambda: fired.append(clock.now()))
    await clock.advance_to_next()
    assert [7] == fired
    with pytest.raises(RuntimeError, match="Nothing waits for the time to pass"):
        await clock.advance_to_next()


def test_released_more_often_than_held():
    """That is a mistake of ours, and not passed over."""
    with pytest.raises(RuntimeError, match="released more often"):
        VirtualClock().release()


async def test_the_machines_clock_waits_until_the_time_has_come(monkeypatch):
    """If the event loop was early it waits again; a cancelled timer never fires."""
    clock, fired = SystemClock(), asyncio.Event()
    clock.hold()
    clock.release()
    real, behind = module._steady_ns, [0]
    monkeypatch.setattr(module, "_steady_ns", lambda: real() - behind[0])
    when = clock.now() + 20
    clock.call_at(when, fired.set)
    clock.call_at(when, lambda: pytest.fail("fired")).cancel()
    behind[0] = 30_000_000
    await fired.wait()
    assert when <= clock.now()


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_wall_clock_that_is_set_moves_nothing(monkeypatch, hours):
    """Neither the time nor what is left of a wait; a clock that is made afterwards agrees with those before it."""
    clock = SystemClock()
    before, wait_s = clock.now(), clock.wait_s(clock.now() + 60_000)
    real = time.time_ns
    monkeypatch.setattr(module.time, "time_ns", lambda: real() + hours * 3_600_000_000_000)
    assert before <= clock.now() < before + 60_000
    assert before <= SystemClock().now() < before + 60_000
    assert wait_s >= clock.wait_s(before + 60_000) > 0


async def test_a_long_wait_of_the_machines_clock_is_cut_into_pieces(monkeypatch):
    """So that a machine that slept is noticed within a minute."""
    monkeypatch.setattr(SystemClock, "LONGEST_WAIT_MS", 5)
    clock, fired = SystemClock(), asyncio.Event()
    real, ahead = module._read_ns, [0]
    monkeypatch.setattr(module, "_read_ns", lambda which: real(which) + ahead[0])
    clock.call_at(clock.now() + 86_400_000, fired.set)
    ahead[0] = 86_400_000_000_000
    await asyncio.wait_for(fired.wait(), 10)


class TestOrderOfTheMachinesClock:
    """What falls due at one moment, on a real event loop."""

    async def test_timers_of_one_deadline_fire_in_the_order_they_were_set(self):
        """However many they are, and whatever the loop's own clock says of each."""
        clock, fired, over = SystemClock(), [], asyncio.Event()
        when = clock.now() + 30
        for number in range(50):
            clock.call_at(when, lambda number=number: fired.append(number))
        clock.call_at(when, over.set)
        await over.wait()
        assert list(range(50)) == fired

    @pytest.mark.parametrize("speed", [1, 1000], ids=str)
    async def test_timers_that_are_overdue_fire_by_deadline(self, speed):
        """At any speed; a deadline in the past is not later than one that was set before it."""
        clock, fired, over = SystemClock(speed), [], asyncio.Event()
        now = clock.now()
        for late in (-5, -20, -10, -20):
            clock.call_at(now + late, lambda late=late: fired.append(late))
        clock.call_at(now, over.set)
        await over.wait()
        assert [-20, -20, -10, -5] == fired

    async def test_a_timer_that_fails_keeps_none_from_firing(self):
        """Its error goes to the loop."""
        clock, seen, over = SystemClock(), [], asyncio.Event()
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: seen.append(str(context["exception"])))
        now = clock.now()

        def fail():
            raise RuntimeError("broken")

        clock.call_at(now, fail)
        clock.call_at(now, over.set)
        await over.wait()
        assert ["broken"] == seen

    async def test_a_timer_that_sets_another_for_now_lets_the_loop_go_on(self):
        """Its own kind does not fill the turn of the loop."""
        clock, over, fired = SystemClock(), asyncio.Event(), []

        def again():
            fired.append(clock.now())
            if not over.is_set():
                clock.call_at(0, again)

        clock.call_at(0, again)
        asyncio.get_running_loop().call_later(0.01, over.set)
        await over.wait()
        assert fired

    async def test_a_timer_may_cancel_one_that_is_due_with_it(self):
        """The one that was cancelled does not fire."""
        clock, over = SystemClock(), asyncio.Event()
        later = []
        clock.call_at(0, lambda: later[0].cancel())
        later.append(clock.call_at(0, lambda: pytest.fail("fired")))
        clock.call_at(0, over.set)
        await over.wait()
        assert 0 == len(clock._timers)

    def test_a_clock_outlives_the_loop_that_it_was_used_on(self):
        """What was set there can fire no more, and does not hinder the next loop."""
        clock, fired = SystemClock(), []

        async def set_one(wait):
            over = asyncio.Event()
            clock.call_at(clock.now() + (0 if wait else 60_000), over.set)
            if wait:
                await over.wait()
                fired.append(True)

        asyncio.run(set_one(wait=False))
        asyncio.run(set_one(wait=True))
        assert [True] == fired


@pytest.mark.parametrize("speed", [1, 1000])
async def test_the_machines_clock_can_stand_still(speed):
    """No timer fires meanwhile, and then the time goes on from where it stood."""
    clock, fired = SystemClock(speed), asyncio.Event()
    with clock.stopped():
        before = clock.now()
        clock.call_at(before + 20 * speed, fired.set)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(fired.wait(), 0.2)
        assert before == clock.now()
    assert before <= clock.now() < before + 20 * speed
    async with asyncio.timeout(10):
        await fired.wait()
    assert before + 20 * speed <= clock.now()
