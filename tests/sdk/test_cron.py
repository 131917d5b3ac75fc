import calendar
import contextlib
import copy
import pickle
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cfworkflows.cron import LONGEST, CronError, CronExpression
from cfworkflows.errors import CfworkflowsError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = 60_000
DAY = 1_440 * MINUTE
CYCLE = 146_097 * DAY  # 400 years
WEEKDAYS = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"]
MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]


def ms(text: str) -> int:
    """The time of `2026-06-02 17:00`, UTC."""
    return (datetime.fromisoformat(text).replace(tzinfo=UTC) - EPOCH) // timedelta(milliseconds=1)


def utc(time_ms: int) -> datetime:
    return EPOCH + timedelta(milliseconds=time_ms)


def firings(expression: str, after: str, count: int) -> list[str]:
    cron, time, found = CronExpression.parse(expression), ms(after), []
    for _ in range(count):
        following = cron.next_after(time)
        assert following is not None
        found.append(f"{utc(following):%Y-%m-%d %H:%M}")
        time = following
    return found


# June 2026 begins on a Monday; 1 and 2 August 2026 are a Saturday and a Sunday, and so are 30 and 31 May.
@pytest.mark.parametrize(
    ("expression", "after", "expected"),
    [
        ("* * * * *", "2026-06-02 10:07", ["2026-06-02 10:08", "2026-06-02 10:09"]),
        ("*/30 * * * *", "2026-06-02 10:07", ["2026-06-02 10:30", "2026-06-02 11:00"]),
        ("45 * * * *", "2026-06-02 23:45", ["2026-06-03 00:45", "2026-06-03 01:45"]),
        ("10-40/15 9,17 * * *", "2026-06-02 09:20", ["2026-06-02 09:25", "2026-06-02 09:40", "2026-06-02 17:10"]),
        ("50/4 0 * * *", "2026-06-02 00:00", ["2026-06-02 00:50", "2026-06-02 00:54", "2026-06-02 00:58"]),
        ("59 23 31 12 *", "2026-12-31 23:58", ["2026-12-31 23:59", "2027-12-31 23:59"]),
        ("0 17 * * 1", "2026-06-02 00:00", ["2026-06-07 17:00", "2026-06-14 17:00"]),
        ("0 17 * * SUN", "2026-06-02 00:00", ["2026-06-07 17:00", "2026-06-14 17:00"]),
        ("0 6 * * 2-6", "2026-06-04 06:00", ["2026-06-05 06:00", "2026-06-08 06:00"]),
        ("0 6 * * MON-FRI", "2026-06-04 06:00", ["2026-06-05 06:00", "2026-06-08 06:00"]),
        ("0 6 * * mon-6", "2026-06-04 06:00", ["2026-06-05 06:00", "2026-06-08 06:00"]),
        ("0 6 * * 7", "2026-06-04 06:00", ["2026-06-06 06:00"]),
        ("0 6 * * L", "2026-06-04 06:00", ["2026-06-06 06:00", "2026-06-13 06:00"]),
        ("59 23 L * *", "2026-01-01 00:00", ["2026-01-31 23:59", "2026-02-28 23:59", "2026-03-31 23:59"]),
        ("0 0 l 2 *", "2027-06-01 00:00", ["2028-02-29 00:00", "2029-02-28 00:00"]),
        ("0 18 LW * *", "2026-05-01 00:00", ["2026-05-29 18:00", "2026-06-30 18:00"]),
        ("0 18 lw 2,10 *", "2026-01-01 00:00", ["2026-02-27 18:00", "2026-10-30 18:00"]),
        ("0 0 15W * *", "2026-01-01 00:00", ["2026-01-15 00:00", "2026-02-16 00:00", "2026-03-16 00:00"]),
        ("0 0 1w 8 *", "2026-01-01 00:00", ["2026-08-03 00:00"]),
        ("0 0 2W 8 *", "2026-01-01 00:00", ["2026-08-03 00:00"]),
        ("0 0 30W 5 *", "2026-01-01 00:00", ["2026-05-29 00:00"]),
        ("0 0 31W * *", "2026-05-01 00:00", ["2026-05-29 00:00", "2026-07-31 00:00", "2026-08-31 00:00"]),
        ("0 0 31 * *", "2026-05-01 00:00", ["2026-05-31 00:00", "2026-07-31 00:00", "2026-08-31 00:00"]),
        ("0 0 * * 6L", "2026-06-01 00:00", ["2026-06-26 00:00", "2026-07-31 00:00"]),
        ("0 0 * * FRIL", "2026-06-01 00:00", ["2026-06-26 00:00", "2026-07-31 00:00"]),
        ("0 0 * * 2#1", "2026-06-01 00:00", ["2026-07-06 00:00", "2026-08-03 00:00"]),
        ("0 0 * * mon#5", "2026-06-01 00:00", ["2026-06-29 00:00", "2026-08-31 00:00"]),
        ("0 0 1 JAN,jul *", "2026-06-01 00:00", ["2026-07-01 00:00", "2027-01-01 00:00"]),
        ("0 0 1 */5 *", "2026-01-02 00:00", ["2026-06-01 00:00", "2026-11-01 00:00", "2027-01-01 00:00"]),
        ("0 0 1 Nov-12 *", "2026-06-01 00:00", ["2026-11-01 00:00", "2026-12-01 00:00"]),
        ("0 0 13 * FRI", "2026-06-06 00:00", ["2026-06-12 00:00", "2026-06-13 00:00", "2026-06-19 00:00"]),
        ("0 0 L * 6L", "2026-06-01 00:00", ["2026-06-26 00:00", "2026-06-30 00:00", "2026-07-31 00:00"]),
        ("0 0 */20 6 MON", "2026-06-01 00:00", ["2026-06-08 00:00", "2026-06-15 00:00", "2026-06-21 00:00"]),
        ("0 0 30 2 SUN", "2026-02-01 00:00", ["2026-02-08 00:00"]),
        ("0 0 29 2 *", "2026-06-01 00:00", ["2028-02-29 00:00", "2032-02-29 00:00"]),
        ("0 0 29 2 *", "2096-02-29 00:00", ["2104-02-29 00:00"]),
        ("0 0 * 2 1#5", "2004-02-29 00:00", ["2032-02-29 00:00", "2060-02-29 00:00"]),
        ("0 0 * 2 1#5", "2088-02-29 00:00", ["2128-02-29 00:00"]),
        ("  05   6 * *  * ", "2026-06-02 00:00", ["2026-06-02 06:05"]),
    ],
)
def test_an_expression_fires_when_the_dialect_says(expression: str, after: str, expected: list[str]) -> None:
    """Each form of each field, on dates that can be read off a calendar."""
    assert expected == firings(expression, after, len(expected))


@pytest.mark.parametrize("expression", ["0 0 30 2 *", "0 0 31 2,4,6,9,11 *", "0 0 30W FEB *", "* * 31 APR *"])
def test_a_day_that_never_comes_has_no_firing(expression: str) -> None:
    """The search ends, with None, when no year has the day."""
    assert CronExpression.parse(expression).next_after(ms("2026-06-02 00:00")) is None


def test_next_is_strictly_after() -> None:
    """A firing is not its own successor, and the millisecond before it leads to it."""
    cron = CronExpression.parse("0 17 * * *")
    five = ms("2026-06-02 17:00")
    assert five == cron.next_after(five - 1)
    assert five + DAY == cron.next_after(five)
    assert five + DAY == cron.next_after(five + 1)


def test_a_whole_minute_matches() -> None:
    """Every millisecond of the firing's minute matches, and none beside it."""
    cron = CronExpression.parse("0 17 2 6 *")
    five = ms("2026-06-02 17:00")
    assert [False, True, True, False] == [cron.matches(five + each) for each in (-1, 0, MINUTE - 1, MINUTE)]
    assert [False, False, False] == [cron.matches(five + each) for each in (-60 * MINUTE, DAY, 30 * DAY)]


def test_an_expression_is_an_immutable_value() -> None:
    """It compares and hashes by what it says, survives copies, and cannot be changed."""
    cron = CronExpression.parse("0 6 * * MON-FRI")
    assert cron == CronExpression.parse("0 6 * * MON-FRI") == copy.deepcopy(cron) == pickle.loads(pickle.dumps(cron))
    assert hash(cron) == hash(CronExpression.parse("0 6 * * MON-FRI"))
    assert cron != CronExpression.parse("0 6 * * 2-6")
    assert "0 6 * * MON-FRI" == str(cron) == cron.text
    assert "CronExpression(text='0 6 * * MON-FRI')" == repr(cron)
    with pytest.raises(FrozenInstanceError):
        cron.text = "* * * * *"  # type: ignore[misc]


MINUTES = "minute field. Allowed: 0 to 59, with , - * /."
HOURS = "hour field. Allowed: 0 to 23, with , - * /."
DATES = "day-of-month field. Allowed: 1 to 31, with , - * /, or one of L, LW, 15W."
YEAR = "month field. Allowed: 1 to 12 or JAN to DEC, with , - * /."
WEEK = "day-of-week field. Allowed: 1 (Sunday) to 7 (Saturday) or SUN to SAT, with , - * /, or one of L, 6L, 2#1."
SUNDAY = ' Here 1 is Sunday: write 1 or "SUN". Names, unlike numbers, mean the same here and in Unix cron.'
ALONE = " take no list, range, step or offset: use a schedule for each."
FIVE = "instead of five, minute hour day-of-month month day-of-week, separated by spaces."


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("0 0 * * 0", f'"0" is no day-of-week, in "0" of the {WEEK}{SUNDAY}'),
        ("0 0 * * 0-4", f'"0" is no day-of-week, in "0-4" of the {WEEK}{SUNDAY}'),
        ("0 0 * * 00L", f'"00" is no day-of-week, in "00L" of the {WEEK}{SUNDAY}'),
        ("0 0 * * 0#2", f'"0" is no day-of-week, in "0#2" of the {WEEK}{SUNDAY}'),
        ("0 0 * * 8", f'"8" is no day-of-week, in "8" of the {WEEK}'),
        ("0 0 * * Monday", f'"Monday" is no day-of-week, in "Monday" of the {WEEK} Did you mean "MON"?'),
        ("0 0 * * JUL", f'"JUL" is no day-of-week, in "JUL" of the {WEEK}'),
        ("0 0 * * L,6L", f'"L" is no day-of-week, in "L,6L" of the {WEEK} L and #{ALONE}'),
        ("0 0 * * fril/2", f'"fril" is no day-of-week, in "fril/2" of the {WEEK} L and #{ALONE}'),
        ("0 0 * * 2,3#1", f'"3#1" is no value, range or step, in "2,3#1" of the {WEEK} L and #{ALONE}'),
        ("0 0 * * 6W", f'"6W" is no day-of-week, in "6W" of the {WEEK}'),
        ("0 0 * * 2#0", f'the number "0" after # is not 1 to 5, in "2#0" of the {WEEK}'),
        ("0 0 * * 2#6", f'the number "6" after # is not 1 to 5, in "2#6" of the {WEEK}'),
        ("0 0 * * 2#x", f'the number "x" after # is not 1 to 5, in "2#x" of the {WEEK}'),
        ("0 0 * * 2#", f'"2#" is no value, range or step, in "2#" of the {WEEK}'),
        ("0 0 * * ?", f'"?" is no value, range or step, in "?" of the {WEEK} Write * where Quartz has ?.'),
        ("0 0 * * FRI-MON", f'the range "FRI-MON" runs backwards, in "FRI-MON" of the {WEEK} Did you mean "6-7,1-2"?'),
        ("0 0 * * */8", f'the step "8" is no number from 1 to 7, in "*/8" of the {WEEK}'),
        ("0 0 * * \u017fUN", f'"\u017fUN" is no value, range or step, in "\u017fUN" of the {WEEK} Did you mean "SUN"?'),
        ("0 0 ? * 2", f'"?" is no value, range or step, in "?" of the {DATES} Write * where Quartz has ?.'),
        ("0 0 0 * *", f'"0" is no day-of-month, in "0" of the {DATES}'),
        ("0 0 32 * *", f'"32" is no day-of-month, in "32" of the {DATES}'),
        ("0 0 32W * *", f'"32" is no day-of-month, in "32W" of the {DATES}'),
        ("0 0 L-3 * *", f'"L" is no day-of-month, in "L-3" of the {DATES} L and W{ALONE}'),
        ("0 0 1,L * *", f'"L" is no day-of-month, in "1,L" of the {DATES} L and W{ALONE}'),
        ("0 0 1W,15w * *", f'"1W" is no day-of-month, in "1W,15w" of the {DATES} L and W{ALONE}'),
        ("0 0 1-5W * *", f'"5W" is no day-of-month, in "1-5W" of the {DATES} L and W{ALONE}'),
        ("0 0 2#1 * *", f'"2#1" is no value, range or step, in "2#1" of the {DATES}'),
        ("0 0 MON * *", f'"MON" is no day-of-month, in "MON" of the {DATES}'),
        (
            "0 0 *,3 * *",
            f'* means every value, and takes neither a range nor others beside it, in "*,3" of the {DATES}',
        ),
        ("0 0 1 0 *", f'"0" is no month, in "0" of the {YEAR}'),
        ("0 0 1 13 *", f'"13" is no month, in "13" of the {YEAR}'),
        ("0 0 1 june *", f'"june" is no month, in "june" of the {YEAR} Did you mean "JUN"?'),
        ("0 0 1 L *", f'"L" is no month, in "L" of the {YEAR}'),
        ("0 0 1 JAN/x *", f'the step "x" is no number from 1 to 12, in "JAN/x" of the {YEAR}'),
        ("0 24 * * *", f'"24" is no hour, in "24" of the {HOURS}'),
        ("0 22-2 * * *", f'the range "22-2" runs backwards, in "22-2" of the {HOURS} Did you mean "22-23,0-2"?'),
        ("0 22-2/2 * * *", f'the range "22-2" runs backwards, in "22-2/2" of the {HOURS}'),
        ("60 * * * *", f'"60" is no minute, in "60" of the {MINUTES}'),
        ("-1 * * * *", f'"-1" is no value, range or step, in "-1" of the {MINUTES}'),
        ("1-2-3 * * * *", f'"1-2-3" is no value, range or step, in "1-2-3" of the {MINUTES}'),
        ("1,,2 * * * *", f'a value is missing, in "1,,2" of the {MINUTES}'),
        ("*/0 * * * *", f'the step "0" is no number from 1 to 59, in "*/0" of the {MINUTES}'),
        ("*/60 * * * *", f'the step "60" is no number from 1 to 59, in "*/60" of the {MINUTES}'),
        (
            "*-5/2 * * * *",
            f'* means every value, and takes neither a range nor others beside it, in "*-5/2" of the {MINUTES}',
        ),
        ("1.5 * * * *", f'"1.5" is no value, range or step, in "1.5" of the {MINUTES}'),
        ("\u0665 * * * *", f'"\u0665" is no value, range or step, in "\u0665" of the {MINUTES}'),
        ("", f"it has 0 fields {FIVE}"),
        ("banana", f"it has 1 field {FIVE}"),
        ("* * * *", f"it has 4 fields {FIVE}"),
        ("* * *\t* *", f"it has 4 fields {FIVE}"),
        ("0 * * * * *", f"it has 6 fields {FIVE} There is no field for seconds or years."),
        ("@Daily", 'shorthands are not part of the dialect. Did you mean "0 0 * * *"?'),
        ("@reboot", f"it has 1 field {FIVE}"),
    ],
)
def test_a_wrong_expression_is_refused_with_what_is_allowed(expression: str, problem: str) -> None:
    """The message has the expression, what is wrong, the field, what it allows, and a suggestion where one is near."""
    with pytest.raises(CronError) as refused:
        CronExpression.parse(expression)
    assert f"{expression!r} is not a cron expression: {problem}" == str(refused.value)
    assert isinstance(refused.value, CfworkflowsError)
    assert isinstance(refused.value, ValueError)


@pytest.mark.parametrize(
    ("macro", "example"),
    [
        ("@yearly", "2027-01-01 00:00"),
        ("@annually", "2027-01-01 00:00"),
        ("@monthly", "2026-07-01 00:00"),
        ("@weekly", "2026-06-07 00:00"),
        ("@daily", "2026-06-03 00:00"),
        ("@midnight", "2026-06-03 00:00"),
        ("@hourly", "2026-06-02 11:00"),
    ],
)
def test_a_shorthand_is_answered_with_its_expression(macro: str, example: str) -> None:
    """What is suggested for `@weekly` and the like is an expression, and fires when the shorthand would."""
    with pytest.raises(CronError) as refused:
        CronExpression.parse(macro)
    meant = str(refused.value).split('Did you mean "')[1].removesuffix('"?')
    assert [example] == firings(meant, "2026-06-02 10:07", 1)


@given(field=st.integers(0, 4), start=st.integers(0, 59), end=st.integers(0, 59))
def test_what_is_suggested_for_a_backward_range_is_accepted(field: int, start: int, end: int) -> None:
    """A suggestion can be copied as it stands."""
    fields = ["0", "0", "1", "1", "1"]
    fields[field] = f"{start}-{end}"
    try:
        CronExpression.parse(" ".join(fields))
    except CronError as refused:
        if "runs backwards" in str(refused):
            fields[field] = str(refused).split('Did you mean "')[1].removesuffix('"?')
            CronExpression.parse(" ".join(fields))


def test_the_longest_expression_has_256_characters() -> None:
    """One more character is refused, with both numbers."""
    longest = "0 0 * * 1" + ",2" * 123 + " "
    assert LONGEST == len(longest) == 256
    CronExpression.parse(longest)
    with pytest.raises(CronError) as refused:
        CronExpression.parse(longest + " ")
    assert "A cron expression has at most 256 characters, and this one has 257." == str(refused.value)


# A second reading of the dialect, as far from the first as it can be: each generated field comes with a test of one
# moment, and every minute, or every day, of a window is put to it.
Allows = Callable[[datetime], bool]


@st.composite
def values(draw: st.DrawFn, low: int, high: int, names: list[str] | None = None) -> tuple[str, set[int]]:
    """A list of values, ranges and steps, and the numbers in it."""

    def write(number: int) -> str:
        spellings = [str(number), f"{number:02}"]
        if names is not None:
            spellings += [names[number - low], names[number - low].lower()]
        return draw(st.sampled_from(spellings))

    texts, allowed = [], set()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(low, high))
        end = draw(st.integers(start, high))
        step = draw(st.integers(1, high))
        form = draw(st.sampled_from(["value", "range", "range/step", "value/step", "*/step"]))
        match form:
            case "value":
                texts.append(write(start))
                allowed.add(start)
            case "range":
                texts.append(f"{write(start)}-{write(end)}")
                allowed.update(number for number in range(low, high + 1) if start <= number <= end)
            case "range/step":
                texts.append(f"{write(start)}-{write(end)}/{step}")
                allowed.update(number for number in range(start, end + 1) if (number - start) % step == 0)
            case "value/step":
                texts.append(f"{write(start)}/{step}")
                allowed.update(number for number in range(start, high + 1) if (number - start) % step == 0)
            case _:
                texts.append(f"*/{step}")
                allowed.update(number for number in range(low, high + 1) if (number - low) % step == 0)
    return ",".join(texts), allowed


def quartz(moment: datetime) -> int:
    return moment.isoweekday() % 7 + 1


def nearest(moment: datetime, target: int) -> bool:
    days = range(1, calendar.monthrange(moment.year, moment.month)[1] + 1)
    if target not in days or abs(moment.day - target) > 2:
        return False
    working = [day for day in days if date(moment.year, moment.month, day).isoweekday() <= 5]
    return moment.day == min(working, key=lambda day: abs(day - target))


def last(moment: datetime) -> bool:
    return (moment + timedelta(days=1)).day == 1


@st.composite
def dates(draw: st.DrawFn) -> tuple[str, Allows]:
    match draw(st.sampled_from(["*", "values", "values", "L", "LW", "W"])):
        case "*":
            return "*", lambda moment: True
        case "L":
            return "L", last
        case "LW":
            return "LW", lambda moment: nearest(moment, calendar.monthrange(moment.year, moment.month)[1])
        case "W":
            target = draw(st.integers(1, 31))
            return f"{target}W", lambda moment: nearest(moment, target)
        case _:
            text, allowed = draw(values(1, 31))
            return text, lambda moment: moment.day in allowed


@st.composite
def weekdays(draw: st.DrawFn) -> tuple[str, Allows]:
    number = draw(st.integers(1, 7))
    name = draw(st.sampled_from([str(number), WEEKDAYS[number - 1]]))
    match draw(st.sampled_from(["*", "*", "values", "L", "nL", "#"])):
        case "*":
            return "*", lambda moment: True
        case "L":
            return "L", lambda moment: quartz(moment) == 7
        case "nL":
            week = timedelta(days=7)
            return f"{name}L", lambda moment: quartz(moment) == number and (moment + week).month != moment.month
        case "#":
            nth = draw(st.integers(1, 5))
            return f"{name}#{nth}", lambda moment: quartz(moment) == number and -(-moment.day // 7) == nth
        case _:
            text, allowed = draw(values(1, 7, WEEKDAYS))
            return text, lambda moment: quartz(moment) in allowed


@st.composite
def expressions(draw: st.DrawFn, *, time: str | None = None) -> tuple[str, Allows]:
    """An expression, and whether it fires at a moment; `time` fixes the minute and the hour."""
    every = ("*", set(range(60)))
    minute, minutes = (
        draw(values(0, 59) | st.just(every)) if time is None else (time.split()[0], {int(time.split()[0])})
    )
    hour, hours = draw(values(0, 23) | st.just(every)) if time is None else (time.split()[1], {int(time.split()[1])})
    month, months = draw(values(1, 12, MONTHS) | st.just(every))
    (by_date, on_date), (by_weekday, on_weekday) = draw(dates()), draw(weekdays())

    def fires(moment: datetime) -> bool:
        if moment.minute not in minutes or moment.hour not in hours or moment.month not in months:
            return False
        if by_date != "*" and by_weekday != "*":
            return on_date(moment) or on_weekday(moment)
        return on_date(moment) and on_weekday(moment)

    return f"{minute} {hour} {by_date} {month} {by_weekday}", fires


times = st.integers(ms("1890-01-01 00:00"), ms("2410-01-01 00:00"))


@settings(deadline=None)
@given(case=expressions(), after=times)
def test_next_and_matches_agree_with_a_scan_minute_by_minute(case: tuple[str, Allows], after: int) -> None:
    """In a window of two days, what fires is what a second reading of the dialect finds, minute by minute."""
    text, fires = case
    cron = CronExpression.parse(text)
    first = after // MINUTE * MINUTE + MINUTE
    minutes = range(first, first + 2 * DAY, MINUTE)
    expected = [minute for minute in minutes if fires(utc(minute))]
    found = []
    following = cron.next_after(after)
    while following is not None and following < minutes.stop:
        found.append(following)
        following = cron.next_after(following)
    assert expected == found
    assert expected == [minute for minute in minutes if cron.matches(minute)]


@settings(deadline=None)
@given(case=expressions(time="30 12"), after=times)
def test_next_agrees_with_a_scan_day_by_day(case: tuple[str, Allows], after: int) -> None:
    """Over nine years, so that a leap day comes, the days that fire are those of the second reading."""
    text, fires = case
    cron = CronExpression.parse(text)
    first = after // DAY * DAY + DAY + ms("1970-01-01 12:30")
    days = range(first, first + 9 * 366 * DAY, DAY)
    expected = [day for day in days if fires(utc(day))]
    found = []
    following = cron.next_after(first - 1)
    while following is not None and following < days.stop:
        found.append(following)
        following = cron.next_after(following)
    assert expected == found


@given(case=expressions(), early=times, late=times)
def test_a_later_time_never_has_an_earlier_firing(case: tuple[str, Allows], early: int, late: int) -> None:
    """`next_after` is monotonic, moves forward, lands on a matching minute and skips none before it."""
    cron = CronExpression.parse(case[0])
    early, late = sorted([early, late])
    sooner, later = cron.next_after(early), cron.next_after(late)
    assert (sooner is None) == (later is None)
    if sooner is not None and later is not None:
        assert sooner <= later
        assert early < sooner
        assert sooner % MINUTE == 0
        assert cron.matches(sooner)
        assert sooner == cron.next_after(sooner - 1)
        assert sooner == later or sooner <= late


@given(case=expressions(), after=times, cycles=st.integers(-(10**6), 10**6))
def test_the_calendar_repeats_after_400_years(case: tuple[str, Allows], after: int, cycles: int) -> None:
    """Times beyond the years that Python's dates have are no error: every cycle fires alike."""
    cron = CronExpression.parse(case[0])
    following = cron.next_after(after)
    expected = None if following is None else following + cycles * CYCLE
    assert expected == cron.next_after(after + cycles * CYCLE)
    assert cron.matches(after) == cron.matches(after + cycles * CYCLE)


@given(text=st.text(alphabet="0123456789*/,-?LW#@ SUNMOJAxl\t_", max_size=24) | st.text(max_size=12))
def test_any_text_is_an_expression_or_a_cron_error(text: str) -> None:
    """No text escapes with another error."""
    for expression in (text, f"0 0 {text} * *", f"0 0 * * {text}"):
        with contextlib.suppress(CronError):
            assert CronExpression.parse(expression).text == expression
