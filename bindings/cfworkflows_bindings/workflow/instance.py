"""A handle on one instance of a Workflow."""

from collections.abc import Mapping
from typing import Any

from cfworkflows.errors import ErrorRecord, instance_not_found
from cfworkflows.types import InstanceError, InstanceRollback, InstanceStatus, Workflow, WorkflowInstanceSubscription
from cfworkflows.values import decode
from cfworkflows_bindings.forms import Form
from cfworkflows_bindings.workflow.engine import WorkflowEngine
from cfworkflows_bindings.workflow.restart import starting_step

_EVENT = Form("type", "payload")
_TERMINATE = Form("rollback")


class WorkflowInstance:
    """A handle on one instance: it holds the id only, and asks the engine for everything else."""

    def __init__(self, engine: WorkflowEngine, workflow: str, id: str, binding: Workflow[Any, Any]) -> None:
        self._engine = engine
        self._workflow = workflow
        self._id = id
        self._binding = binding

    @property
    def id(self) -> str:
        return self._id

    @property
    def binding(self) -> Workflow[Any, Any]:
        """The binding it comes from: the platform's handles have it, though its types do not declare it."""
        return self._binding

    def __repr__(self) -> str:
        return f"<WorkflowInstance {self._workflow}/{self._id}>"

    async def status(self) -> InstanceStatus[Any]:
        """`{"status": …, "output": …, "error": …, "rollback": …}`; the last three are None until there is one.

        `rollback` is `{"outcome": "complete" or "failed", "error": …}` once the steps have been undone, or could not
        be; meanwhile the status is `rollingBack`.
        """
        state = await self._engine.outcome(self._workflow, self._id)
        output = decode(state.output) if state.output is not None else None
        rollback = None
        if state.rollback is not None and state.rollback.outcome is not None:
            rollback = InstanceRollback(outcome=state.rollback.outcome, error=_error(state.rollback.failure))
        return InstanceStatus(
            status=str(state.visible_status), output=output, error=_error(state.error), rollback=rollback
        )

    async def send_event(self, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any) -> None:
        """Send an event to the instance: `{"type": …, "payload": …}`, or keywords.

        It is kept until a `wait_for_event` of its type takes it. Raises WorkflowError for an invalid type, a
        payload over 1 MiB, and an instance that has ended.
        """
        event = _EVENT.read("send_event()", options, keywords, *more)
        if "type" not in event:
            raise TypeError("send_event() needs the type of the event")
        await self._engine.send_event(self._workflow, self._id, event["type"], event.get("payload"))

    sendEvent = send_event  # noqa: N815 - the platform's name

    async def subscribe(
        self, options: Mapping[str, Any] | None = None, /, **keywords: Any
    ) -> WorkflowInstanceSubscription:
        """The events of the instance: its history, then new events until it ends.

            async with await instance.subscribe() as events:
                async for event in events:
                    print(event.eventId, event.type)

        `{"cursor": eventId}` begins after an event, `{"filter": ["step_completed", …]}` shows some types only. Each
        event is delivered once, when it is durable: `instanceId`, `eventId`, `timestamp` (ms), `type`, and the fields
        of the type. Raises Exception for invalid options.
        """
        if keywords and (options is None or isinstance(options, Mapping)):
            options = {**(options or {}), **keywords}
        return await self._engine.subscribe(self._workflow, self._id, options)

    async def pause(self) -> None:
        """Pause: between steps, or at once in a sleep, a wait or a retry delay."""
        await self._engine.pause(self._workflow, self._id)

    async def resume(self) -> None:
        """Continue after a pause."""
        await self._engine.resume(self._workflow, self._id)

    async def terminate(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> None:
        """End the instance now; with `{"rollback": True}`, or the keyword, undo its steps first.

        It returns as soon as the rollback is durable, so that a crash cannot prevent it; `status()` shows when it is
        over. During a rollback, a terminate without the option cancels the rest of it. Raises WorkflowError
        (`instance.cannot_terminate`) if the instance has ended, or a rollback is asked for during one.
        """
        given = _TERMINATE.read("terminate()", options, keywords)
        await self._engine.terminate(self._workflow, self._id, rollback=given.get("rollback") is True)

    async def restart(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> None:
        """Start again with the same params, from the beginning or from a step.

            await instance.restart()
            await instance.restart({"from": {"name": "charge", "count": 1, "type": "do"}})
            await instance.restart(from_={"name": "charge"})

        `count` (default 1) says which occurrence of that name, `type` (default do) is do, sleep or waitForEvent. Steps
        that started before it keep their results, also those that came later; the step itself, the steps that started
        after it, and events that no step has taken are dropped. Works in any status. Raises WorkflowError
        (`instance.cannot_restart`) if there was no such step, TypeError and WorkflowError for invalid options.
        """
        await self._engine.restart(self._workflow, self._id, starting_step(options, keywords))

    async def delete(self) -> None:
        """Delete the instance and all that is stored of it, whatever its status; its id can be used again.

        Its code is stopped where it awaits something, and nothing is rolled back; a plain `def` callback, which runs in
        a thread, runs to its end, and its result is dropped. Called by the instance itself, it does not return. Raises
        WorkflowError (`instance.not_found`) if there is no such instance any more.
        """
        if self._id not in await self._engine.delete_instances(self._workflow, [self._id]):
            raise instance_not_found(self._id)


def _error(record: ErrorRecord | None) -> InstanceError | None:
    return InstanceError(name=record.name, message=record.message) if record is not None else None
