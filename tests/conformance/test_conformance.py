"""The scenarios that were recorded from the platform's own local server, played against `cfwf dev`.

What differs is in parity.toml, with its reason. Not part of the default run: `pytest -m conformance`.
"""

import asyncio

import pytest
from comparison import Difference, Row, compare, rows, scenarios, unexplained
from driver import play

pytestmark = pytest.mark.conformance

NAMES = [scenario["name"] for scenario in scenarios()]


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return rows()


@pytest.fixture(scope="module")
def differences(table: list[Row]) -> dict[str, list[Difference]]:
    """What no row explains, by scenario. All scenarios are played at once: most of their time is spent in sleeps."""
    answers = asyncio.run(play(scenarios()))
    return {name: unexplained(compare(name, answers[name]), table) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_scenario_is_as_recorded(name: str, differences: dict[str, list[Difference]]) -> None:
    """The server answers as the platform's did, but for what parity.toml explains."""
    assert [] == [str(difference) for difference in differences[name]]


@pytest.mark.parametrize("index", range(len(rows())), ids=lambda index: rows()[index].ours)
def test_every_row_explains_something(index: int, table: list[Row], differences: dict[str, list[Difference]]) -> None:
    """A row of parity.toml that explains no difference any more is to be taken out."""
    assert set() != table[index].used, table[index]
