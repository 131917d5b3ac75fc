"""`cfwf cron next`."""

import json

import pytest
from command import cfwf


def test_next_firings(tmp_path):
    """The next firings are shown in UTC and in the local time, across a change of the clocks."""
    start = ("--from", "2027-03-26T05:00:00Z", "--count", "3")
    done = cfwf("cron", "next", "0 6 * * FRI,SAT,SUN", *start, cwd=tmp_path, TZ="Europe/Berlin")
    assert [
        "UTC                      Your time",
        "Fri 2027-03-26 06:00     Fri 2027-03-26 07:00 CET   +1 h",
        "Sat 2027-03-27 06:00     Sat 2027-03-27 07:00 CET   +1 d 1 h",
        "Sun 2027-03-28 06:00     Sun 2027-03-28 08:00 CEST  +2 d 1 h",
    ] == [line.rstrip() for line in done.stdout.splitlines()]
    assert (0, "") == (done.returncode, done.stderr)


def test_json(tmp_path):
    """--json has each firing as ISO time and in ms."""
    done = cfwf("cron", "next", "0 0 L * *", "--from", "2027-02-01", "--count", "2", "--json", cwd=tmp_path)
    report = json.loads(done.stdout)
    assert ["2027-02-28T00:00:00Z", "2027-03-31T00:00:00Z"] == [each["utc"] for each in report["next"]]
    assert 1_803_772_800_000 == report["next"][0]["ms"]


def test_five_from_now(tmp_path):
    """Without options there are five, the first within its minute."""
    firings = json.loads(cfwf("cron", "next", "* * * * *", "--json", cwd=tmp_path).stdout)
    steps = [later["ms"] - each["ms"] for each, later in zip(firings["next"], firings["next"][1:], strict=False)]
    assert [60_000] * 4 == steps
    assert 0 < firings["next"][0]["ms"] - firings["from"] <= 60_000


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("@daily", 'Did you mean "0 0 * * *"?'),
        ("0 6 * * 0", "Here 1 is Sunday"),
        ("0 6 * *", "it has 4 fields instead of five"),
    ],
)
def test_wrong_expression(tmp_path, expression, reason):
    """What is wrong with an expression is explained, and ends with 1."""
    done = cfwf("cron", "next", expression, cwd=tmp_path)
    assert (1, "") == (done.returncode, done.stdout)
    assert reason in done.stderr


def test_expression_that_never_fires(tmp_path):
    """The 30th of February is told of."""
    assert "never fires" in cfwf("cron", "next", "0 0 30 2 *", cwd=tmp_path).stdout


def test_end_of_time(tmp_path):
    """Beyond the last year there is nothing to show."""
    done = cfwf("cron", "next", "0 0 1 1 *", "--from", "9997-06-01", "--json", cwd=tmp_path)
    assert ["9998-01-01T00:00:00Z"] == [each["utc"] for each in json.loads(done.stdout)["next"]]


def test_wrong_time(tmp_path):
    """--from takes an ISO time only."""
    done = cfwf("cron", "next", "* * * * *", "--from", "tomorrow", cwd=tmp_path)
    assert (2, True) == (done.returncode, "'tomorrow' is no time such as 2027-02-01" in done.stderr)
