"""What cannot be stored, and what to do about it."""

import inspect
import io
import types
from collections.abc import AsyncIterable
from typing import NoReturn


class UnstorableError(Exception):
    """The text says what it is and what to do; the caller knows where in the value it is."""


def refuse(value: object) -> NoReturn:
    """Raise UnstorableError for a value that is not data."""
    what, advice = _describe(value), "Return plain data, a dataclass or a pydantic model instead."
    if inspect.isawaitable(value):
        advice = "Was it meant to be awaited?"
    elif isinstance(value, AsyncIterable):
        advice = "A stream of bytes can only be the whole result of a step: return it by itself, or what it reads."
    elif inspect.isgenerator(value):
        advice = "Return a list of what it yields instead."
    elif inspect.isroutine(value):
        advice = "Was it meant to be called?"
    elif isinstance(value, io.IOBase):
        advice = "Return what it reads instead."
    elif type(value).__name__ in {"Request", "Response", "ClientResponse", "FetchResponse"}:
        advice = "Return what you need of it instead, such as its status or its parsed JSON, or its body."
    elif type(value).__name__ in {"URL", "URLSearchParams"}:
        advice = "Return its text instead: str(url)."
    raise UnstorableError(f"{what} cannot be stored. {advice}")


def _describe(value: object) -> str:
    if isinstance(value, types.ModuleType):
        return f"the module {value.__name__}"
    if isinstance(value, type):
        return f"the class {value.__module__}.{value.__qualname__}"
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
