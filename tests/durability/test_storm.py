"""The whole contract at once: real processes that are killed at any moment, while clients ask for all there is."""

import os
import random

import pytest
from served import Served
from storm import Storm

SHORT_KILLS = 40
LONG_KILLS = 400


@pytest.fixture
def seed():
    """STORM_SEED repeats the decisions of a storm, though not the moments at which processes come to them."""
    seed = int(os.environ.get("STORM_SEED", random.randrange(2**32)))
    print(f"STORM_SEED={seed}")
    return seed


@pytest.mark.parametrize("kills", [SHORT_KILLS, pytest.param(LONG_KILLS, marks=pytest.mark.soak)])
async def test_nothing_that_was_acknowledged_is_lost_in_a_storm(tmp_path, seed, kills):
    """Every instance comes to its end, and no stored result is computed again, however often the processes die."""
    served = Served(tmp_path)
    storm = Storm(served, seed)
    try:
        await storm.blow(kills)
        history = await storm.calm()
    finally:
        await served.close()
    cut_off = sum(history.counts("attempt_errored", "internal workflows error").values())
    print(f"{storm.kills} kills, {storm.unanswered} unanswered, {len(history.status)} instances, {cut_off} cut off")
    assert {"complete", "errored", "terminated"} == set(history.status.values())
    assert cut_off > 0
