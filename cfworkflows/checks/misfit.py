"""What is wrong with a value, and what a check is."""

import reprlib
from collections.abc import Iterable
from typing import Any, NamedTuple, Protocol


class Problem(NamedTuple):
    """What is wrong at one place of a value: `.items[3].qty`, and what was given there, if something was."""

    place: str
    text: str
    given: str | None

    def __str__(self) -> str:
        given = "" if self.given is None else f" (given {self.given})"
        return f"{self.place.lstrip('.') or 'the value'}: {self.text}{given}"


class Misfit(Exception):
    """A value does not fit."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(map(str, self.problems)))

    def under(self, place: str) -> list[Problem]:
        """The problems, for a value at `place` of another."""
        return [problem._replace(place=f"{place}{problem.place}") for problem in self.problems]


class Uncheckable(Exception):
    """A type against which nothing can be checked, and why."""


class Tally:
    """How well a value fits, which decides between the members of a union.

    `conversions` counts what became another value, such as the text of a date, `widened` whole numbers that became
    floats, `built` the objects that were made of plain data, and `fields` the fields that there were.
    """

    __slots__ = ("built", "conversions", "fields", "widened")

    def __init__(self) -> None:
        self.conversions = self.widened = self.built = self.fields = 0

    @property
    def rank(self) -> tuple[int, int, int]:
        """The less the better: as it is, then with the most fields."""
        return self.conversions, self.widened, -self.fields

    def add(self, other: "Tally") -> None:
        self.conversions += other.conversions
        self.widened += other.widened
        self.built += other.built
        self.fields += other.fields


class Check(Protocol):
    """Gives the value as its type has it. Raises Misfit, or Uncheckable."""

    def __call__(self, value: Any, tally: Tally, /) -> Any: ...


class CheckerOf(Protocol):
    """Gives the check of a type. What is given may be made later, so that types may contain themselves."""

    def __call__(self, tp: Any, /) -> Check: ...


def refused(text: str, value: object) -> Misfit:
    """One problem, of the value itself."""
    return Misfit([Problem("", text, reprlib.repr(value))])
