"""The types of a Workflow binding, to annotate an `Env`. What stands behind them is the platform's, or the emulator's.

Every method takes the platform's options object, as a dict in its place, or keywords; every camelCase name works too.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypedDict

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


class WorkflowInstance(Protocol[Output]):
    """A handle on one instance."""

    @property
    def id(self) -> str: ...

    async def status(self) -> InstanceStatus[Output]: ...

    async def pause(self) -> None: ...

    async def resume(self) -> None: ...

    async def terminate(self, options: Mapping[str, Any] | None = None, /, *, rollback: bool = False) -> None: ...

    async def restart(self, options: Mapping[str, Any] | None = None, /) -> None: ...

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

    async def create_batch(self, batch: Iterable[Mapping[str, Any]], /) -> list[WorkflowInstance[Output]]: ...

    async def createBatch(  # noqa: N802 - the platform's name
        self, batch: Iterable[Mapping[str, Any]], /
    ) -> list[WorkflowInstance[Output]]: ...
