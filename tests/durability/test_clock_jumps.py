"""A wall clock that somebody sets, by an hour: no sleep ends early, and none takes an hour longer."""

import sys
import time
from pathlib import Path

import pytest
from contract import History
from served import Served

NAP_MS = 2_000


@pytest.fixture
def served(tmp_path):
    jump = tmp_path / "jump"
    jump.write_text("0")
    program = [sys.executable, str(Path(__file__).parent / "jumping.py")]
    served = Served(tmp_path, command=program, env={"JUMP": str(jump)})
    served.set_clock = lambda hours: jump.write_text(str(hours))
    return served


@pytest.mark.parametrize("hours", [-1, 1])
@pytest.mark.parametrize("killed", [False, True], ids=["", "and the worker is killed"])
async def test_a_clock_that_is_set_moves_no_deadline(served, hours, killed):
    """A sleep of two seconds takes two seconds, also if another worker takes it up."""
    async with served:
        began = time.monotonic()
        await served.create("nap", str(NAP_MS))
        await served.until("nap", str(NAP_MS), "waiting")
        served.set_clock(hours)
        if killed:
            await served.kill_worker()
            await served.printed("Reloaded in")
        await served.until("nap", str(NAP_MS), "complete")
        assert NAP_MS / 1000 <= time.monotonic() - began
        assert 0 == await served.stop()
    History(served.database, served.effects).check()


async def test_a_clock_that_was_set_back_before_the_next_start_turns_nothing_back(served):
    """The time of a project goes on from where it stood, so what sleeps is not late by an hour."""
    async with served:
        await served.create("nap", str(NAP_MS))
        await served.until("nap", str(NAP_MS), "waiting")
        assert 0 == await served.stop()
        served.set_clock(-1)
        served.start()
        await served.ready()
        await served.until("nap", str(NAP_MS), "complete")
        served.kill()
    History(served.database, served.effects).check()
