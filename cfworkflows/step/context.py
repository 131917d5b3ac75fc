"""The arguments of callbacks: of a step, of its rollback, and of a delay between attempts."""

from typing import TYPE_CHECKING, Any, Generic

from cfworkflows.values import ClosedJsDict

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    T = TypeVar("T", default=Any)
else:
    from typing import TypeVar

    T = TypeVar("T")


class StepInfo(ClosedJsDict):
    """`name`, and `count`: which occurrence of that name in this run it is, from 1."""

    name: str
    count: int


class StepContext(ClosedJsDict):
    """What a step's callback may take: `step` (name and count), `attempt` (from 1), and the resolved `config`."""

    step: StepInfo
    attempt: int
    config: dict[str, Any]


class RollbackContext(ClosedJsDict, Generic[T]):
    """What a rollback handler takes: `ctx`, the `error` that caused it, and the step's `output`, None if it failed."""

    ctx: StepContext
    error: Exception
    output: T | None

    @property
    def step_name(self) -> str:
        return f"{self.ctx.step.name}-{self.ctx.step.count}"

    stepName = step_name  # noqa: N815 - the platform's name


class DelayRequest(ClosedJsDict):
    """What a delay function is called with: `ctx` and the `error` of the attempt that failed."""

    ctx: StepContext
    error: Exception
