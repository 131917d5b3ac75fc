"""The types of a Workflow binding, to annotate an `Env`. What stands behind them is the platform's, or the emulator's.

Every method takes the platform's options object, as a dict in its place, or keywords; every camelCase name works too.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Required, TypedDict, overload

from cfworkflows.durations import Duration

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Params = TypeVar("Params", default=Any, contravariant=True)
    Output = TypeVar("Output", default=Any)
else:
    from typing import TypeVar

    Params = TypeVar("Params", contravariant=True)
    Output = TypeVar("Output")


class InstanceError(TypedDict):
    """How an instance failed."""

    name: str
    message: str


class InstanceRollback(TypedDict):
    """How a rollback ended: `outcome` is complete or failed, `error` what a handler failed with."""

    outcome: str
    error: InstanceError | None


class InstanceStatus(TypedDict, Generic[Output]):
    """`status` is queued, running, waiting, waitingForPause, paused, rollingBack, complete, errored or terminated.

    `output` is None until the instance is complete, `error` unless it errored, `rollback` unless its steps were undone.
    """

    status: str
    output: Output | None
    error: InstanceError | None
    rollback: InstanceRollback | None


class BatchError(TypedDict):
    """An instance of a batch that was not created: `code` is 10405 if its id exists, 10415 if it is twice in the batch.

    `index` is its place in the batch, counted from 0.
    """

    index: int
    id: str
    code: int
    message: str


class BatchResult(TypedDict, Generic[Output]):
    """What became of a batch, in the order of the batch."""

    created: "list[WorkflowInstance[Output]]"
    errors: list[BatchError]


LocationHint = Literal["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"]
"""Where an instance is to run, best effort. It has no effect on your own machine."""


class StepReference(TypedDict, total=False):
    """A step to restart from: the `count`th of that name, counted from 1, which is the default; `type` is do if not
    given.
    """

    name: Required[str]
    count: int
    type: Literal["do", "sleep", "waitForEvent"]


RestartOptions = TypedDict("RestartOptions", {"from": StepReference}, total=False)


class SubscriptionResult(TypedDict):
    """`value` is an event, None once `done` is true."""

    done: bool
    value: Any


class WorkflowInstanceSubscription(Protocol):
    """The events of an instance, oldest first: `next()`, or `async for`. Close it, or use it in a `with` block."""

    async def next(self) -> SubscriptionResult: ...

    def close(self) -> None: ...

    def dispose(self) -> None: ...

    def __aiter__(self) -> "WorkflowInstanceSubscription": ...

    async def __anext__(self) -> Any: ...

    def __enter__(self) -> "WorkflowInstanceSubscription": ...

    def __exit__(self, *error: object) -> None: ...

    async def __aenter__(self) -> "WorkflowInstanceSubscription": ...

    async def __aexit__(self, *error: object) -> None: ...


class DeletedInstance(TypedDict):
    """An instance that `delete_batch` deleted."""

    id: str


class DeletionError(TypedDict):
    """An id that `delete_batch` found no instance of: `code` is 10400."""

    id: str
    code: int
    message: str


class DeletionResult(TypedDict):
    """What `delete_batch` did, an entry for each id that was given."""

    deleted: list[DeletedInstance]
    errors: list[DeletionError]


class WorkflowInstance(Protocol[Output]):
    """A handle on one instance."""

    @property
    def id(self) -> str: ...

    async def status(self) -> InstanceStatus[Output]: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def terminate(self, options: Mapping[str, Any] | None = None, /, *, rollback: bool = False) -> None: ...

    async def restart(
        self, options: RestartOptions | Mapping[str, Any] | None = None, /, *, from_: StepReference | None = None
    ) -> None: ...

    async def subscribe(
        self,
        options: Mapping[str, Any] | None = None,
        /,
        *,
        cursor: int | None = None,
        filter: Sequence[str] | None = None,  # noqa: A002 - the platform's name
    ) -> WorkflowInstanceSubscription: ...

    async def delete(self) -> None: ...

    async def send_event(
        self,
        options: Mapping[str, Any] | None = None,
        /,
        *,
        type: str | None = None,
        payload: Any = None,
    ) -> None: ...

    async def sendEvent(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> None: ...  # noqa: N802


class Workflow(Protocol[Params, Output]):
    """A binding to a Workflow: `env.MY_WORKFLOW`."""

    async def create(
        self,
        options: Mapping[str, Any] | None = None,
        /,
        *,
        id: str | None = None,
        params: Params | Mapping[str, Any] | None = None,
        retention: Mapping[str, Duration] | None = None,
    ) -> WorkflowInstance[Output]: ...

    async def get(self, id: str, /) -> WorkflowInstance[Output]: ...

    @overload
    async def create_batch(self, options: Mapping[str, Any], /) -> BatchResult[Output]: ...

    @overload
    async def create_batch(self, /, *, instances: Iterable[Mapping[str, Any]]) -> BatchResult[Output]: ...

    @overload
    async def create_batch(
        self,
        /,
        *,
        count: int,
        params: Params | Mapping[str, Any] | None = None,
        retention: Mapping[str, Duration] | None = None,
        location_hint: LocationHint | None = None,
    ) -> BatchResult[Output]: ...

    @overload
    async def create_batch(self, batch: Iterable[Mapping[str, Any]], /) -> list[WorkflowInstance[Output]]: ...

    @overload
    async def createBatch(self, options: Mapping[str, Any], /) -> BatchResult[Output]: ...

    @overload
    async def createBatch(self, batch: Iterable[Mapping[str, Any]], /) -> list[WorkflowInstance[Output]]: ...

    async def delete_batch(self, ids: Iterable[str], /) -> DeletionResult: ...

    async def deleteBatch(self, ids: Iterable[str], /) -> DeletionResult: ...  # noqa: N802 - the platform's name
