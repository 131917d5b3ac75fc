"""A binding to a Workflow, its handles on instances, and their options and results."""

from collections.abc import Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Required, TypedDict, get_args, overload

from cfworkflows.durations import Duration
from cfworkflows.values import ClosedJsDict

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Params = TypeVar("Params", default=Any)
    Output = TypeVar("Output", default=Any)
else:
    from typing import TypeVar

    Params = TypeVar("Params")
    Output = TypeVar("Output")


StatusName = Literal[
    "queued", "running", "paused", "errored", "terminated", "complete", "waitingForPause", "waiting", "rollingBack"
]
"""The statuses of an instance."""

STATUSES: tuple[StatusName, ...] = get_args(StatusName)


class InstanceError(ClosedJsDict):
    """How an instance failed."""

    name: str
    message: str


class InstanceRollback(ClosedJsDict):
    """How a rollback ended: `outcome` is complete or failed, `error` what a handler failed with."""

    outcome: Literal["complete", "failed"]
    error: InstanceError | None


class InstanceStatus(ClosedJsDict, Generic[Output]):
    """The status of an instance: `status.output`, which type checkers know, or `status["output"]`.

    `output` is None until the instance is complete, `error` unless it errored, `rollback` unless its steps were undone.
    """

    status: StatusName
    output: Output | None
    error: InstanceError | None
    rollback: InstanceRollback | None


class BatchError(ClosedJsDict):
    """An instance of a batch that was not created: `code` is 10405 if its id exists, 10415 if it is twice in the batch.

    `index` is its place in the batch, counted from 0.
    """

    index: int
    id: str
    code: int
    message: str


class BatchResult(ClosedJsDict, Generic[Output]):
    """The result of a batch, in the order of the batch."""

    created: "list[WorkflowInstance[Output]]"
    errors: list[BatchError]


LocationHint = Literal["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"]
"""Where an instance is to run, best effort. It has no effect on your own machine."""

LOCATION_HINTS: tuple[LocationHint, ...] = get_args(LocationHint)


MAX_RETENTION_MS = 30 * 86_400_000
"""How long the platform keeps an ended instance at most (Limits)."""


class RetentionOptions(TypedDict, total=False):
    """How long an instance is kept once it has ended: complete or terminated, and errored."""

    successRetention: Duration
    errorRetention: Duration
    success_retention: Duration
    error_retention: Duration


class _SharedOptions(TypedDict, Generic[Params], total=False):
    params: Params
    retention: RetentionOptions
    locationHint: LocationHint
    location_hint: LocationHint


class WorkflowInstanceCreateOptions(_SharedOptions[Params], Generic[Params], total=False):
    """The options of `create`. A JSON body, which is of any type, may be the `params` of every Workflow."""

    id: str


class WorkflowBatchCountOptions(_SharedOptions[Params], Generic[Params], total=False):
    """The options of `create_batch` for `count` instances, 1 to 100, that differ in nothing but their ids."""

    count: Required[int]


class WorkflowBatchInstancesOptions(TypedDict, Generic[Params]):
    """The options of `create_batch` for 1 to 100 `instances`, each with options of its own."""

    instances: Iterable[WorkflowInstanceCreateOptions[Params]]


class SendEventOptions(TypedDict, total=False):
    """The options of `send_event`."""

    type: Required[str]
    payload: Any


class TerminateOptions(TypedDict, total=False):
    """The options of `terminate`: whether to undo the steps first."""

    rollback: bool


EventType = Literal[
    "workflow_queued", "workflow_started", "workflow_running", "workflow_waiting", "workflow_waiting_for_pause",
    "workflow_paused", "workflow_completed", "workflow_errored", "workflow_terminated",
    "step_started", "step_completed", "step_errored", "attempt_started", "attempt_completed", "attempt_errored",
    "sleep_started", "sleep_completed", "wait_started", "wait_completed", "wait_timed_out",
    "rollback_started", "rollback_completed", "rollback_errored",
    "rollback_step_started", "rollback_step_completed", "rollback_step_errored",
    "rollback_attempt_started", "rollback_attempt_completed", "rollback_attempt_errored",
]  # fmt: skip
"""The types of the events of `subscribe`."""


class SubscribeOptions(TypedDict, total=False):
    """The options of `subscribe`: the eventId to begin after, and the types of the events to deliver."""

    cursor: int
    filter: Sequence[EventType]


class StepReference(TypedDict, total=False):
    """A step to restart from: the `count`th of that name, counted from 1, which is the default; `type` is do by
    default.
    """

    name: Required[str]
    count: int
    type: Literal["do", "sleep", "waitForEvent"]


RestartOptions = TypedDict("RestartOptions", {"from": StepReference}, total=False)


class SubscriptionResult(ClosedJsDict):
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

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...

    async def __aenter__(self) -> "WorkflowInstanceSubscription": ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...


class DeletedInstance(ClosedJsDict):
    """An instance that `delete_batch` deleted."""

    id: str


class DeletionError(ClosedJsDict):
    """An id without an instance: `code` is 10400."""

    id: str
    code: int
    message: str


class DeletionResult(ClosedJsDict):
    """The result of `delete_batch`, with an entry for each id that was passed."""

    deleted: list[DeletedInstance]
    errors: list[DeletionError]


class WorkflowInstance(Protocol[Output]):
    """A handle on one instance."""

    @property
    def id(self) -> str: ...

    async def status(self) -> InstanceStatus[Output]: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def terminate(self, options: TerminateOptions | None = None, /, *, rollback: bool = False) -> None: ...

    async def restart(
        self, options: RestartOptions | None = None, /, *, from_: StepReference | None = None
    ) -> None: ...

    async def subscribe(
        self,
        options: SubscribeOptions | None = None,
        /,
        *,
        cursor: int = ...,
        filter: Sequence[EventType] = ...,  # noqa: A002 - the platform's name
    ) -> WorkflowInstanceSubscription: ...

    async def delete(self) -> None: ...

    @overload
    async def send_event(self, options: SendEventOptions, /) -> None: ...

    @overload
    async def send_event(self, /, *, type: str, payload: Any = ...) -> None: ...

    @overload
    async def sendEvent(self, options: SendEventOptions, /) -> None: ...

    @overload
    async def sendEvent(self, /, *, type: str, payload: Any = ...) -> None: ...


class Workflow(Protocol[Params, Output]):
    """A binding to a Workflow: `env.MY_WORKFLOW`. `Params` is what its instances are created with, `Output` what `run`
    returns; with `Workflow[Params]` the output is Any.
    """

    if not TYPE_CHECKING:

        def __class_getitem__(cls, parameters: Any) -> Any:
            """A type parameter has no default at run time before Python 3.13."""
            if cls is Workflow and not isinstance(parameters, tuple):
                parameters = (parameters, Any)
            return super().__class_getitem__(parameters)

    async def create(
        self,
        options: WorkflowInstanceCreateOptions[Params] | None = None,
        /,
        *,
        id: str = ...,
        params: Params = ...,
        retention: RetentionOptions | None = None,
        location_hint: LocationHint | None = None,
        locationHint: LocationHint | None = None,  # noqa: N803 - the platform's name
    ) -> WorkflowInstance[Output]: ...

    async def get(self, id: str, /) -> WorkflowInstance[Output]: ...

    @overload
    async def create_batch(
        self, options: WorkflowBatchCountOptions[Params] | WorkflowBatchInstancesOptions[Params], /
    ) -> BatchResult[Output]: ...

    @overload
    async def create_batch(
        self, /, *, instances: Iterable[WorkflowInstanceCreateOptions[Params]]
    ) -> BatchResult[Output]: ...

    @overload
    async def create_batch(
        self,
        /,
        *,
        count: int,
        params: Params = ...,
        retention: RetentionOptions | None = None,
        location_hint: LocationHint | None = None,
        locationHint: LocationHint | None = None,  # noqa: N803 - the platform's name
    ) -> BatchResult[Output]: ...

    @overload
    async def create_batch(
        self, batch: Iterable[WorkflowInstanceCreateOptions[Params]], /
    ) -> list[WorkflowInstance[Output]]: ...

    @overload
    async def createBatch(
        self, options: WorkflowBatchCountOptions[Params] | WorkflowBatchInstancesOptions[Params], /
    ) -> BatchResult[Output]: ...

    @overload
    async def createBatch(
        self, /, *, instances: Iterable[WorkflowInstanceCreateOptions[Params]]
    ) -> BatchResult[Output]: ...

    @overload
    async def createBatch(
        self,
        /,
        *,
        count: int,
        params: Params = ...,
        retention: RetentionOptions | None = None,
        location_hint: LocationHint | None = None,
        locationHint: LocationHint | None = None,  # noqa: N803 - the platform's name
    ) -> BatchResult[Output]: ...

    @overload
    async def createBatch(
        self, batch: Iterable[WorkflowInstanceCreateOptions[Params]], /
    ) -> list[WorkflowInstance[Output]]: ...

    async def delete_batch(self, ids: Iterable[str], /) -> DeletionResult: ...

    async def deleteBatch(self, ids: Iterable[str], /) -> DeletionResult: ...  # noqa: N802 - the platform's name
