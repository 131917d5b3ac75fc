"""A Workflow binding."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, overload

from cfworkflows import types
from cfworkflows.errors import WorkflowError, instance_not_found
from cfworkflows_bindings.workflow.batch import CREATE, MAX_BATCH, crowded, noted, options_of_object, result
from cfworkflows_bindings.workflow.codes import MESSAGES, NOT_FOUND
from cfworkflows_bindings.workflow.engine import WorkflowEngine
from cfworkflows_bindings.workflow.instance import WorkflowInstance

_MISSING: Any = object()


class WorkflowBinding:
    """`env.MY_WORKFLOW`: creates and finds instances."""

    def __init__(self, engine: WorkflowEngine, workflow: str) -> None:
        self._engine = engine
        self._workflow = workflow

    def __repr__(self) -> str:
        return f"<Workflow {self._workflow}>"

    async def create(
        self, options: Mapping[str, Any] | None = None, /, *more: object, **keywords: Any
    ) -> WorkflowInstance:
        """Create an instance and start it.

            await env.MY_WORKFLOW.create({"id": "order-1", "params": {"n": 1}})
            await env.MY_WORKFLOW.create(id="order-1", params={"n": 1})

        Without an id, or with None, a UUID is generated, as for null on the platform. Raises WorkflowError for
        an id that is taken or invalid, and for params over 1 MiB; SerializationError for params that cannot be
        stored; TypeError for an unknown option.
        """
        given = CREATE.read("create()", options, keywords, *more)
        return self._handle(await self._engine.create_instance(self._workflow, given))

    async def get(self, id: str, /) -> WorkflowInstance:
        """A handle on an instance. Raises WorkflowError (`instance.not_found`) if none has that id."""
        if not isinstance(id, str) or not await self._engine.exists(self._workflow, id):
            raise instance_not_found(id)
        return self._handle(id)

    @overload
    async def create_batch(self, options: Mapping[str, Any], /) -> types.BatchResult[Any]: ...

    @overload
    async def create_batch(self, /, **keywords: Any) -> types.BatchResult[Any]: ...

    @overload
    async def create_batch(self, batch: Iterable[Mapping[str, Any]], /) -> list[types.WorkflowInstance[Any]]: ...

    async def create_batch(
        self, options: Any = _MISSING, /, **keywords: Any
    ) -> types.BatchResult[Any] | list[types.WorkflowInstance[Any]]:
        """Create 1 to 100 instances, in one commit. Everything is checked before anything is created.

            await env.MY_WORKFLOW.create_batch({"instances": [{"id": "a"}, {"id": "b", "params": 1}]})
            await env.MY_WORKFLOW.create_batch({"count": 3, "params": {"n": 1}})
            await env.MY_WORKFLOW.create_batch(count=3, params={"n": 1})

        Returns `{created, errors}`: handles, and `{index, id, code, message}` for each instance whose id is taken, with
        the platform's codes 10405 (it exists) and 10415 (twice in the batch). Instead of the object, the deprecated
        form takes a list of instances, and returns the handles of those that were created.

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
        each = [CREATE.read("create_batch()", one) for one in listed]
        return [instance for instance in await self._create_all(each) if instance is not None]

    createBatch = create_batch  # noqa: N815 - the platform's name

    async def delete_batch(self, ids: Iterable[str], /) -> types.DeletionResult:
        """Delete 1 to 100 instances, whatever their status, in one transaction.

        Returns `{"deleted": [{"id"}], "errors": [{"id", "code", "message"}]}`, with an entry for each id passed, in
        order: an id that was passed twice has two, and one without an instance is an error with code 10400.
        Raises WorkflowError, and deletes nothing, for anything but a list of ids.
        """
        if isinstance(ids, (str, bytes, Mapping)) or not isinstance(ids, Iterable):
            raise WorkflowError("Provided argument is invalid", code="body")
        given = list(ids)
        if not given:
            raise WorkflowError("batchDeleteInstances should have at least 1 instance", code="body")
        if len(given) > MAX_BATCH:
            raise noted(f"batchDeleteInstances only supports {MAX_BATCH} instances at a time", crowded(len(given)))
        found = await self._engine.delete_instances(self._workflow, given)
        missing = {"code": NOT_FOUND, "message": MESSAGES[NOT_FOUND]}
        return types.DeletionResult(
            deleted=[types.DeletedInstance(id=id) for id in given if id in found],
            errors=[types.DeletionError(id=id, **missing) for id in given if id not in found],
        )

    deleteBatch = delete_batch  # noqa: N815 - the platform's name

    async def _create_all(self, batch: Sequence[Mapping[str, Any]]) -> list[WorkflowInstance | None]:
        ids = await self._engine.create_batch(self._workflow, batch)
        return [self._handle(id) if id is not None else None for id in ids]

    def _handle(self, id: str) -> WorkflowInstance:
        return WorkflowInstance(self._engine, self._workflow, id, self)
