"""Values that cannot be stored, and what to do about it."""

import inspect
import io
import sys
import types
from collections.abc import AsyncIterable, Iterator, Mapping, Sequence, Set
from typing import NoReturn

_PLAIN = "Return plain data, a dataclass or a pydantic model instead."
_RESPONSES = {"Request", "Response", "ClientResponse", "FetchResponse"}


class UnstorableError(Exception):
    """The text says what the value is and what to do; the caller adds where it is."""


def refuse(value: object) -> NoReturn:
    """Raise UnstorableError for a value that is not data."""
    raise UnstorableError(f"{_describe(value)} cannot be stored. {_advice(value)}")


def refuse_as_finer(value: object, stored_as: str) -> NoReturn:
    """Raise UnstorableError for a value that would silently become another one as the builtin `stored_as`."""
    raise UnstorableError(
        f"{_describe(value)} cannot be stored: it is no {stored_as} to the microsecond. Return its text, str(value), "
        f"or round it first: value.floor('us') in pandas."
    )


def is_mock(value: object) -> bool:
    """Whether `value` is a mock of unittest.mock, which claims to have every method."""
    mock = sys.modules.get("unittest.mock")
    return mock is not None and issubclass(type(value), mock.NonCallableMock)


def _advice(value: object) -> str:
    kind = type(value)
    if is_mock(value):
        return "Give the mock a return_value that is data: it was called, and gave another mock."
    if inspect.isawaitable(value):
        return "Was it meant to be awaited?"
    if isinstance(value, AsyncIterable):
        return "A stream of bytes can only be the whole result of a step: return it by itself, or what it reads."
    if inspect.isgenerator(value):
        return "Return a list of what it yields instead."
    if inspect.isroutine(value):
        return "Was it meant to be called?"
    if isinstance(value, io.IOBase):
        return "Return what it reads instead."
    if kind.__name__ in _RESPONSES:
        return "Return what you need of it instead, such as its status or its parsed JSON, or its body."
    if kind.__name__ in {"URL", "URLSearchParams"}:
        return "Return its text instead: str(url)."
    return _conversion(value, kind) or _PLAIN


def _conversion(value: object, kind: type) -> str | None:
    """How to turn data of other libraries into plain data."""
    if isinstance(value, type | types.ModuleType):
        return None
    if kind.__name__ in {"NaTType", "NAType"}:
        return "Return None instead."
    if hasattr(kind, "to_pytimedelta"):
        return "Return a timedelta instead: value.to_pytimedelta()."
    if hasattr(kind, "to_dict") and hasattr(kind, "columns"):
        return 'Return its rows instead: value.to_dict("records").'
    if hasattr(kind, "dtype") and hasattr(kind, "item") and getattr(value, "shape", None) == ():
        return "Return the Python value instead: value.item()."
    if hasattr(kind, "tolist"):
        return "Return a list instead: value.tolist()."
    if hasattr(kind, "__attrs_attrs__"):
        return "Return a dict instead: attrs.asdict(value)."
    if isinstance(value, types.SimpleNamespace):
        return "Return a dict instead: vars(value)."
    if isinstance(value, Mapping):
        return "Return a dict instead: dict(value)."
    if isinstance(value, Sequence | Set | Iterator) or kind.__name__ == "deque":
        return "Return a list instead: list(value)."
    if kind.__module__ in {"fractions", "ipaddress", "zoneinfo", "datetime"}:
        return "Return its text instead: str(value)."
    return None


def _describe(value: object) -> str:
    if isinstance(value, types.ModuleType):
        return f"the module {value.__name__}"
    if isinstance(value, type):
        return f"the class {value.__module__}.{value.__qualname__}"
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
