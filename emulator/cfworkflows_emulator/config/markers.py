"""Markers beside a type that say how a value of the configuration is checked.

pydantic asks the markers for its schemas, in `validation`; without it they are plain values, so that a process that
receives a loaded configuration does not import it.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, cast

if TYPE_CHECKING:
    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema


class Section:
    """The base of the dataclasses that objects of the file become: with their fields and no others, of exactly their
    types.
    """

    __slots__ = ()
    __pydantic_config__ = {"strict": True, "extra": "forbid"}  # noqa: RUF012 - read by pydantic, never changed

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        # The fields are strict, but the class itself is made from a dict.
        return cast("CoreSchema", {**handler(source), "strict": False})


class Rule(NamedTuple):
    """A function that returns the value for what is in the file, or raises ValueError: a reason, and maybe a hint."""

    check: Callable[[object], Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import no_info_plain_validator_function

        return no_info_plain_validator_function(self.check)


class Bounds(NamedTuple):
    """What a number has to be: greater than `gt`, and at least `ge` and at most `le`, where they are not None."""

    gt: int | None = None
    ge: int | None = None
    le: int | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: "GetCoreSchemaHandler") -> "CoreSchema":
        from pydantic_core.core_schema import int_schema

        return int_schema(gt=self.gt, ge=self.ge, le=self.le)
