"""Signals, while callbacks run: what ends in time is stored, what is cut off is counted and repeated."""

import os
import signal

import pytest
from contract import History
from served import Served


@pytest.fixture
def served(tmp_path):
    hold = tmp_path / "hold"
    hold.touch()
    served = Served(tmp_path, env={"HOLD": str(hold)})
    served.let_go = hold.unlink
    return served


async def begun(served, how):
    """Wait until the callback runs."""
    try:
        await served.create("held", how)
        while len(served.effects) < 2:
            await served.instance("held", how)
    except TimeoutError:  # the event loop is stuck
        assert len(served.effects) >= 2


def send(served, number):
    """As a user does: SIGTERM to the pid that is known, ctrl-C to all in the terminal."""
    if number == signal.SIGINT:
        os.killpg(served.process.pid, number)
    else:
        served.process.send_signal(number)


async def ends(served, how, attempts):
    """Start the server again, and check that the instance ends as its code says after so many attempts."""
    served.start()
    await served.ready()
    await served.until("held", how, "complete")
    assert 0 == await served.stop()
    history = History(served.database, served.effects)
    history.check()
    history.check_end(f"held/{how}")
    assert 1 + attempts == len(served.effects) == history.counts("attempt_started")[f"held/{how}"]


@pytest.mark.parametrize("how", ["waits", "thread"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_callback_that_ends_in_time_is_stored(served, how, number):
    """It is waited for, and not called again by the next process."""
    async with served:
        await begun(served, how)
        send(served, number)
        await served.printed("Shutting down local server")
        served.let_go()
        assert 0 == await served.ended()
        await ends(served, how, 1)


@pytest.mark.parametrize("how", [pytest.param("waits", marks=pytest.mark.soak), "thread", "stuck"])
async def test_a_callback_that_takes_too_long_is_cut_off(served, how):
    """The command ends all the same, with exit code 0; the next process calls it again."""
    async with served:
        served._session._timeout = type(served._session._timeout)(total=1)
        await begun(served, how)
        send(served, signal.SIGTERM)
        assert 0 == await served.ended()
        assert ("the hard way" if how == "stuck" else "was cut off after 5 seconds") in served.text
        served.let_go()
        await ends(served, how, 2)


@pytest.mark.parametrize("how", ["waits", "thread", "stuck"])
@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.soak), signal.SIGINT])
async def test_a_second_signal_ends_at_once_and_loses_nothing(served, how, number):
    """The attempt is repeated, as after kill -9; the step before it is not."""
    async with served:
        served._session._timeout = type(served._session._timeout)(total=1)
        await begun(served, how)
        send(served, number)
        await served.printed("Shutting down local server")
        send(served, number)
        assert 128 + number == await served.ended()
        served.let_go()
        await ends(served, how, 2)
