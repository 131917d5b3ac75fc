"""A call of a step, in the one form that the engine has, and the protocol of the driver that carries it out."""

import asyncio
import functools
import inspect
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from types import CoroutineType, FunctionType
from typing import Any, Literal, NamedTuple, Protocol, TypeVar

from cfworkflows.errors import WorkflowFatalError, exact
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step.config import ResolvedConfig
from cfworkflows.step.context import StepContext
from cfworkflows.values import JsDict

T = TypeVar("T")

ContextStyle = Literal["positional", "keyword"] | None

NO_AWAITABLES = frozenset({type(None), bool, int, float, str, bytes, list, tuple, dict, JsDict})
"""Classes of values that need not be asked whether they can be awaited, or iterated: the ABCs are slow to say."""

MAX_NAME_LENGTH = 256
"""In UTF-16 units, as JavaScript counts: a character beyond U+FFFF, such as an emoji, has two."""

_IS_ASYNC = inspect.CO_COROUTINE | inspect.CO_ASYNC_GENERATOR
_COUNTED = " as JavaScript counts them, an emoji as two"
_CONTROL = re.compile(r"[\x00-\x1f]")
_HALF_CHARACTER = re.compile(r"[\ud800-\udfff]")


class Rollback(NamedTuple):
    """How to undo a step: the handler, the configuration of its own attempts, and how it takes the RollbackContext."""

    handler: Callable[..., Any]
    config: ResolvedConfig
    context: ContextStyle


@dataclass(slots=True)
class StepCall:
    """One call of `step.do`, checked and in one form.

    `context` says how the callback takes the step context. `returns` is the type that the result is rebuilt as,
    if known.
    """

    name: str
    callback: Callable[..., Any]
    context: ContextStyle
    config: ResolvedConfig
    rollback: Rollback | None
    returns: Any

    def invoke(self, context: StepContext | None) -> Any:
        """Call the callback, with the context where it takes one: its result, or an awaitable of it."""
        if self.context is None:
            return self.callback()
        return self.callback(ctx=context) if self.context == "keyword" else self.callback(context)

    @property
    def runs_in_thread(self) -> bool:
        """Whether the callback is a plain `def`, which may block: it is called in a worker thread."""
        function: Any = self.callback
        if type(function) is FunctionType and function.__code__.co_flags & _IS_ASYNC:  # `inspect` is slow
            return False
        while isinstance(function, functools.partial):
            function = function.func
        if getattr(function, "__name__", None) == "<lambda>":
            return False
        called = getattr(function, "__call__", None)  # noqa: B004 - the method itself is inspected
        return not any(
            inspect.iscoroutinefunction(each) or inspect.isasyncgenfunction(each) for each in (function, called)
        )


class StepDriver(Protocol):
    """Carries out the verbs of one run. Each starts at the call, and returns a future of its result."""

    def do(self, call: StepCall) -> asyncio.Future[Any]: ...

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]: ...

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]: ...

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]: ...

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        """A task of `work`: the verbs that it calls count as called by the line that is calling now."""


def context_style(
    name: str, callback: Callable[..., Any], role: str = "callback", given: str = "step context"
) -> ContextStyle:
    """How `callback` takes its context: as its required parameter, or as one called `ctx`; None if not at all.

    A parameter with a default (`lambda item=item: …`) is the usual way to bind a loop variable, so it is left alone.
    Raises WorkflowFatalError if the callback asks for more than one argument.
    """
    if isinstance(callback, FunctionType) and not hasattr(callback, "__wrapped__"):  # signature() is slow
        code, bound = callback.__code__, len(callback.__defaults__ or ())
        if bound == code.co_argcount and not code.co_kwonlyargcount and "ctx" not in code.co_varnames[:bound]:
            return None
    try:
        parameters = inspect.signature(callback).parameters.values()
    except (TypeError, ValueError):
        return None  # a builtin without a signature
    named = [p for p in parameters if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    context = next((p for p in named if p.name == "ctx"), None)
    required = [p for p in named if p.default is p.empty and p is not context]
    if context is None and required and required[0].kind is not inspect.Parameter.KEYWORD_ONLY:
        context = required.pop(0)
        style: ContextStyle = "positional"
    elif context is not None:
        style = "positional" if context.kind is inspect.Parameter.POSITIONAL_ONLY else "keyword"
    else:
        style = None
    if required:
        asked = len(required) + (style is not None)
        raise WorkflowFatalError(
            f'Step "{name}": its {role} asks for {asked} argument{"s" if asked > 1 else ""} '
            f"({', '.join(p.name for p in named if p in required or p is context)}), and at most one is given, "
            f"the {given}. Bind the others, for example with a lambda."
        )
    return style


def check_name(name: object) -> str:
    """The name of a step. Raises WorkflowFatalError if it is too long or holds control characters."""
    if not isinstance(name, str):
        raise WorkflowFatalError(f"A step's name must be a string, not {name!r}.")
    name = exact(name)
    length = len(name) if name.isascii() else len(name.encode("utf-16-le", "surrogatepass")) // 2
    if length > MAX_NAME_LENGTH or _CONTROL.search(name) or (not name.isascii() and _HALF_CHARACTER.search(name)):
        error = WorkflowFatalError(
            f'Step name "{name}" exceeds max length ({MAX_NAME_LENGTH} chars) or invalid characters found'
        )
        error.add_note(
            f"It has {length} characters{_COUNTED if length > len(name) else ''}. Give the step a shorter name."
            if length > MAX_NAME_LENGTH
            else "It holds a control character, such as a line break."
            if _CONTROL.search(name)
            else "It holds half of a surrogate pair, which is no character."
        )
        raise error
    return name


async def resolve_awaitable(value: Any) -> Any:
    """The value itself, or what it returns when awaited, however often that is another awaitable."""
    while (kind := type(value)) is CoroutineType or (kind not in NO_AWAITABLES and isinstance(value, Awaitable)):
        value = await value
    return value
