"""The scenarios of the bindings, recorded from the platform's own local server, played against `cfwf dev`: with options
as dicts, and as keywords.

What differs is in bindings/parity.toml, with its reason. Not part of the default run: `pytest -m conformance`.
"""

import asyncio

import pytest
from bindings_comparison import PARITY, compare, scenarios
from bindings_driver import play
from comparison import Difference, Row, rows, unexplained

pytestmark = pytest.mark.conformance

SCENARIOS = {scenario["name"]: scenario for scenario in scenarios()}
Found = dict[str, list[Difference]]


@pytest.fixture(scope="module")
def table() -> list[Row]:
    return rows(PARITY)


@pytest.fixture(scope="module", params=[False, True], ids=["dicts", "keywords"])
def differences(request: pytest.FixtureRequest, table: list[Row]) -> Found:
    """What no row explains, by scenario."""
    answers = asyncio.run(play(SCENARIOS.values(), keywords=request.param))
    return {name: unexplained(compare(SCENARIOS[name], answers[name]), table) for name in SCENARIOS}


@pytest.mark.parametrize("name", SCENARIOS)
def test_bindings_answer_as_recorded(name: str, differences: Found) -> None:
    """The server answers as the platform's did, but for what parity.toml explains."""
    assert [] == [str(difference) for difference in differences[name]]


def test_every_row_of_the_bindings_explains_something(table: list[Row], differences: Found) -> None:
    """A row of parity.toml that explains no difference any more is to be taken out."""
    assert [] == [row.ours for row in table if not row.used]
