"""What happens to running workflows when the disk takes nothing any more."""

import asyncio

import pytest

from cfworkflows_emulator.storage import StateError


async def test_a_run_whose_journal_cannot_be_written_stops_where_it_stands(serve):
    """It sees no error, no callback starts, nobody is told a status; the next process goes on from the disk."""
    seen, calls = [], []

    async def run(step):
        try:
            await step.do("a", lambda: calls.append("a"))
            await step.sleep("nap", "1 hour")
            await step.do("b", lambda: calls.append("b"))
        except BaseException as error:
            seen.append(type(error).__name__)
            raise
        return "out"

    server = await serve(run, file=True, evict_after_ms=None)
    instance = await server.create(id="i")
    await server.database.run(
        lambda c: c.execute(
            "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )
    )
    await server.clock.advance("1 hour")
    assert (["a"], []) == (calls, seen)
    for ask in (instance.status, instance.pause, lambda: server["run"].create()):
        with pytest.raises(StateError, match="disk is full"):
            await ask()
    await server.database.run(lambda c: c.execute("DROP TRIGGER full"))
    await server.restart()
    await server.clock.advance(0)
    assert "out" == (await server.finish(await server.get("i"))).output
    assert ["a", "b"] == calls


@pytest.mark.parametrize("ending", ["complete", "errored"])
async def test_an_end_that_is_not_stored_is_not_told(serve, caplog, ending):
    """The log names an instance as ended once it has, for whoever reads it as well as for whoever asks."""
    caplog.set_level("INFO", logger="cfworkflows.engine")

    async def run(step):
        await step.sleep("nap", "1 hour")
        if ending == "errored":
            raise ValueError("no")

    def told():
        return [record for record in caplog.records if f"run/i {ending}" in record.getMessage()]

    server = await serve(run, file=True, evict_after_ms=None)
    await server.create(id="i")
    full = "CREATE TRIGGER full BEFORE INSERT ON journal BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    await server.database.run(lambda c: c.execute(full))
    await server.clock.advance("1 hour")
    # Nobody waits for the end, so it is written when there is nothing else to do.
    async with asyncio.timeout(30):
        await server.engine.store.failed()
    assert [] == told()
    await server.database.run(lambda c: c.execute("DROP TRIGGER full"))
    await server.restart()
    await server.clock.advance(0)
    await server.finish(await server.get("i"))
    assert 1 == len(told())
