"""A call of a step, in the one form that the engine knows, and the protocol of what carries it out."""

import asyncio
import functools
import inspect
import re
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from types import FunctionType
from typing import Any, Protocol

from cfworkflows.errors import ErrorRecord, WorkflowFatalError
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step.config import ResolvedConfig
from cfworkflows.values import JsDict

MAX_NAME_LENGTH = 256
_CONTROL = re.compile(r"[\x00-\x1f]")


class StepInfo(JsDict):
    """`name`, and `count`: the how-manieth step of that name in this run, from 1."""

    name: str
    count: int


class StepContext(JsDict):
    """What a step's callback may take: `step` (name and count), `attempt` (from 1), and the resolved `config`."""

    step: StepInfo
    attempt: int
    config: dict[str, Any]


class RollbackContext(JsDict):
    """What a rollback handler takes: `ctx`, the `error` that set it off, and the step's `output`, None if it failed."""

    ctx: StepContext
    error: Exception
    output: Any

    @property
    def step_name(self) -> str:
        return f"{self.ctx.step.name}-{self.ctx.step.count}"


@dataclass(frozen=True, slots=True)
class Rollback:
    """How to undo a step: the handler, and the configuration of its own attempts."""

    handler: Callable[..., Any]
    config: ResolvedConfig


@dataclass(frozen=True, slots=True)
class StepCall:
    """One call of `step.do`, checked and in one form.

    `returns` is the type that the result is rebuilt as, where one is known. `location` is the `file:line` of the call.
    """

    name: str
    callback: Callable[..., Any]
    config: ResolvedConfig
    rollback: Rollback | None
    returns: Any
    location: str

    def invoke(self, context: StepContext) -> Any:
        """Call the callback, with the context where it takes one: its result, or an awaitable of it."""
        return self.callback(context) if takes_context(self.name, self.callback) else self.callback()

    @property
    def runs_in_thread(self) -> bool:
        """Whether the callback is a plain `def`, which may block: it is called in a worker thread."""
        function: Any = self.callback
        while isinstance(function, functools.partial):
            function = function.func
        if getattr(function, "__name__", None) == "<lambda>":
            return False
        return not inspect.iscoroutinefunction(function) and not inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - the method itself is looked at
        )


class StepDriver(Protocol):
    """Carries out the verbs of one run. Each starts at the call, and returns a future of its result."""

    def do(self, call: StepCall) -> asyncio.Future[Any]: ...

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]: ...

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]: ...

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]: ...


def takes_context(name: str, callback: Callable[..., Any]) -> bool:
    """Whether `callback` is to be called with the step context: if it has a parameter that must be given, or `ctx`.

    A parameter with a default (`lambda item=item: …`) is the usual way to bind a loop variable, so it is left alone.
    Raises WorkflowFatalError if the callback asks for more than one argument.
    """
    required, first = _positional(callback)
    if required > 1:
        raise WorkflowFatalError(
            f'Step "{name}": its callback asks for {required} arguments, and at most one is given, the step context. '
            "Bind the others, for example with a lambda."
        )
    return required == 1 or first == "ctx"


def _positional(callback: Callable[..., Any]) -> tuple[int, str | None]:
    """How many positional parameters must be given, and the name of the first."""
    if isinstance(callback, FunctionType) and not hasattr(
        callback, "__wrapped__"
    ):  # a tenth of the time of signature()
        code = callback.__code__
        return code.co_argcount - len(callback.__defaults__ or ()), (code.co_varnames[0] if code.co_argcount else None)
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):
        return 0, None  # a builtin that does not tell its signature
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return sum(p.default is p.empty for p in positional), positional[0].name if positional else None


def check_name(name: object) -> str:
    """The name of a step. Raises WorkflowFatalError if it is too long or holds control characters."""
    if not isinstance(name, str):
        raise WorkflowFatalError(f"A step's name must be a string, not {name!r}.")
    if len(name) > MAX_NAME_LENGTH or _CONTROL.search(name):
        raise WorkflowFatalError(
            f'Step name "{name}" exceeds max length ({MAX_NAME_LENGTH} chars) or invalid characters found'
        )
    return name


def caller_location() -> str:
    """`file:line` of the nearest frame outside this package: where the user called the step."""
    frame = sys._getframe(1)  # inspect.stack() reads source files; this runs once for each step
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if not module.startswith("cfworkflows.step"):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return "<unknown>"


class DelayRequest(JsDict):
    """What a delay function is called with: `ctx` and the `error` of the attempt that failed."""

    ctx: StepContext
    error: Exception


async def resolve_awaitable(value: Any) -> Any:
    """The value itself, or what it gives when awaited, however often it gives another awaitable."""
    while isinstance(value, Awaitable):
        value = await value
    return value


__all__ = [
    "DelayRequest",
    "ErrorRecord",
    "Rollback",
    "RollbackContext",
    "StepCall",
    "StepContext",
    "StepDriver",
    "StepInfo",
    "caller_location",
    "check_name",
    "resolve_awaitable",
    "takes_context",
]
