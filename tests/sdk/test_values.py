import asyncio
import collections
import copy
import dataclasses
import enum
import io
import json
import math
import pickle
import re
import socket
import subprocess
import sys
import threading
import warnings
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from pathlib import Path, PosixPath, PurePosixPath, PureWindowsPath
from types import SimpleNamespace
from typing import Annotated, Any, Generic, NamedTuple, TypedDict, TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, HttpUrl, IPvAnyAddress, PrivateAttr, RootModel, SecretStr

from cfworkflows.errors import NonRetryableError, SerializationError, StepError, WorkflowError
from cfworkflows.values import MAX_DEPTH, JsDict, UnresolvedClassWarning, decode, encode, resolve_class

# Hypothesis names the strategy where one has to be tried again, and warns that the name of these is a long one.
pytestmark = pytest.mark.filterwarnings("ignore:Generating overly large repr:hypothesis.errors.HypothesisWarning")

T = TypeVar("T")


class Color(enum.Enum):
    """An enum whose values are no JSON."""

    RED = (255, 0, 0)
    BLUE = (0, 0, 255)


class Size(enum.StrEnum):
    """An enum that is also text."""

    SMALL = "s"
    LARGE = "l"


class Rank(enum.IntEnum):
    """An enum that is also a number."""

    LOW = 1
    HIGH = 2


class Right(enum.Flag):
    """Members that can be combined."""

    READ = 1
    WRITE = 2


class Point(NamedTuple):
    """A named tuple with a default."""

    x: Any
    y: Any = 0


Pair = collections.namedtuple("Pair", ["left", "right"])


@dataclasses.dataclass(frozen=True)
class Key:
    """A dataclass that can be a key of a dict."""

    part: Any
    index: int = 0


@dataclasses.dataclass
class Box:
    """A dataclass of anything."""

    content: Any
    more: list[Any] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True)
class Slotted:
    """A dataclass without a `__dict__`."""

    content: Any


class Node(BaseModel):
    """A model of anything."""

    value: Any
    children: list[Any] = []


class Item(BaseModel):
    """A model with a constraint."""

    sku: str
    price: float = Field(default=1.0, ge=0)


class Customer(BaseModel):
    """A model with aliases, that can be built only by them."""

    full_name: str = Field(alias="fullName")
    mail: str | None = Field(default=None, validation_alias=pydantic.AliasPath("contact", "mail"))


class GenericBox(BaseModel, Generic[T]):
    """A generic model."""

    content: T


IntBox = GenericBox[int]


class Numbers(RootModel[list[int]]):
    """A model that is a list."""


class Outer:
    """A class with classes in it."""

    @dataclasses.dataclass
    class Inner:
        """A dataclass in a class."""

        n: int


def fingerprint(value: Any) -> object:
    """What tells two values apart, types, NaN and the sign of zero included, in a form that `==` compares."""
    kind = bytes if type(value) is memoryview else JsDict if type(value) is dict else type(value)
    match value:
        case enum.Enum() | BaseException():
            return kind, repr(value)
        case memoryview():
            return kind, repr(bytes(value))
        case datetime() | time():
            zone = value.tzinfo
            return (
                kind,
                value.isoformat(),
                value.fold,
                type(zone),
                zone and (zone.tzname(None), getattr(zone, "key", 0)),
            )
        case re.Pattern():
            return kind, value.pattern, value.flags
        case tuple() | list():
            return kind, [fingerprint(item) for item in value]
        case set() | frozenset():
            return kind, sorted(repr(fingerprint(item)) for item in value)
        case dict():
            return kind, [(fingerprint(key), fingerprint(item)) for key, item in value.items()]
        case BaseModel():
            return kind, fingerprint(dict(value)), value.model_fields_set
    if dataclasses.is_dataclass(value):
        return kind, [fingerprint(getattr(value, field.name)) for field in dataclasses.fields(value)]
    return kind, hex(value) if kind is int else repr(value)


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


def comes_back(value: object) -> Any:
    """`value` as it is read from storage."""
    return decode(encode(value))


def strict_json(text: str) -> Any:
    """What any reader of JSON sees; NaN and the like are not JSON."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=refuse)


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
        (Size.LARGE, '{"$":"enum","class":"test_values:Size","name":"LARGE","v":"l"}'),
        (Box(1), '{"$":"object","class":"test_values:Box","fields":{"content":1,"more":[]}}'),
        (Item(sku="a"), '{"$":"object","class":"test_values:Item","fields":{"sku":"a","price":1.0},"unset":["price"]}'),
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


class TestClasses:
    def test_classes_come_back_inside_each_other(self) -> None:
        """Models in dataclasses in named tuples in sets in models keep their classes."""
        value = Node(value=Box(Point(Key(Size.SMALL), {Key((1, Color.RED))})), children=[Item(sku="a")])
        assert fingerprint(value) == fingerprint(comes_back(value))

    def test_a_class_in_a_class_is_found(self) -> None:
        """The recorded name is the qualified one."""
        assert Outer.Inner(5) == comes_back(Outer.Inner(5))

    def test_a_model_is_rebuilt_by_the_names_of_its_fields(self) -> None:
        """Aliases are for the outside."""
        customer = Customer.model_validate({"fullName": "Ada", "contact": {"mail": "a@b.c"}})
        assert customer == comes_back(customer)

    def test_a_model_remembers_which_fields_were_set(self) -> None:
        """`exclude_unset` gives the same before and after, and a default that was made once stays."""
        arrived = comes_back(Item(sku="a"))
        assert {"sku": "a"} == arrived.model_dump(exclude_unset=True)

    def test_extra_fields_of_a_model_are_kept(self) -> None:
        """Also those with odd names."""

        class Open(BaseModel):
            model_config = ConfigDict(extra="allow")
            a: int

        value = Open(a=1, **{"$": (2,), "b": 3})
        assert value == decode(encode(value), lambda name: Open)

    def test_private_attributes_and_cached_properties_are_made_anew(self) -> None:
        """They are not fields: a model makes them itself."""

        class Cached(BaseModel):
            n: int
            _lock: Any = PrivateAttr(default_factory=threading.Lock)

            @cached_property
            def lock(self) -> Any:
                return threading.Lock()

        value = Cached(n=1)
        assert value.lock
        assert {"n": 1} == vars(decode(encode(value), lambda name: Cached))

    def test_a_root_model_comes_back(self) -> None:
        """Its one field is the value itself."""
        assert Numbers([1, 2]) == comes_back(Numbers([1, 2]))

    def test_a_parametrised_model_comes_back(self) -> None:
        """As its own class where that has a name, as the generic one where it was written in a function."""
        assert IntBox is type(comes_back(IntBox(content=1)))
        local = GenericBox[dict[str, list[Item]]](content={"a": [Item(sku="b")]})
        arrived = comes_back(local)
        assert (GenericBox, local.content) == (type(arrived), arrived.content)

    def test_a_field_that_only_pydantic_can_write_comes_back(self) -> None:
        """URLs, addresses and lists of them are stored as pydantic's JSON, and checked that they read back equal."""

        class Site(BaseModel):
            url: HttpUrl
            hosts: list[IPvAnyAddress]
            made: datetime

        value = Site(url="https://a.b/c", hosts=["127.0.0.1"], made=datetime(2026, 1, 1, tzinfo=UTC))  # type: ignore[arg-type,list-item]
        text = encode([value])
        assert ["127.0.0.1"] == strict_json(text)[0]["fields"]["hosts"]
        assert [value] == decode(text, lambda name: Site)
        with pytest.raises(SerializationError, match=r"^\$\[1\]\.lock: a _thread\.lock"):
            encode([value, {"lock": threading.Lock()}])

    def test_a_secret_in_a_model_is_refused(self) -> None:
        """pydantic writes asterisks, which would come back as the secret."""

        class Login(BaseModel):
            password: SecretStr

        with pytest.raises(SerializationError, match=r"^\$\[0\]\.password: a pydantic\.types\.SecretStr cannot be"):
            encode([Login(password=SecretStr("hunter2"))])

    def test_a_lock_in_a_model_is_refused_with_its_place(self) -> None:
        """What neither the codec nor pydantic can write is an error, after fields that pydantic could."""
        node = Node(value={"deep": [threading.Lock()]})
        with pytest.raises(SerializationError) as refused:
            encode([(node,)])
        assert "$[0][0].value.deep[0]" == refused.value.path

    def test_fields_that_init_does_not_take_come_back(self) -> None:
        """`init=False` fields are part of the value; one never set stays unset."""

        @dataclasses.dataclass(frozen=True)
        class Order:
            n: int
            total: int = dataclasses.field(init=False)
            late: int = dataclasses.field(init=False)

            def __post_init__(self) -> None:
                object.__setattr__(self, "total", self.n * 2)

        value = Order(2)
        object.__setattr__(value, "total", 5)
        arrived = decode(encode(value), lambda name: Order)
        assert ({"n": 2, "total": 5}, Order) == (vars(arrived), type(arrived))

    def test_post_init_does_not_change_a_field_twice(self) -> None:
        """It runs, because it may make what is no field; the fields are then as they were stored."""

        @dataclasses.dataclass
        class Greeting:
            text: str

            def __post_init__(self) -> None:
                self.text = f"Hello {self.text}"
                self.lock = threading.Lock()

        arrived = decode(encode(Greeting("Ada")), lambda name: Greeting)
        assert "Hello Ada" == arrived.text
        assert arrived.lock

    def test_a_dataclass_whose_init_wants_more_is_restored_as_a_copy(self) -> None:
        """An InitVar is not kept; defaults of fields that are new since then are filled in."""

        @dataclasses.dataclass
        class Order:
            n: int
            rate: dataclasses.InitVar[int]
            tags: list[str] = dataclasses.field(default_factory=list)
            size: int = 3
            total: int = dataclasses.field(init=False)

            def __post_init__(self, rate: int) -> None:
                self.total = self.n * rate

        assert Order(2, 3, ["a"]) == decode(encode(Order(2, 3, ["a"])), lambda name: Order)
        text = '{"$":"object","class":"a:Order","fields":{"n":2,"total":6}}'
        assert Order(2, 3) == decode(text, lambda name: Order)

    def test_a_pydantic_dataclass_comes_back(self) -> None:
        """Its own validator builds it, by the names of its fields."""

        @pydantic.dataclasses.dataclass
        class Order:
            n: Annotated[int, Field(alias="N", ge=0)]
            made: str = dataclasses.field(default="x", init=False)

        value = Order(N=1)  # type: ignore[call-arg]
        value.made = "y"
        text = encode(value)
        assert value == decode(text, lambda name: Order)
        with pytest.warns(UnresolvedClassWarning, match="n: Input should be greater than or equal to 0"):
            assert -1 == decode(text.replace('"n":1', '"n":-1'), lambda name: Order).n

    def test_a_field_that_fits_is_not_converted(self) -> None:
        """An int in a field for floats stays an int, a tuple in a field for anything a tuple."""

        @dataclasses.dataclass
        class Mixed:
            price: float
            sizes: list[float]
            any: object

        assert fingerprint(Mixed(1, [2], (3,))) == fingerprint(decode(encode(Mixed(1, [2], (3,))), lambda name: Mixed))

    def test_fields_of_classes_with_a_configuration_are_checked(self) -> None:
        """A model or a TypedDict as an annotation; the latter only where pydantic takes it."""

        class Extra(TypedDict):
            n: int

        @dataclasses.dataclass
        class Cart:
            item: Item
            extra: Extra

        value = Cart(Item(sku="a"), {"n": 1})
        assert value == decode(encode(value), lambda name: Cart if "Cart" in name else Item)
        text = '{"$":"object","class":"a:Cart","fields":{"item":{"sku":5},"extra":{"n":1}}}'
        with pytest.warns(UnresolvedClassWarning, match=r"item: sku: Input should be a valid string \(given 5\)"):
            decode(text, lambda name: Cart)

    def test_a_field_that_cannot_be_compared_comes_back(self) -> None:
        """Comparing a signaling NaN is an error, storing it is not."""

        @dataclasses.dataclass
        class Price:
            amount: Decimal | Any

        arrived = decode(encode(Price(Decimal("sNaN"))), lambda name: Price)
        assert "Price" == type(arrived).__name__
        assert arrived.amount.is_snan()

    def test_a_field_that_lost_its_class_is_rebuilt_from_the_annotation(self) -> None:
        """A class that moved to another module is still found where a field names it."""

        @dataclasses.dataclass
        class Cart:
            items: list[Item]
            size: Size

        text = encode(Cart([Item(sku="a")], Size.LARGE)).replace("test_values:Item", "gone:Item")
        text = text.replace("test_values:Size", "gone:Size")
        with pytest.warns(UnresolvedClassWarning):
            arrived = decode(text, lambda name: Cart if "Cart" in name else None)
        assert Cart([Item(sku="a")], Size.LARGE) == arrived
        assert Size is type(arrived.size)

    def test_annotations_that_cannot_be_read_are_not_checked(self) -> None:
        """A name that only the type checker knows is no reason to lose the class."""

        @dataclasses.dataclass
        class Loose:
            a: "Unknown"  # type: ignore[name-defined]  # noqa: F821

        assert Loose(1) == decode(encode(Loose(1)), lambda name: Loose)

    def test_annotations_that_pydantic_does_not_know_are_not_checked(self) -> None:
        """Each field is checked for itself."""

        @dataclasses.dataclass
        class Half:
            a: "type[int] | NotAType"  # type: ignore[name-defined]
            b: int

        NotAType = 5  # noqa: N806
        Half.__annotations__["a"] = NotAType
        assert Half(1, 2) == decode(encode(Half(1, 2)), lambda name: Half)
        with pytest.warns(UnresolvedClassWarning, match="b: the value: Input should be a valid integer"):
            decode(encode(Half(1, "x")), lambda name: Half)  # type: ignore[arg-type]

    def test_dataclasses_come_back_without_pydantic(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where pydantic is not installed, fields are not checked."""

        @dataclasses.dataclass
        class Order:
            n: int

        monkeypatch.setitem(sys.modules, "pydantic", None)
        assert Order("x") == decode(encode(Order("x")), lambda name: Order)  # type: ignore[arg-type]

    def test_a_named_tuple_gets_the_defaults_of_new_fields(self) -> None:
        """A field with a default may be added while instances run."""
        assert Point(1) == decode('{"$":"object","class":"test_values:Point","fields":{"x":1}}')

    def test_an_enum_is_found_by_value_and_else_by_name(self) -> None:
        """A renamed member keeps its value, a member with a new value its name."""
        assert Size.LARGE is decode('{"$":"enum","class":"test_values:Size","name":"BIG","v":"l"}')
        assert Size.LARGE is decode('{"$":"enum","class":"test_values:Size","name":"LARGE","v":"xl"}')


class TestUnresolved:
    @pytest.mark.parametrize(
        ("text", "plain", "reason"),
        [
            (
                '{"$":"object","class":"gone:Order","fields":{"id":{"$":"tuple","v":[1]}}}',
                {"id": (1,)},
                "A stored gone:Order is read as plain data: no imported module has a class of that name.",
            ),
            (
                '{"$":"object","class":"test_values:f.<locals>.Order","fields":{"id":1}}',
                {"id": 1},
                "no imported module has a class of that name (it is defined inside a function: move it to the top of a",
            ),
            (
                '{"$":"object","class":"test_values:Item","fields":{"sku":5,"price":-1}}',
                {"sku": 5, "price": -1},
                "sku: Input should be a valid string (given 5); price: Input should be greater than or equal to 0",
            ),
            (
                '{"$":"object","class":"test_values:Outer.Inner","fields":{"n":"x"}}',
                {"n": "x"},
                "n: the value: Input should be a valid integer, unable to parse string as an integer (given 'x')",
            ),
            (
                '{"$":"object","class":"test_values:Outer.Inner","fields":{"m":1}}',
                {"m": 1},
                "m is not a field any more; n was not stored and has no default",
            ),
            (
                '{"$":"object","class":"test_values:Point","fields":{"y":1,"z":2}}',
                {"y": 1, "z": 2},
                "z is not a field any more; x was not stored and has no default",
            ),
            (
                '{"$":"object","class":"test_values:TestUnresolved","fields":{"n":1}}',
                {"n": 1},
                "it is no pydantic model, dataclass or namedtuple any more",
            ),
            ('{"$":"enum","class":"test_values:Size","name":"HUGE","v":"xxl"}', "xxl", "'xxl' is not a valid Size"),
            ('{"$":"enum","class":"test_values:Right","name":null,"v":99}', 99, "99"),
            ('{"$":"enum","class":"test_values:Item","name":"A","v":1}', 1, "it is no enum any more"),
            ('{"$":"object","class":"test_values:T","fields":{}}', {}, "no imported module has a class of that name"),
        ],
    )
    def test_plain_data_and_a_warning_with_the_reason(self, text: str, plain: object, reason: str) -> None:
        """Running instances outlive changes of the code: the data is there, and the warning says what went wrong."""
        with pytest.warns(UnresolvedClassWarning, match=re.escape(reason)):
            arrived = decode(text)
        assert plain == arrived
        assert type(arrived) in (JsDict, str, int)

    def test_an_error_in_the_users_validator_is_a_reason(self) -> None:
        """Whatever `__post_init__` raises, the data is not lost."""

        @dataclasses.dataclass
        class Picky:
            n: int

            def __post_init__(self) -> None:
                if self.n == 0:
                    raise ZeroDivisionError

        text = encode(Picky(1)).replace('"n":1', '"n":0')
        with pytest.warns(UnresolvedClassWarning, match="Picky is read as plain data: ZeroDivisionError"):
            assert 0 == decode(text, lambda name: Picky).n

    @pytest.mark.parametrize(
        ("value", "plain"),
        [({Key(1)}, [{"part": 1, "index": 0}]), (frozenset([Key(1)]), [{"part": 1, "index": 0}])],
    )
    def test_a_set_of_what_lost_its_class_is_a_list(self, value: object, plain: object) -> None:
        """A dict cannot be in a set."""
        with pytest.warns(UnresolvedClassWarning) as caught:
            assert plain == decode(encode(value), lambda name: None)
        assert any("set is read as plain data: unhashable type" in str(warning.message) for warning in caught)

    def test_a_dict_whose_keys_lost_their_class_is_a_list_of_pairs(self) -> None:
        """A dict cannot be a key."""
        with pytest.warns(UnresolvedClassWarning) as caught:
            assert [[{"part": 1, "index": 0}, "a"]] == decode(encode({Key(1): "a"}), lambda name: None)
        assert any("A stored dict is read as plain data: unhashable" in str(warning.message) for warning in caught)

    def test_resolving_imports_nothing(self) -> None:
        """A name in a database must not be able to run code."""
        assert "this" not in sys.modules
        assert resolve_class("this:Zen") is None
        assert "this" not in sys.modules

    @pytest.mark.parametrize(
        "name",
        [
            "test_values:Nope",
            "test_values:Outer.Nope",
            "test_values:T.x",
            "test_values:test_no_warning_for_what_is_found.<locals>.A",
            "builtins:len",
            "",
        ],
    )
    def test_a_name_that_is_no_class_resolves_to_none(self, name: str) -> None:
        """Functions, missing names and names behind things that hold none are no classes."""
        assert resolve_class(name) is None

    def test_a_resolver_is_asked_for_the_recorded_name(self) -> None:
        """The Worker's own modules may be kept elsewhere than in sys.modules."""
        asked: list[str] = []

        def resolve(name: str) -> type:
            asked.append(name)
            return Outer.Inner

        assert Outer.Inner(1) == decode(encode(Outer.Inner(1)), resolve)
        assert ["test_values:Outer.Inner"] == asked


async def _coroutine() -> None: ...


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


class Response:
    """Stands for the response of any HTTP client."""


class TestRefused:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (
                threading.Lock(),
                "a _thread.lock cannot be stored. Return plain data, a dataclass or a pydantic model ins",
            ),
            (_Plain(), "a test_values._Plain cannot be stored. Return plain data"),
            (object(), "an object cannot be stored."),
            (Fraction(1, 2), "a fractions.Fraction cannot be stored."),
            (SimpleNamespace(a=1), "a types.SimpleNamespace cannot be stored."),
            (_tagged(), "a test_values._Tagged cannot be stored."),
            (_Narrow(a=1), "a test_values._Narrow cannot be stored."),
            (Outer, "the class test_values.Outer cannot be stored."),
            (Item, "the class test_values.Item cannot be stored."),
            (json, "the module json cannot be stored."),
            (len, "a builtin_function_or_method cannot be stored. Was it meant to be called?"),
            (_coroutine, "a function cannot be stored. Was it meant to be called?"),
            ([].append, "a builtin_function_or_method cannot be stored. Was it meant to be called?"),
            ((n for n in [1]), "a generator cannot be stored. Return a list of what it yields instead."),
            (io.BytesIO(), "an _io.BytesIO cannot be stored. Return what it reads instead."),
            (
                Response(),
                "a test_values.Response cannot be stored. Return what you need of it instead, such as its sta",
            ),
            (..., "an ellipsis cannot be stored."),
            (range(3), "a range cannot be stored."),
        ],
    )
    def test_what_is_no_data_is_refused_with_advice(self, value: object, message: str) -> None:
        """The error says what it is, where it is, and what to return instead."""
        with pytest.raises(SerializationError) as refused:
            encode({"items": [1, {"it": value}]})
        assert str(refused.value).startswith(f"$.items[1].it: {message.replace('an _io', 'a _io')}")
        assert "$.items[1].it" == refused.value.path

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
    @pytest.mark.parametrize("text", ["", "{", "[1,]", "undefined", '{"$":"tuple","v":[1]} x'])
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


class TestJsDict:
    def test_keys_are_attributes(self) -> None:
        """Objects read as in TypeScript, at every depth."""
        order = comes_back({"id": 1, "lines": [{"sku": "a", "at": datetime(2026, 1, 1, tzinfo=UTC)}]})
        assert (1, "a", 2026) == (order.id, order.lines[0].sku, order.lines[0].at.year)

    def test_attributes_can_be_set_and_deleted(self) -> None:
        """Both are the key."""
        order = JsDict(id=1)
        order.state = "paid"
        order.items = [1]
        del order.id
        assert {"state": "paid", "items": [1]} == order
        with pytest.raises(AttributeError, match="no key 'id'; the keys that are there: 'state', 'items'"):
            del order.id

    def test_a_missing_attribute_names_the_keys(self) -> None:
        """The error says what is there, so that a typing slip is seen."""
        with pytest.raises(AttributeError, match="no key 'nam'; the keys that are there: 'name', 'id'") as missing:
            _ = JsDict(name=1, id=2).nam
        assert "nam" == missing.value.name
        with pytest.raises(AttributeError, match="no key 'a'; the keys that are there: none"):
            _ = JsDict().a
        assert 5 == getattr(JsDict(), "a", 5)

    def test_a_missing_attribute_names_not_too_many_keys(self) -> None:
        """A large object does not flood the log."""
        with pytest.raises(AttributeError, match=r"there: 'k0', .*, 'k29', …$"):
            _ = JsDict({f"k{n}": n for n in range(1000)}).a

    def test_names_of_dict_are_methods(self) -> None:
        """A dict's own method wins, as in Cloudflare's Python SDK."""
        order = JsDict(items=[1])
        assert [("items", [1])] == list(order.items())
        assert [1] == order["items"]

    def test_double_underscore_names_are_not_keys(self) -> None:
        """Data cannot pretend to be able to do something."""
        sneaky = JsDict({"__deepcopy__": 1, "__html__": 2})
        assert not hasattr(sneaky, "__html__")
        assert sneaky == copy.deepcopy(sneaky)
        with pytest.raises(AttributeError):
            del sneaky.__html__
        with pytest.raises(AttributeError):
            sneaky.__html__ = 3

    def test_it_is_a_dict(self) -> None:
        """Equality, text, JSON and isinstance are those of a dict."""
        plain = {"a": {"b": 1}, "c": None}
        assert plain == JsDict(plain)
        assert repr(plain) == repr(JsDict(plain))
        assert json.dumps(plain) == json.dumps(JsDict(plain))
        assert isinstance(JsDict(), dict)
        assert encode(plain) == encode(JsDict(plain))

    @pytest.mark.parametrize(
        "duplicate", [copy.copy, copy.deepcopy, JsDict.copy, lambda value: pickle.loads(pickle.dumps(value))]
    )
    def test_copies_are_js_dicts(self, duplicate: Any) -> None:
        """A copy reads like the original."""
        twin = duplicate(JsDict(a=[1]))
        assert (JsDict, [1]) == (type(twin), twin.a)

    def test_names_are_completed(self) -> None:
        """A shell offers the keys that can be written as attributes."""
        names = dir(JsDict({"total": 1, "odd key": 2, 5: 3}))  # type: ignore[dict-item]
        assert {"total", "keys"} <= set(names)
        assert "odd key" not in names


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


def test_no_warning_for_what_is_found() -> None:
    """The warnings are kept for what is lost."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert [Item(sku="a"), date(2026, 1, 1)] == comes_back([Item(sku="a"), date(2026, 1, 1)])
    assert UUID(int=1) == comes_back(UUID(int=1))
    assert PosixPath is type(comes_back(Path("a")))
