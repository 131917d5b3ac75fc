"""What the verbs of a step take, for type checkers: wrong keys, values and callbacks are refused before they run."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Never, Required, TypedDict, TypeVar

from cfworkflows.durations import Duration
from cfworkflows.step.config import WorkflowRetryConfig, WorkflowStepConfig
from cfworkflows.step.context import RollbackContext, StepContext
from cfworkflows.step.decorated import StepFunction

T = TypeVar("T")

# Where mypy expects one type of function, it refuses a lambda with defaults (`lambda item=item: …`); it takes one where
# two types are expected. This is the second, and no function has it.
_Nobodys = Callable[[Never, Never, Never, Never], Never]

# One overload of `step.do` each: mypy finds no T in a union of them.
Callback = Callable[[], T] | _Nobodys
AsyncCallback = Callable[[], Awaitable[T]] | _Nobodys
ContextCallback = Callable[[StepContext], T]
AsyncContextCallback = Callable[[StepContext], Awaitable[T]]
AnyCallback = Callable[[], object] | Callable[[StepContext], object]

RollbackHandler = Callable[[RollbackContext[Any]], object] | Callable[[], object]
"""Undoes a step. Its result is awaited if it is awaitable, and ignored."""


class RollbackConfig(TypedDict, total=False):
    """The configuration of a rollback handler's attempts. What is left out has the platform's default."""

    retries: WorkflowRetryConfig
    timeout: Duration


class RollbackOptions(TypedDict, total=False):
    """The options behind a callback: how to undo the step."""

    rollback: Required[RollbackHandler]
    rollbackConfig: RollbackConfig
    rollback_config: RollbackConfig


class WaitForEventOptions(TypedDict, total=False):
    """The options of `wait_for_event`: the type of the event, and how long to wait for it, 24 hours by default."""

    type: Required[str]
    timeout: Duration


class Undoing(TypedDict, total=False):
    """The keywords of `step.do` behind a configuration."""

    rollback: RollbackHandler | None
    rollback_config: RollbackConfig | None


class Configuring(Undoing, total=False):
    """The keywords of `step.do` without a configuration."""

    retries: WorkflowRetryConfig | None
    timeout: Duration | None
    sensitive: Literal["output"] | None


class Decorating(TypedDict, total=False):
    """The keywords of `@step.do` behind a configuration."""

    depends: Sequence[StepFunction[Any]] | None
    concurrent: bool
    rollback: RollbackHandler | None
    rollback_config: RollbackConfig | None


class ConfiguringDecorating(Decorating, total=False):
    """The keywords of `@step.do` without a configuration."""

    config: WorkflowStepConfig | None
    retries: WorkflowRetryConfig | None
    timeout: Duration | None
    sensitive: Literal["output"] | None
