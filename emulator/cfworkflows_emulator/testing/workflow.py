"""The Workflow bindings and the handles on instances that tests get: the platform's, with `result` and `history`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cfworkflows.entrypoint import WorkflowEntrypoint
from cfworkflows.errors import WorkflowError
from cfworkflows.types import InstanceStatus
from cfworkflows.values import decode
from cfworkflows_bindings import WorkflowBinding
from cfworkflows_bindings import WorkflowInstance as Handle
from cfworkflows_emulator.config import WORKFLOWS, WorkflowSection
from cfworkflows_emulator.engine import Status
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.runtime import Resources, Worker, definition_of
from cfworkflows_emulator.testing.history import HistoryEntry
from cfworkflows_emulator.testing.kit import KitKind
from cfworkflows_emulator.testing.passing import passed_until
from cfworkflows_emulator.testing.stories import story
from cfworkflows_emulator.testing.timeouts import timed_out
from cfworkflows_emulator.testing.world import World


class Held:
    """An engine that holds the clock while a call is under way: what a test asks for happens before the time moves."""

    def __init__(self, world: World) -> None:
        self._world = world

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._world.engine, name)
        clock = self._world.clock

        async def call(*arguments: Any, **options: Any) -> Any:
            __tracebackhide__ = True
            self._world.check()
            clock.hold()
            try:
                return await method(*arguments, **options)
            finally:
                clock.release()

        return call


class WorkflowInstance(Handle):
    """A handle on an instance, with all that a Worker's code has, and `result()` and `history()`."""

    def __init__(self, world: World, workflow: str, id: str, binding: WorkflowBinding) -> None:
        held: Any = Held(world)
        super().__init__(held, workflow, id, binding)
        self._world = world

    async def status(self) -> InstanceStatus[Any]:
        """As in a Worker. Raises StalledError if a test asks again and again while nothing can go on."""
        __tracebackhide__ = True
        status = await super().status()
        await self._world.idling.polled()
        return status

    async def result(self) -> Any:
        """The output of the instance, once it is complete. Time passes by itself until then.

        Raises the error the instance ended with, as a step's error would arrive in `run()`; WorkflowError if it was
        terminated; StalledError if nothing is under way that could end it; and the assertion that failed in a workflow.
        """
        __tracebackhide__ = True
        return self._outcome(
            await passed_until(self._world, self._workflow, self._id, lambda state: state.status.finite)
        )

    async def history(self) -> list[HistoryEntry]:
        """All that happened to the instance, the oldest first."""
        __tracebackhide__ = True
        self._world.check()
        _, entries = await self._world.engine.history(self._workflow, self._id)
        return HistoryEntry.all_of(entries)

    async def matches_history(self) -> None:
        """Check that the code still does what its recorded history says; see `cfworkflows.testing.golden`."""
        __tracebackhide__ = True
        from cfworkflows_emulator.testing.golden_history import golden

        await golden(self)

    async def timeline(self) -> str:
        """Its history as text, as a failing test prints it."""
        __tracebackhide__ = True
        self._world.check()
        _, entries = await self._world.engine.history(self._workflow, self._id)
        return story(entries, self._world.failures.stopped.get((self._workflow, self._id)))

    def __str__(self) -> str:
        return f"{self._workflow}/{self._id}"

    def _outcome(self, state: InstanceState) -> Any:
        __tracebackhide__ = True
        if state.status is Status.TERMINATED:
            raise WorkflowError(f"{self} was terminated, so it has no result.")
        if state.error is not None:
            error = state.error.rebuild()
            error.add_note(f"The workflow instance {self} errored.")
            if (what := timed_out(state)) is not None:
                error.add_note(what)
            if state.error.traceback is not None:
                error.add_note(state.error.traceback)
            raise error
        return decode(state.output) if state.output is not None else None


class Workflow(WorkflowBinding):
    """`env.MY_WORKFLOW` in a test: the binding itself, whose handles are those of this kit."""

    def __init__(self, world: World, workflow: str) -> None:
        held: Any = Held(world)
        super().__init__(held, workflow)
        self._world = world

    async def create(
        self, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any
    ) -> WorkflowInstance:
        """Create an instance and start it; see `WorkflowBinding.create`."""
        __tracebackhide__ = True
        instance = await super().create(options, *more, **keywords)
        return self._handle(instance.id)

    async def get(self, id: str, /) -> WorkflowInstance:
        """A handle on an instance. Raises WorkflowError (`instance.not_found`) if there is none of that id."""
        __tracebackhide__ = True
        instance = await super().get(id)
        return self._handle(instance.id)

    def _handle(self, id: str) -> WorkflowInstance:
        return WorkflowInstance(self._world, self._workflow, id, self)


@dataclass(frozen=True, slots=True)
class FakeWorkflow:
    """A Workflow class with settings: the keys of an element of `workflows` in a wrangler file."""

    cls: type[WorkflowEntrypoint[Any, Any]]
    settings: Mapping[str, Any]

    def section(self, binding: str, /) -> WorkflowSection:
        """Raises ValueError, with all that is wrong, for settings that a wrangler file may not have either."""
        from cfworkflows_emulator.config.validation import validated

        name = binding.lower().replace("_", "-")
        settings = {"name": name, **self.settings, "binding": binding, "class_name": self.cls.__name__}
        return validated(WorkflowSection, settings)

    def define(self, section: WorkflowSection, worker: Worker, resources: Resources, /) -> None:
        resources.engine.define(definition_of(section, self.cls, worker))


class WorkflowsFaked(KitKind[WorkflowSection]):
    """A Workflow class given to FakeEnv is a Workflow; what tests see of it has handles with `result` and `history`."""

    kind = WORKFLOWS

    def fake(self, value: Any, /) -> FakeWorkflow | None:
        if isinstance(value, FakeWorkflow):
            return value
        if isinstance(value, type) and issubclass(value, WorkflowEntrypoint):
            return FakeWorkflow(value, {})
        return None

    def check(self, sections: list[WorkflowSection], /) -> None:
        names = [section.name for section in sections]
        if doubled := [name for name in names if names.count(name) > 1]:
            raise ValueError(
                f"Two Workflows are called {doubled[0]}: give one another name, FakeEnv.workflow(cls, name=…)."
            )

    def seen(self, binding: WorkflowBinding, world: World, /) -> Workflow:
        return Workflow(world, binding._workflow)


WORKFLOWS_FAKED = WorkflowsFaked()
