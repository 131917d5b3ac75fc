"""Programs made up of branches, races, equal and other names, and what becomes of them, however they are disturbed."""

import asyncio
import json
from contextlib import suppress
from typing import NamedTuple

from hypothesis import strategies as st
from world import workflow

from cfworkflows import ExecutionContext, WorkflowTimeoutError
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.engine import MIGRATIONS, Engine, EngineSettings, WorkflowDefinition
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.runtime import started_futures_as_tasks
from cfworkflows_emulator.testing.points import Journals

HOUR_MS = 3_600_000
_SENT = "SELECT count(*) FROM journal WHERE type = 'event_received'"
EVENT_HOURS = (1.3, 3.7, 6.1)
NAMES = st.sampled_from(["x", "y", "{}", "{}"])
HOURS = st.sampled_from([1, 1, 2, 3, 5])

DO = st.tuples(st.just("do"), NAMES)
FLAKY = st.tuples(st.just("flaky"), NAMES, HOURS)
SLEEP = st.tuples(st.just("sleep"), NAMES, HOURS)
WAIT = st.tuples(st.just("wait"), NAMES, HOURS)
SINGLE = st.one_of(DO, SLEEP, WAIT, FLAKY)
RACE = st.tuples(st.just("race"), st.lists(st.one_of(DO, SLEEP, SLEEP, WAIT), min_size=2, max_size=3))


def _branches(block):
    return st.tuples(st.just("gather"), st.lists(block, min_size=2, max_size=3))


BLOCK = st.recursive(
    st.lists(st.one_of(SINGLE, SINGLE, RACE), min_size=1, max_size=3),
    lambda block: st.lists(st.one_of(SINGLE, RACE, _branches(block), _branches(block)), min_size=1, max_size=3),
    max_leaves=6,
)


def of_kind(block, kind):
    """Whether a program has anything of a kind."""
    return any(
        each[0] == kind or (each[0] == "gather" and any(of_kind(inner, kind) for inner in each[1])) for each in block
    )


class Program:
    """`run()` made of a block. Every callback returns its own place in it, so that no result is like another.

    A `{}` in a name stands for the place: such a name is no other's. What is further down in a block takes longer, so
    that only branches that do the same are at the same place at the same moment.
    """

    def __init__(self, block):
        self.block = block
        self.failed = set()

    async def __call__(self, step):
        return await self._block(step, self.block, "p")

    async def _block(self, step, block, place):
        return [await self._one(step, each, f"{place}.{n}") for n, each in enumerate(block)]

    async def _one(self, step, what, place):
        match what:
            case ("gather", blocks):
                return await asyncio.gather(*(self._block(step, each, f"{place}/{n}") for n, each in enumerate(blocks)))
            case ("race", racers):
                tasks = [asyncio.ensure_future(self._one(step, each, f"{place}>{n}")) for n, each in enumerate(racers)]
                done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in pending:
                    task.cancel()
                return min(n for n, task in enumerate(tasks) if task in done)
            case ("do", name):
                return await step.do(name.format(place), lambda: place)
            case ("flaky", name, hours):
                retry = {"retries": {"limit": 5, "delay": _ms(hours, place), "backoff": "constant"}}
                return await step.do(name.format(place), retry, lambda: self._flaky(place))
            case ("sleep", name, hours):
                return await step.sleep(name.format(place), _ms(hours, place))
            case ("wait", name, hours):
                with suppress(WorkflowTimeoutError):
                    event = await step.wait_for_event(name.format(place), type="go", timeout=_ms(hours, place))
                    return event.payload
                return "timeout"

    def _flaky(self, place):
        if place not in self.failed:
            self.failed.add(place)
            raise ValueError("not yet")
        return place


def _ms(hours, place):
    """A duration, by the place in the innermost block, or of the race that is there."""
    below = int(place.rpartition(".")[2].partition(">")[0])
    return round(hours * HOUR_MS * (1 + below / 10))


class Told(NamedTuple):
    """How it ended, and what was said of it."""

    outcome: str
    diagnoses: list[str]
    commits: int


async def live(block, *, evict_after_ms=None, dies_at=None):
    """Run it once, to its end. The process may die behind the commit of the number `dies_at`."""
    program = Program(block)

    async def run(step):
        return await program(step)

    cls = workflow(run)
    definition = WorkflowDefinition("run", lambda: cls(ExecutionContext(lambda awaitable: None), None), None)
    journals = await Journals.open(None, MIGRATIONS)
    clock, commits, engine = VirtualClock(), 0, None
    death = asyncio.Event()

    def stored(written):
        nonlocal commits
        commits += 1
        if commits == dies_at:
            engine.kill()
            death.set()

    journals.listener = stored
    start = clock.now()
    sent = 0
    with started_futures_as_tasks(asyncio.get_running_loop()):
        try:
            while True:
                before = asyncio.all_tasks()
                engine = await Engine.open([definition], clock, journals, EngineSettings(evict_after_ms))
                await engine.resume_all()
                work = asyncio.ensure_future(_drive(engine, clock, start, sent))
                dead = asyncio.ensure_future(death.wait())
                await asyncio.wait({work, dead}, return_when=asyncio.FIRST_COMPLETED)
                if not death.is_set():
                    dead.cancel()
                    state = await work
                    told = Told(_outcome(state), [str(each) for each in state.diagnoses], commits)
                    await engine.close()
                    return told
                death.clear()
                work.cancel()
                while left := {task for task in asyncio.all_tasks() - before if task.cancelling()}:
                    await asyncio.wait(left)
                sent = (await journals.run(lambda connection: connection.execute(_SENT).fetchone()))[0]
                clock = VirtualClock(clock.now())
        finally:
            await journals.close()


async def _drive(engine, clock, start, sent):
    events = [start + round(hours * HOUR_MS) for hours in EVENT_HOURS][sent:]
    if not await engine.exists("run", "i"):
        await engine.create_instance("run", {"id": "i"})
    while True:
        await clock.settle()
        await engine.activity.at_rest()
        state = await engine.state("run", "i")
        if state.status.finite:
            await engine.activity.rehearsed()
            return await engine.state("run", "i")
        due = clock.next_timer
        if events and (due is None or events[0] < due):
            await clock.advance(max(events.pop(0) - clock.now(), 0))
            await engine.send_event("run", "i", "go", len(EVENT_HOURS) - len(events))
        else:
            assert due is not None, "It never ends."
            await clock.advance(max(due - clock.now(), 0))


def _outcome(state: InstanceState):
    error = f"{state.error.name}: {state.error.message}" if state.error is not None else None
    return json.dumps([str(state.status), state.output and json.loads(state.output), error])
