"""Operations: coroutines that are driven without a task."""

import asyncio

import pytest

from cfworkflows_emulator.actors import Latch, Operation


class Ending:
    """How an operation ended: `result` and `error`, None before."""

    def __init__(self):
        self.came = False

    def __call__(self, result, error):
        assert not self.came
        self.came, self.result, self.error = True, result, error


async def test_it_goes_on_within_the_call_that_opens_the_latch():
    """No turn of the event loop passes from the start to the end."""
    latch, ending = Latch(), Ending()

    async def work():
        return [await latch, await latch]

    Operation(work(), "x", ending).start()
    assert not ending.came
    latch.open(1)
    latch.open(2)
    assert ([1, 1], None) == (ending.result, ending.error)


async def test_it_may_end_before_start_returns():
    """There was nothing to wait for."""
    latch, ending = Latch(), Ending()
    latch.open("there")

    async def work():
        return await latch

    Operation(work(), "x", ending).start()
    assert "there" == ending.result


async def test_it_waits_for_futures_and_turns_of_the_loop_too():
    """What a task can wait for."""
    future, ending = asyncio.get_running_loop().create_future(), Ending()

    async def work():
        await asyncio.sleep(0)
        return await future

    operation = Operation(work(), "x", ending)
    operation.start()
    over = operation.over
    future.set_result(7)
    await over
    assert 7 == ending.result


@pytest.mark.parametrize("fail", [lambda latch, error: latch.fail(error), lambda latch, error: latch.settle(error)])
async def test_an_error_is_raised_where_it_waits(fail):
    """And ends it, unless it is caught there."""
    latch, ending = Latch(), Ending()

    async def work():
        try:
            await latch
        except ValueError as error:
            raise KeyError("k") from error

    Operation(work(), "x", ending).start()
    fail(latch, ValueError("v"))
    assert isinstance(ending.error, KeyError)
    assert isinstance(ending.error.__cause__, ValueError)


@pytest.mark.parametrize("future", [False, True])
async def test_one_that_is_cancelled_is_not_woken_any_more(future):
    """What it waited for comes too late; cleaning up may wait for something else."""
    latch, cleaned, ending = Latch(), Latch(), Ending()
    waited = asyncio.get_running_loop().create_future() if future else latch

    async def work():
        try:
            await waited
        finally:
            await cleaned

    operation = Operation(work(), "x", ending)
    operation.start()
    operation.cancel()
    if future:
        waited.set_result(None)
    else:
        latch.open(None)
    await asyncio.sleep(0)
    assert not ending.came
    cleaned.open(None)
    assert isinstance(ending.error, asyncio.CancelledError)
