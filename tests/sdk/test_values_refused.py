import asyncio
import enum
import io
import json
import socket
import sys
import threading
from array import array
from collections import deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from ipaddress import IPv4Address
from types import MappingProxyType, SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import pytest
from value_classes import Box, GenericBox, Item, Node, Outer, Point, Slotted

from cfworkflows.errors import SerializationError
from cfworkflows.http import URL
from cfworkflows.values import MAX_DEPTH, decode, encode


async def _coroutine() -> None: ...


class _Chunks:
    """A stream of bytes."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise NotImplementedError


class _Plain:
    """A class that is no data."""


class _Tagged(dict[str, int]):
    """A dict with an attribute."""


class _Narrow(dict[str, int]):
    """A dict with a slot."""

    __slots__ = ("lock",)


def _tagged() -> _Tagged:
    tagged = _Tagged(a=1)
    tagged.lock = 1  # type: ignore[attr-defined]
    return tagged


class _Broken(list[Any]):
    def __iter__(self) -> Any:
        raise KeyError("broken")


class Response:
    """Stands for the response of any HTTP client."""


class _Scalar:
    """Stands for numpy.int64, numpy.bool_ and their siblings."""

    dtype, shape = "int64", ()

    def item(self) -> int:
        raise NotImplementedError

    def tolist(self) -> int:
        raise NotImplementedError


class _Matrix(_Scalar):
    """Stands for numpy.ndarray."""

    shape = (2, 2)  # type: ignore[assignment]  # as wide as arrays are


class _Frame:
    """Stands for pandas.DataFrame."""

    columns = ("a",)

    def to_dict(self, orient: str) -> list[dict[str, int]]:
        raise NotImplementedError


class _Attrs:
    """Stands for a class of attrs."""

    __attrs_attrs__ = ()


class _Timestamp(datetime):
    """Stands for pandas.Timestamp, which counts nanoseconds."""

    __slots__ = ()
    nanosecond = 0

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other) and self.nanosecond == getattr(other, "nanosecond", 0)

    __hash__ = datetime.__hash__


class _Finer(_Timestamp):
    __slots__ = ()
    nanosecond = 1


class _Timedelta(timedelta):
    """Stands for pandas.Timedelta, which has attributes."""

    __slots__ = ("_value",)

    def to_pytimedelta(self) -> timedelta:
        raise NotImplementedError


class NaTType:
    """Stands for what pandas has for a time that is missing."""


class TestRefused:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (
                threading.Lock(),
                "a _thread.lock cannot be stored. Return plain data, a dataclass or a pydantic model ins",
            ),
            (_Plain(), "a test_values_refused._Plain cannot be stored. Return plain data"),
            (object(), "an object cannot be stored."),
            (
                _Chunks(),
                "a test_values_refused._Chunks cannot be stored. A stream of bytes can only be the whole result",
            ),
            (Fraction(1, 2), "a fractions.Fraction cannot be stored. Return its text instead: str(value)."),
            (IPv4Address("10.0.0.1"), "an ipaddress.IPv4Address cannot be stored. Return its text instead"),
            (SimpleNamespace(a=1), "a types.SimpleNamespace cannot be stored. Return a dict instead: vars(value)."),
            (MappingProxyType({"a": 1}), "a mappingproxy cannot be stored. Return a dict instead: dict(value)."),
            (_tagged(), "a test_values_refused._Tagged cannot be stored. Return a dict instead: dict(value)."),
            (deque([1]), "a collections.deque cannot be stored. Return a list instead: list(value)."),
            (map(str, [1]), "a map cannot be stored. Return a list instead: list(value)."),
            ({"a": 1}.keys(), "a dict_keys cannot be stored. Return a list instead: list(value)."),
            (array("i", [1]), "an array.array cannot be stored. Return a list instead: value.tolist()."),
            (
                _Scalar(),
                "a test_values_refused._Scalar cannot be stored. Return the Python value instead: value.item().",
            ),
            (_Matrix(), "a test_values_refused._Matrix cannot be stored. Return a list instead: value.tolist()."),
            (
                _Frame(),
                'a test_values_refused._Frame cannot be stored. Return its rows instead: value.to_dict("records"',
            ),
            (_Attrs(), "a test_values_refused._Attrs cannot be stored. Return a dict instead: attrs.asdict(value)."),
            (
                _Timedelta(1),
                "a test_values_refused._Timedelta cannot be stored. Return a timedelta instead: value.to_py",
            ),
            (NaTType(), "a test_values_refused.NaTType cannot be stored. Return None instead."),
            (MagicMock(), "an unittest.mock.MagicMock cannot be stored. Give the mock a return_value that is data"),
            (AsyncMock(spec=dict), "an unittest.mock.AsyncMock cannot be stored. Give the mock a return_value"),
            (_Narrow(a=1), "a test_values_refused._Narrow cannot be stored."),
            (Outer, "the class value_classes.Outer cannot be stored."),
            (Item, "the class value_classes.Item cannot be stored."),
            (json, "the module json cannot be stored."),
            (len, "a builtin_function_or_method cannot be stored. Was it meant to be called?"),
            (_coroutine, "a function cannot be stored. Was it meant to be called?"),
            ([].append, "a builtin_function_or_method cannot be stored. Was it meant to be called?"),
            ((n for n in [1]), "a generator cannot be stored. Return a list of what it yields instead."),
            (io.BytesIO(), "an _io.BytesIO cannot be stored. Return what it reads instead."),
            (
                Response(),
                "a test_values_refused.Response cannot be stored. Return what you need of it instead, such as its sta",
            ),
            (URL("http://a/"), "a cfworkflows.http.url.URL cannot be stored. Return its text instead: str(url)."),
            (..., "an ellipsis cannot be stored."),
            (range(3), "a range cannot be stored. Return a list instead: list(value)."),
        ],
    )
    def test_what_is_no_data_is_refused_with_advice(self, value: object, message: str) -> None:
        """The error says what it is, where it is, and what to return instead."""
        with pytest.raises(SerializationError) as refused:
            encode({"items": [1, {"it": value}]})
        assert str(refused.value).startswith(f"$.items[1].it: {message.replace('an _io', 'a _io')}")
        assert "$.items[1].it" == refused.value.path

    def test_a_value_whose_methods_fail_is_refused(self) -> None:
        """Whatever they raise; the error says which it was, and where."""
        with pytest.raises(SerializationError, match=r"^\$\.it: it cannot be read: KeyError: broken\."):
            encode({"it": _Broken([1])})

    def test_what_is_finer_than_a_microsecond_is_refused(self) -> None:
        """A subclass of datetime is stored as a datetime, unless this would silently change it."""
        assert datetime(2026, 1, 2, tzinfo=UTC) == decode(encode(_Timestamp(2026, 1, 2, tzinfo=UTC)))
        with pytest.raises(SerializationError, match=r"_Finer cannot be stored: it is no datetime to the microsecond"):
            encode(_Finer(2026, 1, 2, tzinfo=UTC))

    async def test_what_was_not_awaited_is_refused_with_a_question(self) -> None:
        """The usual slip has its own advice."""
        coroutine = _coroutine()
        with pytest.raises(
            SerializationError, match=r"\$: a coroutine cannot be stored\. Was it meant to be awaited\?"
        ):
            encode(coroutine)
        coroutine.close()
        with pytest.raises(SerializationError, match=r"a _asyncio\.Future .* Was it meant to be awaited\?"):
            encode(asyncio.get_running_loop().create_future())

    def test_an_open_socket_is_refused(self) -> None:
        """A connection is not data."""
        with socket.socket() as connection, pytest.raises(SerializationError, match=r"a socket\.socket cannot be"):
            encode(connection)

    @pytest.mark.parametrize(
        ("wrap", "path"),
        [
            (lambda bad: bad, "$"),
            (lambda bad: {"odd key": bad}, '$["odd key"]'),
            (lambda bad: {'quo"te': bad}, r'$["quo\"te"]'),
            (lambda bad: {5: bad}, "$[5]"),
            (lambda bad: {None: bad}, "$[None]"),
            (lambda bad: {(1, "a"): bad}, "$[(1, 'a')]"),
            (lambda bad: {10**5000: bad}, "$[<int>]"),
            (lambda bad: {"a": 1, bad: 1}, "$.<key>"),
            (lambda bad: {1, bad}, "$.<set item>"),
            (lambda bad: frozenset([(bad,)]), "$.<set item>[0]"),
            (lambda bad: [0, (1, bad)], "$[1][1]"),
            (lambda bad: Box([bad]), "$.content[0]"),
            (lambda bad: Node(value=bad), "$.value"),
            (lambda bad: Point(bad), "$.x"),
            (lambda bad: enum.Enum("E", {"A": bad})["A"], "$.value"),  # type: ignore[misc]
        ],
    )
    def test_the_path_leads_to_the_value(self, wrap: Any, path: str) -> None:
        """Every container has its way of saying where."""
        with pytest.raises(SerializationError) as refused:
            encode(wrap(threading.Lock()))
        assert path == refused.value.path

    def test_a_value_that_contains_itself_is_refused(self) -> None:
        """A cycle is an error that names where it closes, in lists, dicts, models and dataclasses."""
        cycle: list[object] = [1]
        cycle.append({"again": cycle})
        with pytest.raises(SerializationError, match=r"^\$\[1\]\.again: it contains itself\. Return data without cy"):
            encode(cycle)
        box = Box(None)
        box.content = Node(value=(box,))
        with pytest.raises(SerializationError, match=r"^\$\.content\.value\[0\]: it contains itself"):
            encode(box)

    def test_nesting_has_a_limit(self) -> None:
        """The limit can be reached with every kind of container, and not passed."""
        for wrap in (
            lambda v: [v],
            lambda v: {"a": v},
            lambda v: (v,),
            lambda v: {1: v},
            Slotted,
            lambda v: GenericBox(content=v),
        ):
            value: object = 1
            for _ in range(MAX_DEPTH):
                value = wrap(value)
            text = encode(value)
            assert text == encode(decode(text))
            with pytest.raises(SerializationError, match="nested more than 200 levels deep"):
                encode(wrap(value))

    @pytest.mark.parametrize("wrap", [lambda value: [value], lambda value: (value,), lambda value: {"a": value}])
    def test_very_deep_nesting_is_refused(self, wrap: Any) -> None:
        """A hundred thousand levels are an error of ours, not the end of the stack."""
        value: Any = []
        for _ in range(100_000):
            value = wrap(value)
        with pytest.raises(SerializationError, match="nested more than 200 levels deep"):
            encode(value)
        while value:  # Python would free it recursively
            (value,) = value.values() if isinstance(value, dict) else value

    def test_a_stack_that_is_nearly_full_is_said_to_be(self) -> None:
        """Where the caller has used up the stack, the value is not to blame alone."""
        deep: object = 1
        for _ in range(MAX_DEPTH):
            deep = (deep,)

        def call(levels: int) -> str:
            return call(levels - 1) if levels else encode(deep)

        def used(frame: Any) -> int:
            return 1 + used(frame.f_back) if frame.f_back else 1

        left = sys.getrecursionlimit() - used(sys._getframe())
        with pytest.raises(SerializationError, match="nested too deeply for the stack that is left"):
            call(left - 60)


class TestDamaged:
    @pytest.mark.parametrize("text", ["", "{", "[1,]", "undefined", "[1] x", '{"$":"tuple","v":[1]} x'])
    def test_text_that_is_no_json_is_an_error(self, text: str) -> None:
        """A damaged record is named as such."""
        with pytest.raises(SerializationError, match="the stored text is not JSON"):
            decode(text)

    @pytest.mark.parametrize(
        "text",
        [
            '{"$":"quaternion","v":[1,2,3,4]}',
            '{"$":["tuple"],"v":[]}',
            '{"$":null}',
            '{"$":"bytes"}',
            '{"$":"bytes","v":"a"}',
            '{"$":"datetime","v":"yesterday"}',
            '{"$":"decimal","v":"one"}',
            '{"$":"int","v":"one"}',
            '{"$":"pattern","v":"(","flags":0}',
            '{"$":"object"}',
            '{"$":"enum","class":"a:B"}',
        ],
    )
    def test_a_tag_that_is_not_ours_is_an_error(self, text: str) -> None:
        """An unknown tag, or one without its value, may come from a newer version: nothing is guessed."""
        with pytest.raises(SerializationError, match="damaged, or written by a newer version"):
            decode(text)
