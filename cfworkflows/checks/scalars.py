"""Values without parts. Text stays text, a number a number, and True what it is; what JSON lacks is read from text."""

import enum
import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from cfworkflows.checks.misfit import Check, Tally, refused

_EXACT = 2**53
"""Up to here each whole number is a float of its own."""

# Not compiled at import, which would take longer than all else here.
_DURATION = r"(?i)([-+])?P(?:([\d.]+)W)?(?:([\d.]+)D)?(?:T(?:([\d.]+)H)?(?:([\d.]+)M)?(?:([\d.]+)S)?)?"
_CLOCK = r"([-+])?(?:(\d+) days?,? )?(\d+):(\d\d)(?::(\d\d(?:\.\d+)?))?"


def anything(value: Any, tally: Tally) -> Any:
    return value


def none(value: Any, tally: Tally) -> Any:
    if value is not None:
        raise refused("Input should be None", value)
    return value


def text(value: Any, tally: Tally) -> Any:
    if not isinstance(value, str):
        raise refused("Input should be a valid string", value)
    return value


def octets(value: Any, tally: Tally) -> Any:
    if not isinstance(value, bytes):
        raise refused("Input should be valid bytes", value)
    return value


def boolean(value: Any, tally: Tally) -> Any:
    if type(value) is not bool:
        raise refused("Input should be a valid boolean", value)
    return value


def integer(value: Any, tally: Tally) -> Any:
    if isinstance(value, int) and type(value) is not bool:
        return value
    if type(value) is float and value.is_integer() and abs(value) <= _EXACT:
        tally.conversions += 1
        return int(value)
    fraction = ", got a number with a fractional part" if type(value) is float and value % 1 else ""
    raise refused(f"Input should be a valid integer{fraction}", value)


def number(value: Any, tally: Tally) -> Any:
    if isinstance(value, float):
        return value
    if isinstance(value, int) and type(value) is not bool and (abs(value) <= _EXACT or _is_float(value)):
        tally.widened += 1
        return float(value)
    raise refused("Input should be a valid number", value)


def _is_float(value: int) -> bool:
    try:
        return float(value) == value
    except OverflowError:
        return False


def decimal(value: Any, tally: Tally) -> Any:
    if isinstance(value, Decimal):
        return value
    try:
        if type(value) in (int, float, str):
            found = Decimal(str(value) if type(value) is float else value)
            if found.is_finite():
                tally.conversions += 1
                return found
    except InvalidOperation:
        pass  # as what is no number at all
    raise refused("Input should be a valid decimal", value)


def _from_text(cls: type, read: Callable[[str], Any], name: str) -> Check:
    def check(value: Any, tally: Tally) -> Any:
        if isinstance(value, cls) and not (cls is date and isinstance(value, datetime)):
            return value
        if isinstance(value, str):
            try:
                found = read(value)
            except (ValueError, OverflowError):
                pass  # refused below
            else:
                tally.conversions += 1
                return found
        raise refused(f"Input should be a valid {name}", value)

    return check


def textual(cls: type) -> Check:
    """Of a class that is made from its text: paths and addresses."""
    return _from_text(cls, cls, cls.__name__)


def duration(value: Any, tally: Tally) -> Any:
    """A timedelta: from seconds, or from text as ISO 8601 or Python write it."""
    if isinstance(value, timedelta):
        return value
    try:
        if type(value) in (int, float):
            found: timedelta | None = timedelta(seconds=value)
        else:
            found = _duration_from_text(value) if isinstance(value, str) else None
    except (OverflowError, ValueError):
        found = None
    if found is None:
        raise refused("Input should be a valid timedelta", value)
    tally.conversions += 1
    return found


def _duration_from_text(written: str) -> timedelta | None:
    if match := re.fullmatch(_DURATION, written):
        sign, *parts = match.groups()
        weeks, days, hours, minutes, seconds = (float(part or 0) for part in parts)
        if not any(parts):
            return None
    elif match := re.fullmatch(_CLOCK, written):
        sign, *parts = match.groups()
        weeks = 0.0
        days, hours, minutes, seconds = (float(part or 0) for part in parts)
    else:
        return None
    found = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return -found if sign == "-" else found


SCALARS: dict[Any, Check] = {
    Any: anything,
    object: anything,
    None: none,
    type(None): none,
    str: text,
    bytes: octets,
    bool: boolean,
    int: integer,
    float: number,
    Decimal: decimal,
    datetime: _from_text(datetime, datetime.fromisoformat, "datetime"),
    date: _from_text(date, date.fromisoformat, "date"),
    time: _from_text(time, time.fromisoformat, "time"),
    timedelta: duration,
    UUID: _from_text(UUID, UUID, "UUID"),
}


def literal(allowed: tuple[Any, ...]) -> Check:
    """Of `Literal`: equal to one of them, and of its type."""

    def check(value: Any, tally: Tally) -> Any:
        for each in allowed:
            if type(value) is type(each) and value == each:
                return each
        for each in allowed:
            if isinstance(each, enum.Enum) and _is_same(each.value, value):
                tally.conversions += 1
                return each
        raise refused(f"Input should be {_listed(allowed)}", value)

    return check


def member(cls: type[enum.Enum]) -> Check:
    """Of an enum: a member, or its value."""

    def check(value: Any, tally: Tally) -> Any:
        if isinstance(value, cls):
            return value
        for each in cls:
            if _is_same(each.value, value):
                tally.conversions += 1
                return each
        if type(value) is not bool:
            try:
                found = cls(value)  # a combination of flags, or what `_missing_` knows
            except (ValueError, TypeError, KeyError):
                pass  # refused below
            else:
                tally.conversions += 1
                return found
        raise refused(f"Input should be {_listed(each.value for each in cls)}", value)

    return check


def _is_same(one: Any, other: Any) -> bool:
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _listed(values: Iterable[Any]) -> str:
    *most, last = [repr(value) for value in values] or ["nothing: there are no members"]
    return f"{', '.join(most)} or {last}" if most else last


def instance(cls: type) -> Check:
    """Of any other class."""

    def check(value: Any, tally: Tally) -> Any:
        if not isinstance(value, cls):
            raise refused(f"Input should be an instance of {cls.__qualname__}", value)
        return value

    return check
