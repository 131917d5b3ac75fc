"""A Workflow binding, and the handles on instances that it gives."""

from collections.abc import Container, Iterable, Mapping, Sequence
from typing import Any, Protocol, overload

from cfworkflows.errors import ErrorRecord, WorkflowError
from cfworkflows.values import JsDict, decode
from cfworkflows_bindings.batch import MAX_BATCH, crowded, noted, options_of_object, result
from cfworkflows_bindings.restart import Start, starting_step

_MISSING: Any = object()

_NOT_FOUND = {"code": 10400, "message": "workflows.api.error.instance.not_found"}
_CREATE_OPTIONS = {
    "id": "id",
    "params": "params",
    "retention": "retention",
    "locationHint": "location_hint",
    "location_hint": "location_hint",
}


class RollbackState(Protocol):
    """`outcome` is `complete` or `failed`, None until there is one; `failure` what a handler failed with."""

    @property
    def outcome(self) -> str | None: ...

    @property
    def failure(self) -> ErrorRecord | None: ...


class InstanceState(Protocol):
    """What a handle reads of an instance: `output` is the encoded value, None until there is one."""

    @property
    def visible_status(self) -> str: ...

    @property
    def output(self) -> str | None: ...

    @property
    def error(self) -> ErrorRecord | None: ...

    @property
    def rollback(self) -> RollbackState | None: ...


class Subscription(Protocol):
    """The events of an instance. `next()` gives `{done, value}`; iterating gives the values."""

    async def next(self) -> JsDict: ...

    def close(self) -> None: ...

    def dispose(self) -> None: ...

    def __aiter__(self) -> "Subscription": ...

    async def __anext__(self) -> JsDict: ...

    def __enter__(self) -> "Subscription": ...

    def __exit__(self, *error: Any) -> None: ...

    async def __aenter__(self) -> "Subscription": ...

    async def __aexit__(self, *error: Any) -> None: ...


class WorkflowEngine(Protocol):
    """The engine, as far as a binding needs it. Every call ends when what it did is durable."""

    async def create_instance(self, workflow: str, options: Mapping[str, Any]) -> str: ...

    async def create_batch(self, workflow: str, batch: Sequence[Mapping[str, Any]]) -> Sequence[str | None]: ...

    async def exists(self, workflow: str, id: str) -> bool: ...

    async def outcome(self, workflow: str, id: str) -> InstanceState: ...

    async def subscribe(self, workflow: str, id: str, options: object = None) -> Subscription: ...

    async def send_event(self, workflow: str, id: str, event_type: str, payload: Any) -> None: ...

    async def pause(self, workflow: str, id: str) -> None: ...

    async def resume(self, workflow: str, id: str) -> None: ...

    async def terminate(self, workflow: str, id: str, *, rollback: bool = False) -> None: ...

    async def restart(self, workflow: str, id: str, start: Start | None = None) -> None: ...

    async def delete_instances(self, workflow: str, ids: Sequence[str]) -> Container[str]: ...


class WorkflowBinding:
    """`env.MY_WORKFLOW`: creates instances and finds them again."""

    def __init__(self, engine: WorkflowEngine, workflow: str) -> None:
        self._engine = engine
        self._workflow = workflow

    def __repr__(self) -> str:
        return f"<Workflow {self._workflow}>"

    async def create(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> "WorkflowInstance":
        """Create an instance and start it.

            await env.MY_WORKFLOW.create({"id": "order-1", "params": {"n": 1}})
            await env.MY_WORKFLOW.create(id="order-1", params={"n": 1})

        Without an id one is made up (a UUID). Raises WorkflowError for an id that is taken or no id, and for params
        over 1 MiB; SerializationError for params that cannot be stored; TypeError for an option that is not known.
        """
        return await self._create(_merged("create", options, keywords))

    async def get(self, id: str, /) -> "WorkflowInstance":
        """A handle on an instance. Raises WorkflowError (`instance.not_found`) if there is none of that id."""
        if not isinstance(id, str) or not await self._engine.exists(self._workflow, id):
            raise _not_found(id)
        return self._handle(id)

    @overload
    async def create_batch(self, options: Mapping[str, Any], /) -> JsDict: ...

    @overload
    async def create_batch(self, /, **keywords: Any) -> JsDict: ...

    @overload
    async def create_batch(self, batch: Iterable[Mapping[str, Any]], /) -> "list[WorkflowInstance]": ...

    async def create_batch(self, options: Any = _MISSING, /, **keywords: Any) -> "JsDict | list[WorkflowInstance]":
        """Create 1 to 100 instances, in one commit. Everything is checked before anything is created.

            await env.MY_WORKFLOW.create_batch({"instances": [{"id": "a"}, {"id": "b", "params": 1}]})
            await env.MY_WORKFLOW.create_batch({"count": 3, "params": {"n": 1}})
            await env.MY_WORKFLOW.create_batch(count=3, params={"n": 1})

        gives `{created, errors}`: handles, and `{index, id, code, message}` for each instance whose id is taken, with
        the platform's codes 10405 (it exists) and 10415 (twice in the batch). Instead of the object, the deprecated
        form takes a list of instances, and gives the list of those that were created; the others are left out.

        Raises WorkflowError and the errors of `create`; a note says which instance it is.
        """
        if options is _MISSING or isinstance(options, Mapping):
            each = options_of_object({**({} if options is _MISSING else options), **keywords})
            return result(each, await self._create_all(each))
        if isinstance(options, (str, bytes)) or not isinstance(options, Iterable):
            raise WorkflowError("Provided argument is invalid", code="body")
        if keywords:
            raise TypeError("create_batch() takes a list of instances, or keywords, not both")
        listed = list(options)
        if not listed:
            raise WorkflowError("batchCreate should have at least 1 instance")
        if len(listed) > MAX_BATCH:
            raise noted(f"batchCreate only supports {MAX_BATCH} instances at a time", crowded(len(listed)), code=None)
        if None in listed:
            raise TypeError("create_batch() takes a list of objects of options, and one of them is None")
        each = [_merged("create_batch", one, {}) for one in listed]
        return [instance for instance in await self._create_all(each) if instance is not None]

    createBatch = create_batch  # noqa: N815 - the platform's name

    async def delete_batch(self, ids: Iterable[str], /) -> JsDict:
        """Delete 1 to 100 instances, whatever they do, in one transaction.

        Gives `{"deleted": [{"id"}], "errors": [{"id", "code", "message"}]}`, with an entry for each id that was given,
        in their order: an id that was given twice is told twice, and one without an instance is an error with code
        10400. Raises WorkflowError, and deletes nothing, for anything but a list of ids.
        """
        if isinstance(ids, (str, bytes, Mapping)) or not isinstance(ids, Iterable):
            raise WorkflowError("Provided argument is invalid", code="body")
        given = list(ids)
        if not given:
            raise WorkflowError("batchDeleteInstances should have at least 1 instance", code="body")
        if len(given) > MAX_BATCH:
            raise noted(f"batchDeleteInstances only supports {MAX_BATCH} instances at a time", crowded(len(given)))
        found = await self._engine.delete_instances(self._workflow, given)
        return JsDict(
            deleted=[JsDict(id=id) for id in given if id in found],
            errors=[JsDict(id=id, **_NOT_FOUND) for id in given if id not in found],
        )

    deleteBatch = delete_batch  # noqa: N815 - the platform's name

    async def _create_all(self, batch: Sequence[Mapping[str, Any]]) -> "list[WorkflowInstance | None]":
        ids = await self._engine.create_batch(self._workflow, batch)
        return [self._handle(id) if id is not None else None for id in ids]

    async def _create(self, options: Mapping[str, Any]) -> "WorkflowInstance":
        return self._handle(await self._engine.create_instance(self._workflow, options))

    def _handle(self, id: str) -> "WorkflowInstance":
        return WorkflowInstance(self._engine, self._workflow, id)


class WorkflowInstance:
    """A handle on one instance: it holds the id only, and asks the engine for everything else."""

    def __init__(self, engine: WorkflowEngine, workflow: str, id: str) -> None:
        self._engine = engine
        self._workflow = workflow
        self._id = id

    @property
    def id(self) -> str:
        return self._id

    @property
    def binding(self) -> WorkflowBinding:
        """The binding of its workflow."""
        return WorkflowBinding(self._engine, self._workflow)

    def __repr__(self) -> str:
        return f"<WorkflowInstance {self._workflow}/{self._id}>"

    async def status(self) -> JsDict:
        """`{"status": …, "output": …, "error": …, "rollback": …}`; the last three are None until there is one.

        `rollback` is `{"outcome": "complete" or "failed", "error": …}` once the steps have been undone, or could not
        be; meanwhile the status is `rollingBack`.
        """
        state = await self._engine.outcome(self._workflow, self._id)
        output = decode(state.output) if state.output is not None else None
        rollback = None
        if state.rollback is not None and state.rollback.outcome is not None:
            rollback = JsDict(outcome=state.rollback.outcome, error=_error(state.rollback.failure))
        return JsDict(status=str(state.visible_status), output=output, error=_error(state.error), rollback=rollback)

    async def send_event(
        self,
        options: Mapping[str, Any] | None = None,
        /,
        *,
        type: Any = _MISSING,
        payload: Any = _MISSING,
    ) -> None:
        """Send an event to the instance: `{"type": …, "payload": …}`, or keywords.

        It is kept until a `wait_for_event` of its type takes it. Raises WorkflowError for a type that is none, a
        payload over 1 MiB, and an instance that has ended.
        """
        given = {key: value for key, value in {"type": type, "payload": payload}.items() if value is not _MISSING}
        if options is not None and not isinstance(options, Mapping):
            raise TypeError(f"send_event() takes an object with type and payload, not {options!r}")
        event = {**(options or {}), **given}
        unknown = event.keys() - {"type", "payload"}
        if unknown:
            raise TypeError(f"send_event() does not know {', '.join(sorted(unknown))}; it takes type and payload")
        if "type" not in event:
            raise TypeError("send_event() needs the type of the event")
        await self._engine.send_event(self._workflow, self._id, event["type"], event.get("payload"))

    sendEvent = send_event  # noqa: N815 - the platform's name

    async def subscribe(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> Subscription:
        """The events of the instance: its history, then what happens, until it ends.

            async with await instance.subscribe() as events:
                async for event in events:
                    print(event.eventId, event.type)

        `{"cursor": eventId}` begins after an event, `{"filter": ["step_completed", …]}` shows some types only. Each
        event is given once, when it is durable: `instanceId`, `eventId`, `timestamp` (ms), `type`, and what belongs to
        the type. Raises Exception for options that are invalid.
        """
        if keywords and (options is None or isinstance(options, Mapping)):
            options = {**(options or {}), **keywords}
        return await self._engine.subscribe(self._workflow, self._id, options)

    async def pause(self) -> None:
        """Pause: between steps, or at once in a sleep, a wait or a retry delay."""
        await self._engine.pause(self._workflow, self._id)

    async def resume(self) -> None:
        """Go on after a pause."""
        await self._engine.resume(self._workflow, self._id)

    async def terminate(self, options: Mapping[str, Any] | None = None, /, *, rollback: bool = False) -> None:
        """End the instance now; with `{"rollback": True}`, or the keyword, undo its steps before.

        It returns as soon as the rollback is certain to come, a crash or not; `status()` tells when it is over. During
        a rollback, a terminate without the option gives the rest of it up. Raises WorkflowError
        (`instance.cannot_terminate`) if the instance has ended, or a rollback is asked for during one.
        """
        if options is not None and not isinstance(options, Mapping):
            raise TypeError(f"terminate() takes an object with rollback, not {options!r}")
        given = {"rollback": rollback, **(options or {})}
        if unknown := given.keys() - {"rollback"}:
            raise TypeError(f"terminate() does not know {', '.join(sorted(map(str, unknown)))}; it takes rollback")
        await self._engine.terminate(self._workflow, self._id, rollback=given["rollback"] is True)

    async def restart(
        self, options: Mapping[str, Any] | None = None, /, *, from_: Mapping[str, Any] | None = None
    ) -> None:
        """Begin anew, with the same params and nothing of what was done; or from a step.

            await instance.restart()
            await instance.restart({"from": {"name": "charge", "count": 1, "type": "do"}})
            await instance.restart(from_={"name": "charge"})

        `count` (default 1) is the how-manieth step of that name, and `type` (default do) is do, sleep or waitForEvent.
        What started before the step keeps its results, also those that came later; the step itself, what started after
        it, and events that wait to be taken are gone. Works in any status. Raises WorkflowError
        (`instance.cannot_restart`) if there was no such step, TypeError and WorkflowError for options that are wrong.
        """
        await self._engine.restart(self._workflow, self._id, starting_step(options, from_))

    async def delete(self) -> None:
        """Delete the instance and all that is stored of it, whatever it does; its id can be used again.

        Its code is stopped where it awaits something, and nothing is rolled back; a plain `def` callback, which runs in
        a thread, goes on, and nobody hears of its result. Called by the instance itself, it does not return. Raises
        WorkflowError (`instance.not_found`) if there is no such instance any more.
        """
        if self._id not in await self._engine.delete_instances(self._workflow, [self._id]):
            raise _not_found(self._id)


def _not_found(id: object) -> WorkflowError:
    error = WorkflowError("Instance does not exist", code="instance.not_found")
    error.add_note(f"Its id would be {id!r}.")
    return error


def _error(record: ErrorRecord | None) -> JsDict | None:
    return JsDict(name=record.name, message=record.message) if record is not None else None


def _merged(method: str, options: object, keywords: Mapping[str, Any]) -> dict[str, Any]:
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"{method}() takes an object of options, not {options!r}")
    merged: dict[str, Any] = {}
    for key, value in {**(options or {}), **keywords}.items():
        if key not in _CREATE_OPTIONS:
            raise TypeError(
                f"{method}() does not know the option {key!r}; it takes id, params, retention, locationHint"
            )
        merged[_CREATE_OPTIONS[key]] = value
    return merged
