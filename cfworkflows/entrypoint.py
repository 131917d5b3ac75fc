"""The classes that a Worker file defines, and the context they receive."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Generic

from cfworkflows.event import WorkflowEvent
from cfworkflows.step import WorkflowStep

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Env = TypeVar("Env", default=Any)
    Params = TypeVar("Params", default=Any)
else:
    from typing import TypeVar

    Env = TypeVar("Env")
    Params = TypeVar("Params")


class ExecutionContext:
    """What a handler may ask of the platform while it runs; `self.ctx`, or the third argument of `on_fetch`."""

    def __init__(self, wait_until: Callable[[Awaitable[Any]], None], props: Any = None) -> None:
        self._wait_until = wait_until
        self.props = props if props is not None else {}

    def wait_until(self, awaitable: Awaitable[Any]) -> None:
        """Let `awaitable` continue after the response is sent. Its error is only logged."""
        self._wait_until(awaitable)

    def pass_through_on_exception(self) -> None:
        """On Cloudflare, the origin then answers for a handler that raises. Here there is none: the error is shown."""

    waitUntil = wait_until  # noqa: N815 - the platform's name
    passThroughOnException = pass_through_on_exception  # noqa: N815 - the platform's name


class WorkerEntrypoint(Generic[Env]):
    """A Worker's handlers. The class called `Default` answers the requests."""

    def __init__(self, ctx: ExecutionContext, env: Env) -> None:
        self.ctx = ctx
        self.env = env


class WorkflowEntrypoint(Generic[Env, Params]):
    """A Workflow. Subclass it, define `run`, and name the class in the configuration.

    If `Params` is a pydantic model, a dataclass or a TypedDict, the payload is checked when an instance is created
    and arrives in `run` as an instance of it; else it is plain data.
    """

    def __init__(self, ctx: ExecutionContext, env: Env) -> None:
        self.ctx = ctx
        self.env = env

    def __class_getitem__(cls, parameters: Any) -> Any:
        if cls is WorkflowEntrypoint and not isinstance(parameters, tuple):
            parameters = (parameters, Any)  # WorkflowEntrypoint[Env], as in TypeScript
        return super().__class_getitem__(parameters)  # type: ignore[misc]  # typeshed hides Generic's own

    async def run(self, event: WorkflowEvent[Params], step: WorkflowStep) -> Any:
        """The steps of the workflow. What it returns becomes the instance's output."""
        raise NotImplementedError(f"{type(self).__name__} must define `async def run(self, event, step)`.")
