"""Classes of every kind whose instances can be stored."""

import collections
import dataclasses
import enum
import json
import re
from datetime import datetime, time
from typing import Any, Generic, NamedTuple, TypeVar

import pydantic
from pydantic import BaseModel, Field, RootModel

from cfworkflows.values import JsDict, decode, encode

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


def comes_back(value: object) -> Any:
    """`value` as it is read from storage."""
    return decode(encode(value))


def strict_json(text: str) -> Any:
    """What any reader of JSON sees; NaN and the like are not JSON."""

    def refuse(token: str) -> None:
        raise AssertionError(f"{token} is not JSON")

    return json.loads(text, parse_constant=refuse)
