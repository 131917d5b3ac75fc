import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows.durations import GRAMMAR, parse_duration
from cfworkflows.errors import DurationError

UNITS = {
    "second": 1_000,
    "minute": 60_000,
    "hour": 3_600_000,
    "day": 24 * 3_600_000,
    "week": 7 * 24 * 3_600_000,
    "month": 30 * 24 * 3_600_000,
    "year": 365.25 * 24 * 3_600_000,
}

numbers = st.one_of(
    st.integers(0, 10**12).map(str),
    st.decimals(0, 10**6, places=3).map(lambda number: f"{number:f}"),
)


@given(number=numbers, unit=st.sampled_from(sorted(UNITS)), plural=st.sampled_from(["", "s"]), gap=st.integers(1, 5))
def test_every_number_and_unit_is_read(number: str, unit: str, plural: str, gap: int) -> None:
    """A number, spaces and a unit with or without s are the number times the unit's milliseconds."""
    assert float(number) * UNITS[unit] == parse_duration(f"{number}{' ' * gap}{unit}{plural}")


@given(ms=st.one_of(st.integers(0, 10**18), st.floats(0, allow_infinity=False)))
def test_a_number_is_milliseconds(ms: float) -> None:
    """Numbers are taken as they are."""
    assert ms == parse_duration(ms)


@given(number=numbers)
def test_text_of_digits_is_milliseconds(number: str) -> None:
    """A number written as text means the same as the number."""
    assert float(number) == parse_duration(number)


@given(duration=st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=100_000)))
def test_a_timedelta_is_its_milliseconds(duration: timedelta) -> None:
    """A timedelta keeps its microseconds."""
    assert duration.total_seconds() * 1000 == pytest.approx(parse_duration(duration))


@pytest.mark.parametrize(
    "text",
    [
        "banana",
        "",
        " ",
        "5minutes",
        "1s",
        "5 m",
        "5 ms",
        "5 fortnights",
        "5 Minutes",
        " 5 minutes",
        "5 minutes ",
        "5 minutes\n",
        "5\tminutes",
        "5 minutess",
        "minutes",
        "five minutes",
        "-5 minutes",
        "+5 minutes",
        "5. minutes",
        ".5 minutes",
        "5,5 minutes",
        "1e3",
        "1e3 seconds",
        "Infinity",
        "NaN seconds",
        "1 hour 30 minutes",
        "\u0665 minutes",
    ],
)
def test_text_outside_the_grammar_is_refused_with_the_grammar(text: str) -> None:
    """What the platform's local server takes for milliseconds or not-a-number is an error that says what to write."""
    with pytest.raises(DurationError) as refused:
        parse_duration(text)
    assert f"{text!r} is not a duration: expected {GRAMMAR}." in str(refused.value)


@pytest.mark.parametrize("value", [None, True, False, [5], {"minutes": 5}, b"5 minutes", 5j])
def test_other_types_are_refused_with_the_grammar(value: object) -> None:
    """A bool is not a number of milliseconds, and neither is anything that is no text, number or timedelta."""
    with pytest.raises(DurationError) as refused:
        parse_duration(value)  # type: ignore[arg-type]
    assert f"{value!r} is not a duration: expected {GRAMMAR}." == str(refused.value)


@pytest.mark.parametrize("value", [-1, -0.5, math.inf, -math.inf, math.nan, timedelta(seconds=-1), "9" * 400])
def test_negative_and_endless_durations_are_refused(value: float) -> None:
    """A duration has an end, and that is not in the past."""
    with pytest.raises(DurationError) as refused:
        parse_duration(value)
    assert f"{value!r} is not a duration: it must be finite and not negative." == str(refused.value)


@pytest.mark.parametrize("value", [10**400, -(10**400), 10**5000], ids=["large", "negative", "unprintable"])
def test_an_integer_beyond_every_float_is_refused(value: int) -> None:
    """An integer too large for a float is no duration either, even one too long for Python to print."""
    with pytest.raises(DurationError) as refused:
        parse_duration(value)
    assert "That integer is not a duration: it must be finite and not negative." == str(refused.value)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1s", '"1 second"'),
        ("30s", '"30 seconds"'),
        ("5minutes", '"5 minutes"'),
        ("5 min", '"5 minutes"'),
        ("5 mins", '"5 minutes"'),
        ("2.5 hrs", '"2.5 hours"'),
        ("1 Day", '"1 day"'),
        (" 2 weeks ", '"2 weeks"'),
        ("100ms", "100 (a number is milliseconds)"),
    ],
)
def test_a_near_miss_is_answered_with_what_was_meant(text: str, meant: str) -> None:
    """The usual slips get the right spelling in the message."""
    with pytest.raises(DurationError) as refused:
        parse_duration(text)
    assert str(refused.value).endswith(f"Did you mean {meant}?")


@given(number=st.integers(1, 999), word=st.sampled_from(["s", "sec", "m", "min", "h", "hr", "d", "w", *UNITS]))
def test_what_the_message_suggests_is_a_duration(number: int, word: str) -> None:
    """A suggestion can be copied as it stands."""
    with pytest.raises(DurationError) as refused:
        parse_duration(f"{number}{word}")
    assert parse_duration(str(refused.value).split('Did you mean "')[1].removesuffix('"?')) > 0


@pytest.mark.parametrize("text", ["banana", "5 fortnights", "\u0665minutes", "5 x"])
def test_a_wild_guess_gets_no_suggestion(text: str) -> None:
    """Nothing is suggested where nothing is near, nor a spelling that would be refused again."""
    with pytest.raises(DurationError) as refused:
        parse_duration(text)
    assert "Did you mean" not in str(refused.value)


def test_text_of_a_class_of_its_own_is_read_as_text() -> None:
    """An enumeration's member, for instance."""

    class Text(str):
        __slots__ = ()

    assert 5_000 == parse_duration(Text("5 seconds"))
