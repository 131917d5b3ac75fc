"""Calls the handlers of a Worker as the platform does."""

import functools
import inspect
from collections.abc import Callable
from types import MethodType
from typing import Any

from cfworkflows.http import Response


def call_relaxed(handler: Callable[..., Any], *arguments: Any) -> Any:
    """Call `handler` with as many of `arguments` as it has positional parameters for; the others are dropped."""
    return handler(*arguments[: _positional(getattr(handler, "__func__", handler), isinstance(handler, MethodType))])


@functools.lru_cache(maxsize=256)
def _positional(function: Callable[..., Any], bound: bool) -> int | None:
    count = -1 if bound else 0
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            return None
        if parameter.kind in (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD):
            count += 1
    return max(count, 0)


def place(handler: Callable[..., Any]) -> str:
    """`Default.fetch (/project/src/entry.py:12)`: where the handler is written."""
    code = getattr(inspect.unwrap(handler), "__code__", None)
    name = getattr(handler, "__qualname__", repr(handler))
    return f"{name} ({code.co_filename}:{code.co_firstlineno})" if code is not None else name


def check_response(result: Any, handler: Callable[..., Any]) -> Response:
    """`result` if it can be sent. Raises TypeError that names the handler and what it returned."""
    if isinstance(result, Response):
        if result.type == "error":
            raise TypeError("Return value from serve handler must not be an error response (like Response.error())")
        return result
    raise TypeError(f"{place(handler)} returned {_describe(result)}. {_remedy(result)}")


def _describe(result: Any) -> str:
    if result is None:
        return "None"
    text = repr(result)
    return f"a {type(result).__name__}: {text if len(text) <= 80 else text[:77] + '...'}"


def _remedy(result: Any) -> str:
    if result is None:
        return 'Return a Response on every path, for example `return Response("hello")`.'
    if isinstance(result, (dict, list)):
        return "Return a Response: `return Response.json(...)` sends it as JSON."
    if isinstance(result, (str, bytes)):
        return "Return a Response: `return Response(...)` sends it as the body."
    return 'Return a Response, for example `return Response("hello")`.'
