import collections
import dataclasses
import json
import math
import re
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, Generic
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from value_classes import (
    Box,
    Color,
    Item,
    Key,
    Node,
    Pair,
    Point,
    Rank,
    Right,
    Size,
    Slotted,
    T,
    comes_back,
    fingerprint,
    strict_json,
)

from cfworkflows.errors import NonRetryableError, SerializationError, StepError, WorkflowError
from cfworkflows.values import JsDict, UnresolvedClassWarning, decode, encode
from cfworkflows.values.encoding import text_encoder

# Hypothesis names the strategy where one has to be tried again, and warns that the name of these is a long one.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr:hypothesis.errors.HypothesisWarning")


texts = st.one_of(
    st.text(),
    st.text(st.sampled_from('a$"\\\0\x7f\u2028é😀\ud83d\ude00\udfff')),
    st.sampled_from(["$", "$$", "$type", "items", "__class__", ""]),
)
zones = st.one_of(
    st.none(),
    st.sampled_from(
        [
            UTC,
            timezone(timedelta(microseconds=1)),
            timezone(timedelta(hours=1), "CET"),
            timezone(timedelta(0), "UTC+00:00:30"),
        ]
    ),
    st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone),
    st.sampled_from(["Europe/Berlin", "America/St_Johns", "Asia/Kathmandu", "UTC"]).map(ZoneInfo),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**53 - 3, 2**53 + 3),
    st.sampled_from([(1, 700), (-1, 700), (1, 5000)]).map(lambda pair: pair[0] * 10 ** pair[1] + 1),
    st.floats(),
    texts,
    st.binary(),
    st.complex_numbers(),
    st.decimals(),
    st.uuids(),
    st.dates(),
    st.timedeltas(),
    st.datetimes(timezones=zones),
    st.times(timezones=zones),
    st.builds(lambda moment: moment.replace(fold=1), st.datetimes(timezones=zones)),
    st.sampled_from([*Color, *Size, *Rank, *Right, Right.READ | Right.WRITE, Right(0)]),
    st.sampled_from([Path("a/b"), Path(), PurePosixPath("/a"), PureWindowsPath(r"C:\a"), Path("\udcff")]),
    st.sampled_from(
        [re.compile("a+", re.IGNORECASE), re.compile(b"\xff"), re.compile("(?s)x"), re.compile("\ud83d\ude00")]
    ),
)
hashables = st.recursive(
    scalars.filter(lambda value: not (isinstance(value, Decimal) and value.is_snan())),  # it has no hash
    lambda inner: st.one_of(
        st.tuples(inner, inner), st.frozensets(inner, max_size=3), inner.map(Key), inner.map(Point)
    ),
    max_leaves=4,
)
errors = st.builds(
    lambda cls, message: cls(message), st.sampled_from([ValueError, Exception, NonRetryableError, OSError]), texts
)
values = st.recursive(
    st.one_of(scalars, st.binary().map(bytearray), st.binary().map(memoryview), errors),
    lambda inner: st.one_of(
        st.lists(inner),
        st.lists(inner, max_size=3).map(tuple),
        st.dictionaries(texts, inner),
        st.dictionaries(texts, inner).map(JsDict),
        st.dictionaries(hashables, inner, max_size=4),
        st.sets(hashables, max_size=4),
        st.frozensets(hashables, max_size=4),
        st.tuples(inner, st.lists(inner, max_size=2)).map(lambda parts: Box(*parts)),
        inner.map(Slotted),
        st.tuples(inner, inner).map(lambda parts: Point(*parts)),
        st.tuples(inner, inner).map(lambda parts: Pair(*parts)),
        inner.map(lambda part: Node(value=part)),
        st.tuples(inner, st.lists(inner, max_size=2)).map(lambda parts: Node(value=parts[0], children=parts[1])),
    ),
    max_leaves=12,
)
json_values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(),
    ),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text().filter(lambda key: key != "$"), inner)),
    max_leaves=20,
)


@given(value=values)
def test_every_value_comes_back_as_it_was(value: object) -> None:
    """Type and value survive, at any depth and in any mixture."""
    assert fingerprint(value) == fingerprint(comes_back(value))


@given(value=values)
def test_the_text_is_stable(value: object) -> None:
    """A value that was read is written as it was found."""
    text = encode(value)
    assert text == encode(decode(text))


@given(value=values)
def test_the_text_is_json_that_utf8_can_carry(value: object) -> None:
    """Any JSON reader and any database take the text."""
    text = encode(value)
    strict_json(text.encode().decode())


@given(value=json_values)
def test_plain_values_are_plain_json(value: object) -> None:
    """What JSON can hold is written compactly, without a tag."""
    assert json.dumps(value, ensure_ascii=False, separators=(",", ":")) == encode(value)
    assert fingerprint(value) == fingerprint(comes_back(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": [1, None, "é"]}, '{"a":[1,null,"é"]}'),
        ((1, 2), '{"$":"tuple","v":[1,2]}'),
        ({1: "a"}, '{"$":"dict","v":[[1,"a"]]}'),
        ({"$": 1}, '{"$":"dict","v":[["$",1]]}'),
        ({"$gt": 1}, '{"$gt":1}'),
        ({"b", "a"}, '{"$":"set","v":["a","b"]}'),
        (2**53 - 1, "9007199254740991"),
        (2**53, '{"$":"int","v":"9007199254740992"}'),
        (-(2**53), '{"$":"int","v":"-9007199254740992"}'),
        (math.nan, '{"$":"float","v":"nan"}'),
        (-math.inf, '{"$":"float","v":"-inf"}'),
        (-0.0, "-0.0"),
        (b"ab", '{"$":"bytes","v":"YWI="}'),
        (datetime.fromisoformat("2026-01-02T03:04:05"), '{"$":"datetime","v":"2026-01-02T03:04:05"}'),
        (
            datetime(2026, 7, 1, tzinfo=ZoneInfo("Europe/Berlin")),
            '{"$":"datetime","v":"2026-07-01T00:00:00+02:00","zone":"Europe/Berlin"}',
        ),
        (timedelta(days=1, microseconds=5), '{"$":"timedelta","v":[1,0,5]}'),
        (Decimal("1.10"), '{"$":"decimal","v":"1.10"}'),
        (Size.LARGE, '{"$":"enum","class":"value_classes:Size","name":"LARGE","v":"l"}'),
        (Box(1), '{"$":"object","class":"value_classes:Box","fields":{"content":1,"more":[]}}'),
        (
            Item(sku="a"),
            '{"$":"object","class":"value_classes:Item","fields":{"sku":"a","price":1.0},"unset":["price"]}',
        ),
        (ValueError("bad"), '{"$":"error","name":"ValueError","message":"bad"}'),
        ("\ud83d", r'"\ud83d"'),
        ("\ud83d\ude00", r'{"$":"str","v":["\ud83d","\ude00"]}'),
    ],
)
def test_the_stored_form_does_not_change(value: object, text: str) -> None:
    """Databases hold this text: another form would need a migration."""
    assert text == encode(value)
    assert fingerprint(value) == fingerprint(decode(text))


def test_shared_references_are_written_twice() -> None:
    """A value that appears twice is no cycle, and is not shared when it comes back."""
    shared = [datetime(2026, 1, 1, tzinfo=UTC)]
    first, second = comes_back([shared, shared])
    assert shared == first == second
    assert first is not second


@pytest.mark.parametrize(
    "value",
    [
        collections.OrderedDict(b=1, a=2),
        collections.Counter("ab"),
        collections.defaultdict(list, a=[1]),
        type("Text", (str,), {})("text"),
        type("Number", (int,), {})(5),
        type("Real", (float,), {})(0.5),
        type("Items", (list,), {})([1]),
        type("When", (datetime,), {})(2026, 1, 1),
    ],
)
def test_a_subclass_of_a_builtin_comes_back_as_the_builtin(value: Any) -> None:
    """As with structured clone on the platform, the class is not kept where it adds no data."""
    arrived = comes_back(value)
    assert value == arrived
    assert type(arrived) in type(value).__mro__[1:] or type(arrived) is JsDict


def test_an_event_of_a_generic_dict_class_is_plain_data() -> None:
    """What typing leaves on an instance of `Class[int]()` is not data of the user's."""

    class Event(JsDict, Generic[T]):
        pass

    assert JsDict(a=1) == comes_back(Event[int](a=1))


def test_the_order_of_a_dict_is_kept() -> None:
    """Also the order that an OrderedDict was moved into."""
    moved = collections.OrderedDict(a=1, b=2)
    moved.move_to_end("a")
    assert ["b", "a"] == list(comes_back(moved))
    assert ["b", "a"] == list(comes_back({"b": datetime(2026, 1, 1, tzinfo=UTC), "a": 2}))


def test_a_timezone_of_another_library_keeps_its_offset() -> None:
    """The moment is the same, the name of the zone is not kept."""

    class Summer(tzinfo):
        def utcoffset(self, moment: datetime | None) -> timedelta:
            return timedelta(hours=2)

    moment = datetime(2026, 7, 1, tzinfo=Summer())
    assert moment == comes_back(moment)
    assert timezone(timedelta(hours=2)) == comes_back(moment).tzinfo
    parsed = pydantic.TypeAdapter(datetime).validate_json('"2026-07-01T00:00:00Z"')
    assert UTC is comes_back(parsed).tzinfo


def test_a_timezone_without_offset_is_refused() -> None:
    """A zone that cannot say its offset would make the moment another one."""

    class Lost(tzinfo):
        def utcoffset(self, moment: datetime | None) -> None:
            return None

    with pytest.raises(
        SerializationError, match=r"\$\.at: a time in <.*>, which has no fixed offset, cannot be stored"
    ):
        encode({"at": time(1, tzinfo=Lost())})


def test_a_timezone_that_this_machine_lacks_leaves_the_offset() -> None:
    """The moment is right, and a warning says what is missing."""
    text = '{"$":"datetime","v":"2026-07-01T00:00:00+02:00","zone":"Mars/Olympus"}'
    with pytest.warns(UnresolvedClassWarning, match="timezone Mars/Olympus"):
        assert datetime(2026, 6, 30, 22, tzinfo=UTC) == decode(text)


def test_a_debug_pattern_does_not_print_when_it_is_read(capsys: pytest.CaptureFixture[str]) -> None:
    """`re.DEBUG` asks for a print at compile time, once."""
    text = encode(re.compile("debugged", re.DEBUG))
    capsys.readouterr()
    assert "debugged" == decode(text).pattern
    assert "" == capsys.readouterr().out


class TestErrors:
    def test_an_error_of_the_users_comes_back_as_step_error(self) -> None:
        """Nested errors follow the rule of the step boundary."""

        class MyError(Exception):
            pass

        arrived = comes_back({"errors": [MyError("bad"), WorkflowError("gone", code="instance.not_found")]}).errors
        assert ["StepError('MyError', 'bad')", "(instance.not_found) gone"] == [repr(arrived[0]), str(arrived[1])]
        assert "instance.not_found" == arrived[1].code

    def test_the_traceback_of_a_step_error_is_kept(self) -> None:
        """It is there for people to read, however often the error is stored."""
        arrived = comes_back(comes_back(StepError("MyError", "bad", original_traceback="Traceback: here")))
        assert "Traceback: here" == arrived.original_traceback

    def test_a_dataclass_that_is_an_error_is_an_error(self) -> None:
        """It must not matter how an error class was written."""

        @dataclasses.dataclass
        class Declined(Exception):
            code: int

        assert isinstance(comes_back(Declined(5)), StepError)


def test_pydantic_is_not_imported_for_plain_values() -> None:
    """Starting up stays quick for code that has no models."""
    code = (
        "import sys, datetime, enum, cfworkflows.values as v;"
        "v.decode(v.encode([{'a': 1}, (datetime.datetime.min,), {1}, ValueError('a')]));"
        "print('pydantic' in sys.modules)"
    )
    assert (
        "False"
        == subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()
    )


@pytest.mark.parametrize("ascii_only", [True, False])
def test_json_is_the_same_without_the_encoder_in_c(monkeypatch, ascii_only):
    """PyPy has none."""
    tree = {"a": [1, 2.5, None, True, "\u00e4\u2028"], "b": {}}
    with_it = text_encoder(ensure_ascii=ascii_only, allow_nan=False)(tree)
    monkeypatch.setattr(json.encoder, "c_make_encoder", None)
    assert with_it == text_encoder(ensure_ascii=ascii_only, allow_nan=False)(tree)
    assert json.dumps(tree, ensure_ascii=ascii_only, separators=(",", ":")) == with_it


def test_name_of_a_fixed_timezone_comes_back():
    """Its offset alone would make two timezones that print differently equal."""
    moment = datetime(2026, 7, 1, 12, tzinfo=timezone(timedelta(hours=2), "CEST"))
    found = decode(encode(moment))
    assert (moment, "CEST", timedelta(hours=2)) == (found, found.tzname(), found.utcoffset())
