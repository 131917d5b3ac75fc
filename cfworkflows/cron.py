"""Cron expressions in the platform's dialect: `"0 6 * * MON-FRI"`, always UTC, to the minute.

Five fields, `minute hour day-of-month month day-of-week`, separated by spaces, 256 characters at most. Each is `*` or a
list of values, ranges (`9-17`) and steps (`*/15`, `10-40/5`, and `10/5` from 10 to the end). Letters may be small.

    minute        0-59
    hour          0-23
    day-of-month  1-31; or L, the last day; LW, the last Monday-to-Friday; 15W, the Monday-to-Friday nearest to the 15th
    month         1-12 or JAN-DEC
    day-of-week   1-7 or SUN-SAT: 1 is Sunday, as in Quartz and unlike Unix; or 6L, the last Friday; 2#1, the first
                  Monday; L, Saturday

Cloudflare's documentation lists these letters and leaves open what follows. Read as Quartz does: a plain L for the
weekday; and L, W and # stand alone, because a list with them is refused there too. Read as in classic cron: when
day-of-month and day-of-week are both restricted, which is to say neither is written `*`, a day that fits either one
fires (Quartz has no answer: it forbids the case). Refused, since nothing says they work: `?`, `L-3` and ranges that
run backwards. 31W, like 31, skips the months that have no 31st, and W never leaves its month.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import NamedTuple

from cfworkflows.errors import CronError

LONGEST = 256
"""The most characters that the platform accepts in one expression."""

_EPOCH = date(1970, 1, 1)
_MINUTE_MS = 60_000
_DAY_MINUTES = 1_440
_CYCLE_YEARS = 400  # the Gregorian calendar repeats after these, weekdays included
_CYCLE_MS = 146_097 * _DAY_MINUTES * _MINUTE_MS

_ITEM = re.compile(r"(?P<first>\*|\w+)(?:-(?P<last>\w+))?(?:/(?P<step>\w+))?", re.ASCII)
_NEAREST = re.compile(r"(\d+)w", re.ASCII | re.IGNORECASE)
_LAST = re.compile(r"(\d+|[a-z]{3})l", re.ASCII | re.IGNORECASE)
_NTH = re.compile(r"(\w+)#(\w+)", re.ASCII)
_LETTER = re.compile(r"(?:[a-z]{3}|\d*)(l|lw|w|#\d+)(?!\w)", re.ASCII | re.IGNORECASE)
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * SUN",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}

# The days of a month that a field allows, from the weekday of the first day (Monday = 0) and the length.
_Days = Callable[[int, int], set[int]]


@dataclass(frozen=True, slots=True)
class CronExpression:
    """When a schedule fires. Immutable; made by `CronExpression.parse`, and `str()` is the text it was made of."""

    text: str
    minutes: tuple[int, ...] = field(repr=False)
    hours: tuple[int, ...] = field(repr=False)
    months: tuple[int, ...] = field(repr=False)
    # The days that fire in each of the 28 possible months: weekday of the first (Monday = 0), by length 28 to 31.
    _days: tuple[tuple[int, ...], ...] = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> "CronExpression":
        """Read an expression; the module's docstring has the grammar. Raises CronError."""
        if len(text) > LONGEST:
            raise CronError(f"A cron expression has at most {LONGEST} characters, and this one has {len(text)}.")
        fields = [part for part in text.split(" ") if part]
        try:
            if len(fields) != 5:
                raise CronError(_wrong_count(fields))
            minute, hour, day_of_month, month, day_of_week = fields
            return cls(
                text,
                tuple(sorted(_MINUTE.values(minute))),
                tuple(sorted(_HOUR.values(hour))),
                tuple(sorted(_MONTH.values(month))),
                _month_table(day_of_month, day_of_week),
            )
        except CronError as error:
            raise CronError(f"{text!r} is not a cron expression: {error}") from None

    def next_after(self, time_ms: int) -> int | None:
        """The first firing after `time_ms`, not at it; both in ms since the epoch, UTC.

        None when there is none, as for 30 February. The search covers a whole cycle of the calendar, 400 years.
        """
        # Within one cycle dates cannot overflow, whatever the time.
        cycle, rest = divmod(time_ms, _CYCLE_MS)
        days, minute = divmod(rest // _MINUTE_MS + 1, _DAY_MINUTES)
        today = _EPOCH + timedelta(days=days)
        if self._fires_on(today):
            hours = (hour * 60 for hour in self.hours if hour * 60 + 59 >= minute)
            times = (hour + each for hour in hours for each in self.minutes)
            later = next((time for time in times if time >= minute), None)
            if later is not None:
                return cycle * _CYCLE_MS + _to_ms(today, later)
        day = self._day_after(today)
        if day is None:
            return None
        return cycle * _CYCLE_MS + _to_ms(day, self.hours[0] * 60 + self.minutes[0])

    def matches(self, time_ms: int) -> bool:
        """Whether it fires in the minute of `time_ms`, in ms since the epoch, UTC."""
        days, minute = divmod(time_ms % _CYCLE_MS // _MINUTE_MS, _DAY_MINUTES)
        hour, minute = divmod(minute, 60)
        return minute in self.minutes and hour in self.hours and self._fires_on(_EPOCH + timedelta(days=days))

    def __str__(self) -> str:
        return self.text

    def _fires_on(self, day: date) -> bool:
        return day.month in self.months and day.day in self._days_in(day.year, day.month)

    def _days_in(self, year: int, month: int) -> tuple[int, ...]:
        first, length = calendar.monthrange(year, month)
        return self._days[first + 7 * (length - 28)]

    def _day_after(self, today: date) -> date | None:
        for year in range(today.year, today.year + _CYCLE_YEARS + 1):
            for month in self.months:
                if (year, month) >= (today.year, today.month):
                    for day in self._days_in(year, month):
                        if (year, month, day) > (today.year, today.month, today.day):
                            return date(year, month, day)
        return None


def _to_ms(day: date, minute: int) -> int:
    return ((day - _EPOCH).days * _DAY_MINUTES + minute) * _MINUTE_MS


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    allowed: str
    names: tuple[str, ...] = ()
    letters: str = ""

    def values(self, text: str) -> set[int]:
        """Every value of a list of values, ranges and steps."""
        if text == "*":
            return set(range(self.low, self.high + 1))
        return {value for item in text.split(",") for value in self._item(item, text)}

    def number(self, text: str, item: str) -> int:
        """One value: a number, or a name where the field has them."""
        if text.upper() in self.names:
            return self.names.index(text.upper()) + self.low
        if not (text.isascii() and text.isdigit()) or not self.low <= int(text) <= self.high:
            raise self.error(item, f'"{text}" is no {self.name}', self._hint(text))
        return int(text)

    def error(self, item: str, what: str, hint: str = "") -> CronError:
        return CronError(f'{what}, in "{item}" of the {self.name} field. Allowed: {self.allowed}.{hint}')

    def _item(self, item: str, text: str) -> range:
        match = _ITEM.fullmatch(item)
        if match is None:
            what = f'"{item}" is no value, range or step' if item else "a value is missing"
            raise self.error(text, what, self._hint(item))
        first, last, step = match["first"], match["last"], match["step"]
        if first == "*":
            if last is not None or step is None:
                raise self.error(text, "* means every value, and takes neither a range nor others beside it")
            start, end = self.low, self.high
        else:
            start = self.number(first, text)
            end = self.number(last, text) if last else self.high if step else start
        if start > end:
            around = f' Did you mean "{start}-{self.high},{self.low}-{end}"?' if step is None else ""
            raise self.error(text, f'the range "{first}-{last}" runs backwards', around)
        if step is not None and not (step.isascii() and step.isdigit() and 1 <= int(step) <= self.high):
            raise self.error(text, f'the step "{step}" is no number from 1 to {self.high}')
        return range(start, end + 1, int(step or 1))

    def _hint(self, text: str) -> str:
        if "?" in text:
            return " Write * where Quartz has ?."
        if (letter := _LETTER.match(text)) and letter[1][0].upper() in self.letters:
            return f" {' and '.join(self.letters)} take no list, range, step or offset: use a schedule for each."
        if text[:3].upper() in self.names:
            return f' Did you mean "{text[:3].upper()}"?'
        if self.names == _WEEKDAYS and text.isascii() and text.isdigit() and int(text) == 0:
            return ' Here 1 is Sunday: write 1 or "SUN". Names, unlike numbers, mean the same here and in Unix cron.'
        return ""


_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")

_MINUTE = _Field("minute", 0, 59, "0 to 59, with , - * /")
_HOUR = _Field("hour", 0, 23, "0 to 23, with , - * /")
_DAY_OF_MONTH = _Field("day-of-month", 1, 31, "1 to 31, with , - * /, or one of L, LW, 15W", letters="LW")
_MONTH = _Field("month", 1, 12, "1 to 12 or JAN to DEC, with , - * /", _MONTHS)
_DAY_OF_WEEK = _Field(
    "day-of-week", 1, 7, "1 (Sunday) to 7 (Saturday) or SUN to SAT, with , - * /, or one of L, 6L, 2#1", _WEEKDAYS, "L#"
)


def _month_table(day_of_month: str, day_of_week: str) -> tuple[tuple[int, ...], ...]:
    by_date, by_weekday = _days_of_month(day_of_month), _days_of_week(day_of_week)

    def days(first: int, length: int) -> set[int]:
        if day_of_month == "*":
            return by_weekday(first, length)
        if day_of_week == "*":
            return by_date(first, length)
        return by_date(first, length) | by_weekday(first, length)

    return tuple(tuple(sorted(days(first, length))) for length in range(28, 32) for first in range(7))


def _days_of_month(text: str) -> _Days:
    if text.upper() == "L":
        return lambda first, length: {length}
    if text.upper() == "LW":
        return lambda first, length: {_nearest_weekday(length, first, length)}
    if match := _NEAREST.fullmatch(text):
        day = _DAY_OF_MONTH.number(match[1], text)
        return lambda first, length: {_nearest_weekday(day, first, length)} if day <= length else set()
    values = _DAY_OF_MONTH.values(text)
    return lambda first, length: {day for day in values if day <= length}


def _nearest_weekday(day: int, first: int, length: int) -> int:
    weekday = (first + day - 1) % 7
    if weekday == calendar.SATURDAY:
        return day - 1 if day > 1 else day + 2
    if weekday == calendar.SUNDAY:
        return day + 1 if day < length else day - 2
    return day


def _days_of_week(text: str) -> _Days:
    # A day's weekday, 1 = Sunday, is (first + day) % 7 + 1 when the month's first has the weekday `first`, 0 = Monday.
    if text.upper() == "L":
        text = "SAT"
    if match := _LAST.fullmatch(text):
        last = _DAY_OF_WEEK.number(match[1], text)
        return lambda first, length: {day for day in range(length - 6, length + 1) if (first + day) % 7 + 1 == last}
    if match := _NTH.fullmatch(text):
        nth = _DAY_OF_WEEK.number(match[1], text)
        if match[2] not in {"1", "2", "3", "4", "5"}:
            raise _DAY_OF_WEEK.error(text, f'the number "{match[2]}" after # is not 1 to 5')
        week = range(int(match[2]) * 7 - 6, int(match[2]) * 7 + 1)
        return lambda first, length: {day for day in week if (first + day) % 7 + 1 == nth and day <= length}
    values = _DAY_OF_WEEK.values(text)
    return lambda first, length: {day for day in range(1, length + 1) if (first + day) % 7 + 1 in values}


def _wrong_count(fields: list[str]) -> str:
    if len(fields) == 1 and fields[0].lower() in _MACROS:
        return f'shorthands are not part of the dialect. Did you mean "{_MACROS[fields[0].lower()]}"?'
    seconds = " There is no field for seconds or years." if len(fields) > 5 else ""
    return (
        f"it has {len(fields)} field{'' if len(fields) == 1 else 's'} instead of five, "
        f"minute hour day-of-month month day-of-week, separated by spaces.{seconds}"
    )
