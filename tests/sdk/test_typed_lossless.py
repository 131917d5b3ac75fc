"""What a type does not declare arrives, or is refused with its path: annotations never change data silently."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, NamedTuple, NotRequired, Optional, TypedDict, Union

import pytest
import typing_extensions
from pydantic import BaseModel, ConfigDict, Field, RootModel
from pydantic_core import core_schema

from cfworkflows.errors import PayloadValidationError
from cfworkflows.typed import coerce


@dataclass
class Item:
    count: int
    price: float = 1.0
    paid: bool = False
    note: str = ""
    due: date | None = None
    sum: Decimal | None = None


@dataclass
class Order:
    items: list[Item]
    first: Item | None = None
    by_name: dict[str, Item] | None = None


class Model(BaseModel):
    count: int
    unit: str = Field(default="", alias="unitName")


class Open(BaseModel):
    model_config = ConfigDict(extra="ignore")
    count: int


class Pair(NamedTuple):
    item: Item
    count: int


class Dict(TypedDict):
    count: int
    item: NotRequired[Item]


class Extra(typing_extensions.TypedDict):
    count: int


class Text(str):
    """A text that pydantic makes of anything."""

    __slots__ = ()

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        return core_schema.no_info_plain_validator_function(str)


class Whole(BaseModel):
    dates: set[date] = set()
    counts: list[int] = []
    items: list[Item] = []
    by_name: dict[str, int] = {}
    extra: Extra | None = None
    by_number: dict[int, int] = {}
    when: date | None = None
    text: Text | None = None


class Numbers(RootModel[list[int]]):
    pass


@pytest.mark.parametrize(
    ("tp", "value", "problem"),
    [
        (Item, {"count": "1"}, "count: Input should be a valid integer (given '1')"),
        (Item, {"count": True}, "count: Input should be a valid integer (given True)"),
        (Item, {"count": 1.5}, "count: "),
        (Item, {"count": 1, "price": "2.5"}, "price: Input should be a valid number (given '2.5')"),
        (Item, {"count": 1, "price": False}, "price: Input should be a valid number (given False)"),
        (Item, {"count": 1, "paid": "yes"}, "paid: Input should be a valid boolean (given 'yes')"),
        (Item, {"count": 1, "paid": 1}, "paid: Input should be a valid boolean (given 1)"),
        (Item, {"count": 1, "note": 5}, "note: "),
        (Item, {"count": 1, "more": 2}, "more: there is no such field (given 2)"),
        (
            Order,
            {"items": [{"count": 1}, {"count": "2"}]},
            "items[1].count: Input should be a valid integer (given '2')",
        ),
        (Order, {"items": [], "first": {"count": 1, "x": 1}}, "first.x: there is no such field"),
        (Order, {"items": [], "by_name": {"a": {"count": "1"}}}, "by_name.a.count: Input should be a valid integer"),
        (Optional[Item], {"count": "1"}, "count: Input should be a valid integer (given '1')"),  # noqa: UP045 - as users write it too
        (Union[Item, Model], {"count": "1"}, "count: the str"),  # noqa: UP007
        (list[Item], [{"count": 1, "x": 1}], "[0].x: there is no such field"),
        (tuple[Item, int], [{"count": 1}, 2, 3], "the value: Input should have 2 items, not 3"),
        (Model, {"count": 1, "x": 1}, "x: there is no such field"),
        (Model, {"count": "1"}, "count: the str"),
        (Open, {"count": "1", "x": 1}, "count: the str"),
        (Pair, [{"count": "1"}, 2], "[0].count: Input should be a valid integer"),
        (Dict, {"count": "1"}, "count: Input should be a valid integer"),
        (Dict, {"count": 1, "item": {"count": 1, "x": 1}}, "item.x: there is no such field"),
        (Whole, {"dates": ["2026-01-01", "2026-01-01"]}, "dates: some items are there twice"),
        (Whole, {"counts": [1, "2"]}, "counts[1]: the str would become the int 2 (given '2')"),
        (Whole, {"items": [{"count": 1, "x": 1}]}, "items[0].x: there is no such field (given 1)"),
        (Whole, {"by_name": {"a": "1"}}, "by_name.a: the str would become the int 1"),
        (Whole, {"counts": [True]}, "counts[0]: the bool would become the int 1 (given True)"),
        (Numbers, ["1"], "[0]: the str would become the int 1"),
        (set[date], ["2026-01-01", "2026-01-01"], "some items are there twice"),
    ],
)
def test_what_would_be_changed_is_refused_with_its_path(tp: Any, value: object, problem: str) -> None:
    """Text for a number, True for a number, and fields that there are not, at any depth."""
    with pytest.raises(PayloadValidationError) as refused:
        coerce(tp, value)
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("tp", "value", "expected"),
    [
        (Item, {"count": 1.0, "price": 2}, Item(1, 2.0)),
        (Item, {"count": 1, "due": "2026-01-01", "sum": "1.10"}, Item(1, due=date(2026, 1, 1), sum=Decimal("1.10"))),
        (Dict, {"count": 1, "more": {"a": [1]}}, {"count": 1, "more": {"a": [1]}}),
        (Model, {"count": 1, "unitName": "kg"}, Model(count=1, unitName="kg")),
        (Open, {"count": 1, "more": 2}, Open(count=1)),
        (Whole, {"text": [1], "by_number": {"1": 2}}, Whole(text="[1]", by_number={1: 2})),  # type: ignore[arg-type]
        (Whole, {"when": "2026-01-01"}, Whole(when=date(2026, 1, 1))),
        (Whole, {"text": {"a": 1}, "dates": ["2026-01-01"]}, Whole(text="{'a': 1}", dates={date(2026, 1, 1)})),  # type: ignore[arg-type]
        (Whole, {"items": [{"count": 1}], "counts": [1]}, Whole(items=[Item(1)], counts=[1])),
        (Numbers, [1], Numbers([1])),
        (dict[int, Item], {"1": {"count": 1}}, {1: Item(1)}),
    ],
)
def test_what_is_declared_or_arrives_is_taken(tp: Any, value: object, expected: object) -> None:
    """Numbers of either kind that are equal, texts of dates and amounts, aliases, more keys than a TypedDict has."""
    assert expected == coerce(tp, value)


def test_more_keys_than_a_typed_dict_has_arrive_within_a_model_too() -> None:
    """pydantic alone would leave them out."""
    assert {"count": 1, "more": 2} == coerce(Whole, {"extra": {"count": 1, "more": 2}}).extra
