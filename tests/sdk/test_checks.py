"""Values checked against types by the standard library alone: what each type takes, and what it says of the rest."""

import collections
import enum
import sys
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Protocol,
    Required,
    TypedDict,
    TypeVar,
)
from uuid import UUID

import pytest
from pydantic import BaseModel, Field
from typing_extensions import ReadOnly

from cfworkflows.errors import PayloadValidationError
from cfworkflows.typed import validate
from cfworkflows.values import JsDict

T = TypeVar("T")
S = TypeVar("S", bound="Item")
N = TypeVar("N", int, str)
UserId = NewType("UserId", int)


class Size(enum.Enum):
    SMALL = "s"
    LARGE = "l"


class Rank(enum.IntEnum):
    LOW = 1


class Right(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Item:
    sku: str
    qty: int = 1


@dataclass
class Node:
    name: str
    children: "list[Node]" = field(default_factory=list)
    parent: "Node | None" = None


@dataclass
class Box(Generic[T]):
    content: T


@dataclass
class Pair(Box[int], Generic[T]):
    other: T


@dataclass
class Crate(Box[Item]):
    label: str = ""


@dataclass
class Everything:
    made: datetime
    day: date
    at: time
    wait: timedelta
    price: Decimal
    id: UUID
    data: bytes
    where: Path
    host: IPv4Address
    user: UserId
    kind: Literal["a", 2, Size.SMALL]
    count: ClassVar[int] = 5
    last: Final[int] = 3
    _: KW_ONLY
    note: Annotated[str, "shown"] = ""


@dataclass
class Doubled:
    n: int
    times: InitVar[int]
    total: int = field(init=False, default=0)

    def __post_init__(self, times: int) -> None:
        if times < 0:
            raise ValueError("times is negative")
        self.total = self.n * times


@dataclass(init=False)
class Own:
    n: int
    size: int = 1
    tags: list[str] = field(default_factory=list)


class Point(NamedTuple):
    x: int
    y: int = 0


class Base(TypedDict):
    id: str


class Order(Base, total=False):
    items: Required[list[Item]]
    note: str | None


class Full(TypedDict):
    a: int
    b: NotRequired["Full"]


class Typed(TypedDict, Generic[T]):
    value: T


class Cat(TypedDict):
    kind: Literal["cat"]
    lives: int


class Dog(TypedDict):
    kind: Literal["dog"]
    name: str


@dataclass
class Bound(Generic[S, N]):
    one: S
    other: N


class Locked(TypedDict):
    n: ReadOnly[NotRequired[int]]


class Closed(Protocol):
    n: int


class Model(BaseModel):
    n: int = Field(ge=1)


@dataclass
class Mixed:
    model: Model
    few: Annotated[int, Field(le=3)]


EVERYTHING = {
    "made": "2026-01-01T10:00:00Z",
    "day": "2026-01-01",
    "at": "10:30",
    "wait": "P1DT2H",
    "price": "1.10",
    "id": "00000000-0000-0000-0000-000000000001",
    "data": b"x",
    "where": "a/b",
    "host": "127.0.0.1",
    "user": 5,
    "kind": "s",
    "note": "n",
}


@pytest.mark.parametrize(
    ("tp", "value", "expected"),
    [
        (Item, {"sku": "a", "qty": 2.0}, Item("a", 2)),
        (Node, {"name": "a", "children": [{"name": "b"}], "parent": {"name": "c"}}, Node("a", [Node("b")], Node("c"))),
        (Box[int], {"content": 1}, Box(1)),
        (Box[Item], {"content": {"sku": "a"}}, Box(Item("a"))),
        (Box, {"content": [1]}, Box([1])),
        (Pair[str], {"content": 1, "other": "x"}, Pair(1, "x")),
        (Crate, {"content": {"sku": "a"}}, Crate(Item("a"))),
        (Bound[Item, str], {"one": {"sku": "a"}, "other": "x"}, Bound(Item("a"), "x")),
        (Bound, {"one": {"sku": "a"}, "other": 5}, Bound(Item("a"), 5)),
        (Doubled, {"n": 2, "times": 3}, Doubled(2, 3)),
        (Point, [1], Point(1)),
        (Point, {"x": 1, "y": 2}, Point(1, 2)),
        (Order, {"id": "1", "items": [{"sku": "a"}], "more": 5}, {"id": "1", "items": [Item("a")], "more": 5}),
        (Full, {"a": 1, "b": {"a": 2}}, {"a": 1, "b": {"a": 2}}),
        (Typed[Item], {"value": {"sku": "a"}}, {"value": Item("a")}),
        (Cat | Dog, {"kind": "dog", "name": "Rex"}, {"kind": "dog", "name": "Rex"}),
        (Item | dict[str, Any], {"sku": "a"}, Item("a")),
        (Item | dict[str, Any], {"other": 1}, {"other": 1}),
        (date | str, "2026-01-01", "2026-01-01"),
        (date | None, "2026-01-01", date(2026, 1, 1)),
        (Size | None, None, None),
        (dict[int, Size], {"1": "s"}, {1: Size.SMALL}),
        (dict[date, int], {"2026-01-01": 1}, {date(2026, 1, 1): 1}),
        (dict[Size, float], {"s": 1}, {Size.SMALL: 1.0}),
        (tuple[Size, int], ["s", 1], (Size.SMALL, 1)),
        (tuple[Size, ...], ["s", "l"], (Size.SMALL, Size.LARGE)),
        (set[Size], ["s", "l"], {Size.SMALL, Size.LARGE}),
        (frozenset[date], ["2026-01-01"], frozenset([date(2026, 1, 1)])),
        (collections.deque[Size], ["s"], collections.deque([Size.SMALL])),
        (collections.defaultdict[str, Size], {"a": "s"}, {"a": Size.SMALL}),
        (Sequence[Size], ("s",), (Size.SMALL,)),
        (Mapping[str, list[Size]], {"a": ["s"]}, {"a": [Size.SMALL]}),
        (list[dict[str, Size]], [{"a": "s"}], [{"a": Size.SMALL}]),
        (Rank, 1, Rank.LOW),
        (Right, 3, Right.READ | Right.WRITE),
        (timedelta, 90, timedelta(seconds=90)),
        (timedelta, "-1 day, 2:00:00", -timedelta(days=1, hours=2)),
        (timedelta, "-PT1M", -timedelta(minutes=1)),
        (Decimal, 1.1, Decimal("1.1")),
        (Mixed, {"model": {"n": 1}, "few": 3}, Mixed(Model(n=1), 3)),
        (Box[list], {"content": [{"a": 1}]}, Box([{"a": 1}])),
        (Box[list], {"content": (1,)}, Box([1])),
        (Box[tuple], {"content": [1]}, Box((1,))),
        (Box[dict], {"content": {"a": 1}}, Box({"a": 1})),
        (Box[set], {"content": [1]}, Box({1})),
        (Box[bool], {"content": True}, Box(True)),
        (Box[float], {"content": 2**70}, Box(2.0**70)),
        (Box[Point], {"content": Point(1)}, Box(Point(1))),
        (Box[collections.deque[int]], {"content": collections.deque([1], 5)}, Box(collections.deque([1], 5))),
        (Locked, {"n": 1}, {"n": 1}),
        (list[Annotated[list[int], Field(min_length=1)]], [[1]], [[1]]),
        (Annotated[dict[str, int], Field(min_length=1)], {"a": 1}, {"a": 1}),
    ],
)
def test_plain_data_becomes_what_the_type_says(tp: Any, value: object, expected: object) -> None:
    """Of the same types, at every depth."""
    found = validate(tp, value)
    assert (expected, type(expected) if type(expected) is not dict else type(found)) == (found, type(found))
    assert repr(expected) == repr(found) or isinstance(found, dict)


def test_what_json_lacks_is_read_from_text() -> None:
    """As `Response.json` and others write it."""
    found = validate(Everything, EVERYTHING)
    assert Everything(
        datetime(2026, 1, 1, 10, tzinfo=UTC),
        date(2026, 1, 1),
        time(10, 30),
        timedelta(days=1, hours=2),
        Decimal("1.10"),
        UUID(int=1),
        b"x",
        Path("a/b"),
        IPv4Address("127.0.0.1"),
        UserId(5),
        Size.SMALL,
        note="n",
    ) == found  # fmt: skip
    assert found == validate(Everything, vars(found))


def test_a_dataclass_with_an_init_of_its_own_is_filled() -> None:
    """Its arguments are not known; defaults are made for each."""
    found = validate(Own, {"n": 1})
    assert (1, 1, []) == (found.n, found.size, found.tags)


def test_dicts_within_dataclasses_are_js_dicts() -> None:
    """Their keys are attributes, however deep they are."""
    assert 1 == validate(Box[Full], {"content": {"a": 1}}).content.a
    assert JsDict is type(validate(Box[dict[str, Item]], {"content": {}}).content)


@pytest.mark.parametrize(
    ("tp", "value", "problems"),
    [
        (Item, {"qty": "3", "x": 1}, ("sku: Field required|qty: Input should be a valid integer (given '3')|"
         "x: there is no such field (given 1)")),
        (Box[float], {"content": 2**2000}, "content: Input should be a valid number"),
        (Box[Decimal], {"content": None}, "content: Input should be a valid decimal (given None)"),
        (dict[int, Size], {None: "s"}, "None.[key]: Input should be a valid integer (given None)"),
        (dict[Size, int], {"1": 1}, "1.[key]: Input should be 's' or 'l' (given 1)"),
        (dict[Size, int], {"01": 1}, "01.[key]: Input should be 's' or 'l' (given '01')"),
        (Item, [1], "the value: Input should be a dictionary or an instance of Item (given [1])"),
        (list[Item], [{"sku": "a"}, {"sku": "b", "qty": True}],
         "[1].qty: Input should be a valid integer (given True)"),
        (Item, {"sku": "a", "qty": 1.5},
         "qty: Input should be a valid integer, got a number with a fractional part (given 1.5)"),
        (Item, {"sku": "a", "qty": float("nan")}, "qty: Input should be a valid integer"),
        (Item, {"sku": "a", "qty": 2.0**60}, "qty: Input should be a valid integer (given 1.152921504606847e+18)"),
        (Node, {"name": "a", "children": [{"name": 1}]}, "children[0].name: Input should be a valid string (given 1)"),
        (Box[int], {"content": "1"}, "content: Input should be a valid integer (given '1')"),
        (Pair[str], {"content": "1", "other": 1}, ("content: Input should be a valid integer (given '1')|"
         "other: Input should be a valid string (given 1)")),
        (Bound, {"one": 1, "other": None}, ("one: Input should be a dictionary or an instance of Item (given 1)|"
         "other: Input should be a valid integer or a valid string (given None)")),
        (Doubled, {"n": 1, "times": -1}, "the value: ValueError: times is negative (given {'n': 1, 'times': -1})"),
        (Doubled, {"n": 1, "times": 1, "total": 5}, "total: there is no such field (given 5)"),
        (Point, [1, 2, 3], "the value: Input should have at most 2 items, not 3 (given [1, 2, 3])"),
        (Point, [], "[0]: Field required"),
        (Point, "xy", "the value: Input should be a list or an instance of Point (given 'xy')"),
        (Point, {"x": 1, "z": 2}, "z: there is no such field (given 2)"),
        (Order, {"note": 5}, "id: Field required|items: Field required|note: Input should be a valid string (given 5)"),
        (Order, 5, "the value: Input should be a valid dictionary (given 5)"),
        (Full, {"a": 1, "b": {}}, "b.a: Field required"),
        (Cat | Dog, {"kind": "dog"}, ("kind: Input should be 'cat', for Cat (given 'dog')|"
         "lives: Field required, for Cat|name: Field required, for Dog")),
        (Item | None, 5, "the value: Input should be a dictionary or an instance of Item (given 5)"),
        (Size, "x", "the value: Input should be 's' or 'l' (given 'x')"),
        (Rank, True, "the value: Input should be 1 (given True)"),
        (Literal["a", 1], True, "the value: Input should be 'a' or 1 (given True)"),
        (tuple[Size, int], ["x", "y"], ("[0]: Input should be 's' or 'l' (given 'x')|"
         "[1]: Input should be a valid integer (given 'y')")),
        (tuple[Size, int], ["s"], "the value: Input should have 2 items, not 1 (given ['s'])"),
        (tuple[Size, int], "s", "the value: Input should be a valid tuple (given 's')"),
        (tuple[Size, ...], "s", "the value: Input should be a valid tuple (given 's')"),
        (list[Size], "s", "the value: Input should be a valid list (given 's')"),
        (set[date | dict[str, int]], [{}], "the value: Set items should be hashable (given [{}])"),
        (set[Size], 5, "the value: Input should be a valid set (given 5)"),
        (dict[int, Size], {"x": "s", "2": "y"}, ("x.[key]: Input should be a valid integer (given 'x')|"
         "2: Input should be 's' or 'l' (given 'y')")),
        (dict[float, Size], {"1.0": "s", 1.0: "s"}, "the value: some keys are the same (given {'1.0': 's', 1.0: 's'})"),
        (dict[str, Size], [], "the value: Input should be a valid dictionary (given [])"),
        (datetime, 1_700_000_000, "the value: Input should be a valid datetime (given 1700000000)"),
        (date, datetime(2026, 1, 1, tzinfo=UTC), "the value: Input should be a valid date (given datetime.date"),
        (UUID, "x", "the value: Input should be a valid UUID (given 'x')"),
        (Decimal, "NaN", "the value: Input should be a valid decimal (given 'NaN')"),
        (Decimal, "x", "the value: Input should be a valid decimal (given 'x')"),
        (timedelta, "soon", "the value: Input should be a valid timedelta (given 'soon')"),
        (timedelta, 10**20, "the value: Input should be a valid timedelta (given 100000000000000000000)"),
        (timedelta, "P", "the value: Input should be a valid timedelta (given 'P')"),
        (Everything, EVERYTHING | {"data": "x"}, "data: Input should be valid bytes (given 'x')"),
        (Everything, EVERYTHING | {"host": "x"}, "host: Input should be a valid IPv4Address (given 'x')"),
        (Mixed, {"model": {"n": 0}, "few": 4}, ("model.n: Input should be greater than or equal to 1 (given 0)|"
         "few: Input should be less than or equal to 3 (given 4)")),
        (Mixed, {"model": {"n": "1"}, "few": 1}, "model.n: the str would become the int 1 (given '1')"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_its_place(tp: Any, value: object, problems: str) -> None:
    """A line for each place: what was expected, and what came."""
    with pytest.raises(PayloadValidationError) as refused:
        validate(tp, value)
    first, *lines = str(refused.value).split("\n  ")
    assert first.startswith("The value does not fit ")
    expected = problems.split("|")
    assert len(expected) == len(lines)
    assert [] == [pair for pair in zip(expected, lines, strict=True) if not pair[1].startswith(pair[0])]


def test_a_value_that_contains_itself_is_refused() -> None:
    """It ends."""
    node: dict[str, Any] = {"name": "a"}
    node["children"] = [node]
    with pytest.raises(PayloadValidationError, match="it contains itself, or is nested too deeply"):
        validate(Node, node)


def test_types_that_cannot_be_read_are_named() -> None:
    """With the name that is not there at run time."""

    @dataclass
    class Loose:
        a: "Unknown"  # type: ignore[name-defined]  # noqa: F821

    with pytest.raises(PayloadValidationError, match=r"against .*Loose: the types of the fields .* 'Unknown'"):
        validate(Loose, {"a": 1})


def test_a_type_that_no_value_can_be_of_is_named() -> None:
    """A Protocol that is not for run time; and what pydantic does not know either."""
    with pytest.raises(PayloadValidationError, match=r"against Closed: .*runtime_checkable"):
        validate(Closed, 5)
    with pytest.raises(PayloadValidationError, match=r": pydantic cannot: Unable to generate"):
        validate(Annotated[Closed, Field()], 5)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the `type` statement is of Python 3.12")
def test_type_aliases_may_contain_themselves() -> None:
    """Their values are looked up when they are needed."""
    names: dict[str, Any] = {"Item": Item}
    exec("type Tree = Item | list[Tree]", names)
    assert [Item("a"), [Item("b")]] == validate(names["Tree"], [{"sku": "a"}, [{"sku": "b"}]])
