import collections
import dataclasses
import enum
import subprocess
import sys
import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, Generic, Literal, NamedTuple, NewType, NotRequired, Required, TypedDict
from uuid import UUID

import pydantic
import pytest
import typing_extensions
from pydantic import Field, HttpUrl
from typed_classes import E, Env, Line, Order, P

from cfworkflows.errors import CfworkflowsError
from cfworkflows.typed import PayloadValidationError, coerce, is_validated, validate
from cfworkflows.values import JsDict


@dataclasses.dataclass
class Point:
    """A dataclass."""

    x: int
    y: float = 0.0


class Pair(NamedTuple):
    """A named tuple."""

    left: int
    right: int


class Color(enum.Enum):
    """An enum."""

    RED = "red"


class Contact(TypedDict):
    """A typed dict of the standard library, in quotes and in a typed dict."""

    mail: str
    phones: "NotRequired[list[str]]"


class Person(Contact, total=False):
    """A typed dict that inherits, with a typed dict in it."""

    age: int
    name: Required[str]
    friends: list[Contact]
    boss: Contact | None
    home: Annotated[Contact, "where"]


class Tree(TypedDict):
    """A typed dict that contains itself."""

    children: "list[Tree]"


class Portable(typing_extensions.TypedDict):
    """A typed dict as pydantic wants it on Python 3.11."""

    n: int


class GenericPoint(Generic[P]):
    """A class that pydantic does not know."""


UserId = NewType("UserId", int)
OrderId = NewType("OrderId", UUID)


VALIDATED = [
    Order,
    Point,
    Pair,
    Color,
    Contact,
    Portable,
    pydantic.dataclasses.dataclass(type("D", (), {"__annotations__": {"n": int}})),
    datetime,
    Decimal,
    UUID,
    HttpUrl,
    list[Order],
    dict[str, Order],
    tuple[Order, ...],
    Mapping[str, list[Point]],
    Sequence[Color],
    collections.deque[Order],
    Order | None,
    typing.Optional[Order],  # noqa: UP045
    typing.Union[int, Order],  # noqa: UP007
    typing.List[Order],  # noqa: UP006
    Literal["a", "b"],
    Annotated[Order, "a note"],
    Annotated[int, Field(ge=0)],
    OrderId,
    typing_extensions.TypeAliasType("Orders", list[Order]),
]
PLAIN = [
    Any,
    None,
    type(None),
    object,
    dict,
    list,
    str,
    int,
    bytes,
    list[int],
    dict[str, Any],
    tuple[int, ...],
    int | None,
    int | str,
    Annotated[int, "a note"],
    UserId,
    Env,
    GenericPoint[int],
    JsDict,
    Callable[[Order], Order],
    type[Order],
    Iterator[Order],
    E,
    "Order",
    5,
    typing_extensions.TypeAliasType("Numbers", list[int]),
]


class TestIsValidated:
    @pytest.mark.parametrize("tp", VALIDATED, ids=str)
    def test_more_than_plain_json_is_checked(self, tp: Any) -> None:
        """Models and their like, alone, in containers, in unions and annotated."""
        assert is_validated(tp)

    @pytest.mark.parametrize("tp", PLAIN, ids=str)
    def test_plain_json_is_not_checked(self, tp: Any) -> None:
        """What a value can simply be, and what pydantic does not know, is left alone."""
        assert not is_validated(tp)


class TestValidate:
    def test_plain_data_becomes_the_type(self) -> None:
        """As it arrives from JSON."""
        data = JsDict(id="1", lines=[JsDict(sku="a", quantity=2)])
        assert Order(id="1", lines=[Line(sku="a", quantity=2)]) == validate(Order, data)
        assert Point(1, 2.5) == validate(Point, {"x": 1, "y": 2.5})
        assert Pair(1, 2) == validate(Pair, [1, 2])
        assert Color.RED is validate(Color, "red")
        assert datetime(2026, 1, 1, tzinfo=UTC) == validate(datetime, "2026-01-01T00:00:00Z")
        assert {"a": Point(1)} == validate(dict[str, Point], {"a": {"x": 1}})
        assert validate(Order | None, None) is None

    @pytest.mark.parametrize(("tp", "value"), [(Order, Order(id="1")), (Point, Point(1)), (Color, Color.RED)])
    def test_an_instance_is_taken_as_it_is(self, tp: Any, value: object) -> None:
        """What is of the type already is not built again."""
        assert value is validate(tp, value)

    def test_dicts_come_back_as_js_dicts(self) -> None:
        """A payload reads the same whether its type is a TypedDict or not written at all."""
        person = validate(
            Person,
            {"mail": "a", "name": "Ada", "friends": [{"mail": "b"}], "boss": {"mail": "c"}, "home": {"mail": "d"}},
        )
        assert ("Ada", "b", "c", "d") == (person.name, person.friends[0].mail, person.boss.mail, person.home.mail)
        assert JsDict is type(person.friends[0])
        assert "a" == validate(dict[str, list[Contact]], JsDict(l=[JsDict(mail="a")])).l[0].mail

    @pytest.mark.parametrize(
        ("value", "wrong"),
        [
            ({"name": "Ada"}, "mail: Field required"),
            ({"mail": "a"}, "name: Field required"),
            ({"mail": "a", "name": "Ada", "age": "old"}, "age: Input should be a valid integer"),
            ({"mail": "a", "name": "Ada", "friends": [{}]}, "friends[0].mail: Field required"),
        ],
    )
    def test_a_typed_dict_knows_its_required_keys(self, value: object, wrong: str) -> None:
        """Inherited, by `total`, by Required and NotRequired, in quotes or not."""
        with pytest.raises(PayloadValidationError) as refused:
            validate(Person, value)
        assert wrong in str(refused.value)
        assert 1 == str(refused.value).count("\n")

    def test_a_typed_dict_of_typing_extensions(self) -> None:
        """Is what pydantic knows on every Python."""
        assert {"n": 1} == validate(Portable, {"n": 1})

    def test_a_typed_dict_may_contain_itself(self) -> None:
        """And is checked all the way down."""
        assert {"children": [{"children": []}]} == validate(Tree, {"children": [{"children": []}]})
        with pytest.raises(PayloadValidationError, match=r"children\[0\]\.children: Field required"):
            validate(Tree, {"children": [{}]})

    def test_the_error_names_the_type_and_each_wrong_field(self) -> None:
        """One line for each field: where it is, what is wrong, what was given."""
        with pytest.raises(PayloadValidationError) as refused:
            validate(Order, {"id": 5, "lines": [{"sku": "a", "quantity": 1}, {"quantity": 0}]})
        expected = (
            "The value does not fit Order:\n"
            "  id: Input should be a valid string (given 5)\n"
            "  lines[1].sku: Field required\n"
            "  lines[1].quantity: Input should be greater than or equal to 1 (given 0)"
        )
        assert expected == str(refused.value)
        assert isinstance(refused.value, CfworkflowsError)
        assert isinstance(refused.value, ValueError)
        assert isinstance(refused.value.__cause__, pydantic.ValidationError)

    def test_the_error_shortens_what_was_given(self) -> None:
        """A large payload does not flood the log."""
        with pytest.raises(PayloadValidationError) as refused:
            validate(list[Point], "x" * 10_000)
        assert str(refused.value).startswith(
            "The value does not fit list[test_typed.Point]:\n  the value: Input should"
        )
        assert len(str(refused.value)) < 200

    def test_any_other_class_takes_its_instances_only(self) -> None:
        """Nothing is known of how it is built."""
        env = Env()
        assert env is validate(Env, env)
        with pytest.raises(PayloadValidationError, match=r"the value: Input should be an instance of Env \(given {}\)"):
            validate(Env, {})

    def test_a_type_with_an_unknown_name_is_refused(self) -> None:
        """A name in quotes that does not exist at run time."""
        with pytest.raises(PayloadValidationError, match=r"cannot be checked against .*Unknown"):
            validate(list["Unknown"], [])  # type: ignore[name-defined]  # noqa: F821

    def test_a_type_that_has_no_hash_is_checked(self) -> None:
        """Metadata may be anything."""
        tp = Annotated[Point, ["note"]]
        assert Point(1) == validate(tp, {"x": 1}) == validate(tp, {"x": 1})

    def test_without_pydantic_only_models_are_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where it is not installed nothing is let through unchecked, and all that does not need it is checked."""
        monkeypatch.setitem(sys.modules, "pydantic", None)
        with pytest.raises(
            PayloadValidationError, match="against Order: only pydantic knows it, which is not installed"
        ):
            validate(Order, {"id": "1"})
        assert Point(1) == validate(Point, {"x": 1})
        assert {"mail": "a"} == validate(Contact, {"mail": "a"})


class TestCoerce:
    @pytest.mark.parametrize(
        ("tp", "value"),
        [(Any, 5), (dict, []), (int, "5"), (list[int], ["5"]), (Env, 1), (None, 1), (Order, Order(id="1"))],
    )
    def test_what_needs_no_check_is_returned_as_it_is(self, tp: Any, value: object) -> None:
        """Plain types, and values that are of their type."""
        assert value is coerce(tp, value)

    def test_plain_data_becomes_the_type(self) -> None:
        """A step that returns a dict where a model is announced gives the model."""
        assert Order(id="1") == coerce(Order, JsDict(id="1"))
        assert [Order(id="1")] == coerce(list[Order], [JsDict(id="1")])
        assert [Order(id="1")] == coerce(list[Order], [Order(id="1")])
        assert "a" == coerce(Contact, {"mail": "a"}).mail

    def test_what_does_not_fit_is_an_error(self) -> None:
        """The annotation is a promise."""
        with pytest.raises(PayloadValidationError, match=r"does not fit Point:\n  x: Field required"):
            coerce(Point, {})


def test_pydantic_is_not_imported_for_plain_types() -> None:
    """Starting up stays quick for code that has no models: dataclasses are checked and stored without it."""
    code = (
        "import sys, dataclasses, cfworkflows.typed as t\n"
        "Point = dataclasses.make_dataclass('Point', [('x', int)])\n"
        "assert t.is_validated(Point) and t.coerce(dict, 1) == 1\n"
        "assert t.coerce(Point, {'x': 1}) == Point(1)\n"
        "from cfworkflows.values import decode, encode\n"
        "assert decode(encode(Point(1)), lambda name: Point) == Point(1)\n"
        "print('pydantic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "False" == done.stdout.strip()
