"""A trial: a workflow runs from its creation to its end, and the process may die once on the way."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from cfworkflows.values import decode
from cfworkflows_emulator.engine import MIGRATIONS, Engine, EngineSettings, Entry, Status
from cfworkflows_emulator.engine.journal.entries import ATTEMPT_ENDS, ENTRIES, EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.probe import Moment
from cfworkflows_emulator.runtime import started_futures_as_tasks
from cfworkflows_emulator.shown import shown
from cfworkflows_emulator.testing.assertions import Failures
from cfworkflows_emulator.testing.blueprint import Blueprint
from cfworkflows_emulator.testing.clock import Clock
from cfworkflows_emulator.testing.points import Journals, Point, Written
from cfworkflows_emulator.testing.probe import KitProbe
from cfworkflows_emulator.testing.records import running
from cfworkflows_emulator.testing.waiting import StalledError, situation, unfinished
from cfworkflows_emulator.testing.workflow import Workflow, WorkflowInstance
from cfworkflows_emulator.testing.world import World
from cfworkflows_emulator.views import shown as shown_value

Drive = Callable[[WorkflowInstance], Awaitable[object]]
Events = Mapping[str, Any] | Drive
Callback = tuple[int, str, bool]
"""The instance, the step, and whether it is the step's rollback handler."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What every trial does: create an instance, answer its waits, and put the outside world back before."""

    blueprint: Blueprint
    id: str
    params: Any
    events: Events
    reset: Callable[[], object] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an instance ended. `str()` shows it."""

    status: Status
    output: str | None
    error: tuple[str, str] | None

    @classmethod
    def of(cls, state: InstanceState) -> "Outcome":
        error = (state.error.name, state.error.message) if state.error is not None else None
        return cls(state.status, state.output, error)

    def __str__(self) -> str:
        if self.error is not None:
            return shown(f"{self.status} with {self.error[0]}: {self.error[1]}")
        return f"{self.status} with {shown_value(decode(self.output))}" if self.output is not None else str(self.status)


class Trial:
    """`run` it once. The process dies at `point`, if that comes, and another one goes on with its store.

    Then `points` are those that came before the death, `calls` says how often each callback began, and `repeated` which
    of them were under way in the death, and began again; `workflows` and `places` tell of what workflow an instance is,
    and at which `file:line` a step is called. `journals` are the instances that the store had in the end.
    """

    def __init__(self, plan: Plan, point: Point | None = None) -> None:
        self.plan = plan
        self.point = point
        self.points: list[Point] = []
        self.calls: Counter[Callback] = Counter()
        self.workflows: dict[int, str] = {}
        self.places: dict[tuple[int, str], str | None] = {}
        self.repeated: set[Callback] = set()
        self.answered: set[str] = set()
        self.died = False
        self.outcome: Outcome | None = None
        self.journals: dict[int, tuple[str, str, Sequence[Entry]]] = {}
        self._settings = running().settings
        self._failures = Failures()
        self._written: Counter[tuple[int, str, str | None, int | None]] = Counter()
        self._open: set[Callback] = set()
        self._cut_off: set[Callback] = set()
        self._engine: Engine | None = None
        self._death = asyncio.Event()

    async def run(self, *, check_determinism: bool = False) -> list[str]:
        """Gives what a replay of each instance did differently, if `check_determinism` asks for that.

        Raises StalledError if the instance does not end, and the assertion that failed in the workflow.
        """
        __tracebackhide__ = True
        if self.plan.reset is not None and isinstance(done := self.plan.reset(), Awaitable):
            await done
        async with AsyncExitStack() as stack:
            journals = await Journals.open(None, MIGRATIONS)
            stack.push_async_callback(journals.close)
            stack.enter_context(started_futures_as_tasks(asyncio.get_running_loop()))
            journals.listener = self._stored
            now = self._settings.start
            while True:
                clock = Clock(self._failures, self._settings.patience_s, now)
                probe = KitProbe(self._failures, self._witness)
                self._engine = await Engine.open([], clock, journals, EngineSettings(evict_after_ms=None), probe=probe)
                clock.engine = self._engine
                before = asyncio.all_tasks()
                try:
                    if await self._live(self._engine, clock, probe):
                        return await self._differences(self._engine) if check_determinism else []
                finally:
                    await self._bury(self._engine, before)
                now = clock.now()

    async def _live(self, engine: Engine, clock: Clock, probe: KitProbe) -> bool:
        """Whether the instance has ended; else the process died."""
        __tracebackhide__ = True
        life = asyncio.ensure_future(self._to_the_end(engine, clock, probe))
        death = asyncio.ensure_future(self._death.wait())
        try:
            await asyncio.wait({life, death}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            death.cancel()
            life.cancel()
            await asyncio.wait({life, death})
        if self._death.is_set():
            self._death.clear()
            return False
        life.result()
        return True

    async def _to_the_end(self, engine: Engine, clock: Clock, probe: KitProbe) -> None:
        __tracebackhide__ = True
        plan = self.plan
        worker = plan.blueprint.open(engine)
        await engine.resume_all()
        workflow = Workflow(World(engine, worker, clock, probe), plan.blueprint.name)
        if await engine.exists(plan.blueprint.name, plan.id):
            instance = await workflow.get(plan.id)
        else:
            instance = await workflow.create(id=plan.id, params=plan.params)
        answers = _Answers(plan.events, instance, self.answered)
        while True:
            await clock.settle()
            state = await engine.state(plan.blueprint.name, plan.id)
            if state.status.finite:
                break
            if not await answers.send(engine, state) and not await clock.jump():
                raise StalledError(
                    f"{instance} never ends: nothing is due, and nothing runs.\n{await situation(engine)}"
                )
        self.outcome = Outcome.of(state)
        for name in engine.definitions:
            for row in await engine.list(name):
                self.journals[row.key] = (name, row.id, (await engine.history(name, row.id))[1])

    async def _differences(self, engine: Engine) -> list[str]:
        found = []
        for _, (workflow, id, entries) in sorted(self.journals.items()):
            status = InstanceState.fold(entries).status
            if status in (Status.COMPLETE, Status.ERRORED):
                difference = await engine.rehearse(workflow, id, entries)
                found += [f"{workflow}/{id}: {difference}"] if difference is not None else []
        return found

    async def _bury(self, engine: Engine, before: set[asyncio.Task[Any]]) -> None:
        """Leave nothing of a process behind but its store."""
        engine.kill()
        while left := {task for task in asyncio.all_tasks() - before - {asyncio.current_task()} if task.cancelling()}:
            await asyncio.wait(left)
        async with asyncio.timeout(self._settings.patience_s):
            await engine.threads_ended()

    # The points

    def _stored(self, written: Sequence[Written]) -> None:
        came = []
        for entry in written:
            key = (entry.instance, entry.type, entry.step, entry.attempt)
            self._written[key] += 1
            if entry.type == EntryType.STEP_STARTED and entry.step is not None:
                self.places[entry.instance, entry.step] = entry.at
            undone = ENTRIES[entry.type].undoes
            if entry.step is not None and (undone or entry.type) in ATTEMPT_ENDS:
                undoes = undone is not None
                self._open.discard((entry.instance, entry.step, undoes))
            came.append(Point("stored", *key, nth=self._written[key]))
        if self.died:
            return
        self.points.append(came[-1])  # what is in one transaction comes together
        if self.point in came:
            self._die()

    def _witness(self, moment: Moment) -> None:
        callback = (moment.instance, moment.step, moment.undoes)
        if not self.died:
            point = Point.at(moment)
            self.points.append(point)
            if point == self.point:
                self._die()
                return
        if moment.phase == "before":
            self.workflows[moment.instance] = moment.workflow
            self.calls[callback] += 1
            self._open.add(callback)
            if callback in self._cut_off:
                self.repeated.add(callback)

    def _die(self) -> None:
        self.died = True
        self._cut_off = set(self._open)
        if self._engine is not None:
            self._engine.kill()
        self._death.set()


class _Answers:
    """Sends events to the waits of instances: once to each, or to each set of them, in the life of a process."""

    def __init__(self, events: Events, instance: WorkflowInstance, answered: set[str]) -> None:
        self._events = events
        self._instance = instance
        self._answered = answered
        self._seen: set[object] = set()

    async def send(self, engine: Engine, state: InstanceState) -> bool:
        """Whether anything was sent, or may have been."""
        __tracebackhide__ = True
        if not isinstance(self._events, Mapping):
            waits = frozenset(name for name, wait in state.waits.items() if not wait.done)
            if not waits or waits in self._seen:
                return False
            self._seen.add(waits)
            await self._events(self._instance)
            return True
        for workflow, id in await unfinished(engine):
            for name, wait in (await engine.state(workflow, id)).waits.items():
                if not wait.done and wait.event_type in self._events and (workflow, id, name) not in self._seen:
                    self._seen.add((workflow, id, name))
                    await engine.send_event(workflow, id, wait.event_type, self._events[wait.event_type])
                    self._answered.add(wait.event_type)
                    return True
        return False
