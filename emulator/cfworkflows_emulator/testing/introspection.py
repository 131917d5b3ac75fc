"""Introspectors: they change what happens to instances before it does, and wait for it. The platform's test API."""

from collections.abc import Awaitable, Callable, Generator, Iterator
from types import TracebackType
from typing import Any, Self

from cfworkflows.errors import WorkflowError
from cfworkflows.values import JsDict, decode
from cfworkflows_emulator.engine import REDACTED, Status, is_sensitive, result_of
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.testing.mocks import IntrospectionError, Mock, Mocks, Modifier, StepSelector, selected
from cfworkflows_emulator.testing.passing import passed_until
from cfworkflows_emulator.testing.records import running
from cfworkflows_emulator.testing.stories import story
from cfworkflows_emulator.testing.workflow import Workflow
from cfworkflows_emulator.testing.world import World
from cfworkflows_emulator.views import shown

Modify = Callable[[Modifier], Awaitable[object] | object]


class UnusedMockError(IntrospectionError):
    """A mock met no step. The text names it, and the steps that there were."""


class _Session:
    """Ends with `dispose`, or as an `async with` block; `await` gives the session itself, as in TypeScript."""

    def __await__(self) -> Generator[Any, None, Self]:
        return self._itself().__await__()

    async def _itself(self) -> Self:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        await (self.dispose() if error is None else self._remove())

    async def dispose(self) -> None:
        raise NotImplementedError

    async def _remove(self) -> None:
        raise NotImplementedError


class WorkflowInstanceIntrospector(_Session):
    """Looks into one instance. Make it with `introspect_workflow_instance`, before the instance is created."""

    def __init__(self, world: World, workflow: str, id: str, mocks: Mocks) -> None:
        self._world = world
        self._workflow = workflow
        self.id = id
        self.mocks = mocks
        self._steps = "it was never created"

    def __repr__(self) -> str:
        return f"<WorkflowInstanceIntrospector {self._workflow}/{self.id}>"

    async def modify(self, change: Modify) -> Self:
        """Call `change`, a function or an `async def`, with a Modifier. What it asks for counts at once.

        await instance.modify(lambda m: m.mock_step_result("charge", {"paid": True}))
        """
        __tracebackhide__ = True
        await _modified(change, self.mocks)
        if self.mocks.events and await self._state() is not None:
            await self._world.engine.send_mocked_events(self._workflow, self.id)
        return self

    async def wait_for_step_result(self, step: StepSelector) -> Any:
        """What a `step.do` gives, once it has; time passes until then. `[REDACTED]` if its output is sensitive.

        Raises the step's error if it fails; IntrospectionError if the instance ends without it; StalledError if nothing
        is under way that could end it.
        """
        __tracebackhide__ = True
        key, _ = selected(step)

        def done(state: InstanceState) -> bool:
            return state.status.finite or (key in state.steps and state.steps[key].done)

        state = await self._passed_until(done)
        found = state.steps.get(key)
        if found is None or not found.done:
            raise IntrospectionError(
                f'[WorkflowIntrospector] The Workflow instance {self.id} is {state.status} and has no result of step "'
                f'{key}". Its steps: {_steps(state)}.'
            )
        if found.error is not None:
            raise found.error.rebuild()
        if is_sensitive(found.config):
            return REDACTED
        row, _ = await self._world.engine.history(self._workflow, self.id)
        return result_of(self._world.engine.store, row.key, key, found, None)

    async def wait_for_status(self, status: str) -> None:
        """Wait until the instance has a status; time passes until then. It always was `queued`.

        Raises IntrospectionError if it ends with another one, and for a status that there is none of.
        """
        __tracebackhide__ = True
        if status not in set(Status):
            raise IntrospectionError(
                f"[WorkflowIntrospector] An instance never has the status {status!r}; it may be {', '.join(Status)}."
            )
        now = await self._state()
        if status == Status.QUEUED or (now is not None and now.visible_status == status):
            return
        state = await self._passed_until(lambda state: state.visible_status == status or state.status.finite)
        if state.visible_status != status:
            raise IntrospectionError(
                f"[WorkflowIntrospector] The Workflow instance {self.id} has reached status '{state.status}'. This is "
                f"a finite status that prevents it from ever reaching the expected status of '{status}'."
            )

    async def get_output(self) -> Any:
        """What `run()` returned. Raises IntrospectionError if the instance is not complete."""
        state = await self._world.engine.state(self._workflow, self.id)
        if state.status is not Status.COMPLETE:
            raise IntrospectionError(
                f'Cannot retrieve output: Workflow instance is in status "{state.visible_status}" but must be '
                '"complete" to have an output available'
            )
        return decode(state.output) if state.output is not None else None

    async def get_error(self) -> JsDict:
        """The error of the instance, `{name, message}`. Raises IntrospectionError if it did not fail."""
        state = await self._world.engine.state(self._workflow, self.id)
        if state.error is None:
            raise IntrospectionError(
                f'Cannot retrieve error: Workflow instance is in status "{state.visible_status}" but must be "errored" '
                "to have error information available"
            )
        return JsDict(name=state.error.name, message=state.error.message)

    async def dispose(self) -> None:
        """Stop the instance and delete it. Raises UnusedMockError if a mock met no step."""
        __tracebackhide__ = True
        if self._disposed:
            return
        try:
            await self._world.clock.settle()
        finally:
            await self._remove()
        _refuse_unused(self.mocks.unused, f"{self._workflow}/{self.id}", self._steps)

    waitForStepResult = wait_for_step_result  # noqa: N815 - the platform's names
    waitForStatus = wait_for_status  # noqa: N815
    getOutput = get_output  # noqa: N815
    getError = get_error  # noqa: N815

    async def survey(self) -> None:
        """Look which steps there were, and which events they got."""
        if (state := await self._state()) is not None:
            self._steps = _steps(state)
            taken = [wait.event for wait in state.waits.values() if wait.event is not None]
            self.mocks.took(event.data["mock"] for event in taken if "mock" in event.data)

    @property
    def steps(self) -> str:
        """Which steps there were when it was last looked."""
        return self._steps

    @property
    def _disposed(self) -> bool:
        return self._world.introspections.instances.get((self._workflow, self.id)) is not self

    async def _remove(self) -> None:
        if self._disposed:
            return
        del self._world.introspections.instances[self._workflow, self.id]
        await self.survey()
        if await self._state() is not None:
            row, entries = await self._world.engine.history(self._workflow, self.id)
            stopped = self._world.failures.stopped.get((self._workflow, self.id))
            title = f"{self._workflow}/{self.id} ({row.status})"
            running().timelines.append(lambda: [(title, story(entries, stopped))])
            await self._world.engine.delete_instances(self._workflow, [self.id])

    async def _state(self) -> InstanceState | None:
        __tracebackhide__ = True
        self._world.check()
        try:
            return await self._world.engine.state(self._workflow, self.id)
        except WorkflowError as error:
            if error.code != "instance.not_found":
                raise
            return None

    async def _passed_until(self, reached: Callable[[InstanceState], bool]) -> InstanceState:
        __tracebackhide__ = True
        return await passed_until(self._world, self._workflow, self.id, reached, may_be_missing=True)


class Instances(list[WorkflowInstanceIntrospector]):
    """Introspectors, the oldest instance first. TypeScript awaits them, so that is allowed."""

    def __await__(self) -> Generator[Any, None, "Instances"]:
        return self._itself().__await__()

    async def _itself(self) -> "Instances":
        return self


class WorkflowIntrospector(_Session):
    """Looks into the instances of a workflow that are created from now on. Make it with `introspect_workflow`."""

    def __init__(self, world: World, workflow: str) -> None:
        self._world = world
        self._workflow = workflow
        self.mocks = Mocks()
        self._created: list[WorkflowInstanceIntrospector] = []

    def __repr__(self) -> str:
        return f"<WorkflowIntrospector {self._workflow}>"

    async def modify_all(self, change: Modify) -> None:
        """Like `modify`, for every instance that is created later, before it starts."""
        await _modified(change, self.mocks)

    def get(self) -> Instances:
        """The introspectors of the instances that were created since."""
        return Instances(self._created)

    async def dispose(self) -> None:
        """End the session, delete its instances. Raises UnusedMockError if a mock met no step of any of them."""
        __tracebackhide__ = True
        if self._world.introspections.sessions.get(self._workflow) is not self:
            return
        try:
            await self._world.clock.settle()
        finally:
            await self._remove()
        unused = {mock for instance in self._created for mock in instance.mocks.unused} | set(self.mocks.unused)
        steps = "; ".join(f"{instance.id}: {instance.steps}" for instance in self._created)
        _refuse_unused(
            [mock for mock in (*self.mocks.all, *self._own()) if mock in unused],
            self._workflow,
            steps or "no instance was created",
        )

    modifyAll = modify_all  # noqa: N815 - the platform's name

    def created(self, id: str) -> None:
        """There is a new instance: it gets what is asked for all."""
        instances = self._world.introspections.instances
        instance = instances.get((self._workflow, id))
        if isinstance(instance, WorkflowInstanceIntrospector):
            instance.mocks.all += self.mocks.all
        else:
            instance = WorkflowInstanceIntrospector(self._world, self._workflow, id, Mocks(self.mocks.all))
            instances[self._workflow, id] = instance
        self._created.append(instance)

    def _own(self) -> Iterator[Mock]:
        for instance in self._created:
            yield from (mock for mock in instance.mocks.all if mock not in self.mocks.all)

    async def _remove(self) -> None:
        if self._world.introspections.sessions.get(self._workflow) is self:
            del self._world.introspections.sessions[self._workflow]
        for instance in self._created:
            await instance._remove()


def introspect_workflow_instance(workflow: Workflow, instance_id: str) -> WorkflowInstanceIntrospector:
    """Look into the instance of an id, and change what happens to it. Call it before the instance is created.

        async with introspect_workflow_instance(env.ORDERS, "a1") as instance:
            await instance.modify(lambda m: m.disable_sleeps())
            await env.ORDERS.create(id="a1")
            await instance.wait_for_status("complete")

    Raises IntrospectionError for anything but a Workflow of the test's `env`, and if the id has an introspector.
    """
    if workflow is None or not instance_id or not isinstance(instance_id, str):
        raise IntrospectionError("[WorkflowIntrospector] Workflow binding and instance id are required.")
    world, name = _opened(workflow)
    if (name, instance_id) in world.introspections.instances:
        raise IntrospectionError(
            f"[WorkflowIntrospector] {name}/{instance_id} has an introspector: dispose of it first."
        )
    introspector = WorkflowInstanceIntrospector(world, name, instance_id, Mocks())
    world.introspections.instances[name, instance_id] = introspector
    return introspector


def introspect_workflow(workflow: Workflow) -> WorkflowIntrospector:
    """Look into the instances of a workflow that are created from now on, whatever their ids.

        async with introspect_workflow(env.ORDERS) as orders:
            await orders.modify_all(lambda m: m.disable_sleeps())
            await worker.fetch("/orders", method="POST")
            await orders.get()[0].wait_for_status("complete")

    Raises IntrospectionError for anything but a Workflow of the test's `env`, and if there is a session already.
    """
    if workflow is None:
        raise IntrospectionError("[WorkflowIntrospector] Workflow binding is required.")
    world, name = _opened(workflow)
    if name in world.introspections.sessions:
        binding = next((each for each in world.env if getattr(world.env, each) is workflow), "?")
        raise IntrospectionError(
            f'Workflow "{name}" already has an active introspection session for binding "{binding}".'
        )
    introspector = world.introspections.sessions[name] = WorkflowIntrospector(world, name)
    return introspector


introspectWorkflowInstance = introspect_workflow_instance  # noqa: N816 - the platform's names
introspectWorkflow = introspect_workflow  # noqa: N816


def _opened(workflow: object) -> tuple[World, str]:
    if not isinstance(workflow, Workflow):
        raise IntrospectionError(
            "[WorkflowIntrospector] An introspector needs a Workflow binding of the test's own env: the fixture's, or "
            f"a FakeEnv's. This is {shown(workflow)}."
        )
    return workflow._world, workflow._workflow


async def _modified(change: Modify, mocks: Mocks) -> None:
    modifier = Modifier(mocks)
    try:
        done = change(modifier)
        if isinstance(done, Awaitable):
            await done
    finally:
        await modifier.read_streams()


def _refuse_unused(unused: list[Mock], what: str, steps: str) -> None:
    __tracebackhide__ = True
    if unused:
        mocks = "".join(f"\n- {mock}" for mock in unused)
        raise UnusedMockError(f"Nothing in {what} used:{mocks}\nWhat there was: {steps}")


def _steps(state: InstanceState) -> str:
    steps = [
        f'{word} "{name}"'
        for kind, word in (("do", "step"), ("sleep", "sleep"), ("wait", "wait"))
        for name in state.verbs(kind)
    ]
    return ", ".join(steps) or "no steps"
