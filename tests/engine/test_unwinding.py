"""Whether code would run if a suspended coroutine were ended: what the bytecode says, form by form."""

import asyncio
import contextlib

import pytest

from cfworkflows_emulator.engine.run.unwinding import chain, has_begun


async def wait():
    await asyncio.get_running_loop().create_future()


def nothing():
    pass


async def plain():
    await wait()


async def other_error():
    try:
        await wait()
    except ValueError:
        nothing()


async def every_exception():
    try:
        await wait()
    except Exception as error:  # noqa: BLE001 - what is tested
        print(error)


async def several_errors():
    try:
        await wait()
    except (ValueError, asyncio.QueueEmpty):
        nothing()
    except KeyError:
        nothing()


async def in_handler():
    try:
        raise ValueError
    except ValueError as error:
        await wait()
        print(error)


async def in_finally():
    try:
        nothing()
    finally:
        await wait()


async def task_group():
    async with asyncio.TaskGroup():
        await wait()


async def task_group_waits():
    async with asyncio.TaskGroup() as group:
        group.create_task(wait())


async def lock():
    async with asyncio.Lock(), asyncio.timeout(None):
        await wait()


async def plain_generator():
    for _ in (each for each in "ab"):
        await wait()


async def waits_for():
    await asyncio.wait_for(wait(), None)


HARMLESS = [
    plain, other_error, every_exception, several_errors, in_handler, in_finally, task_group, task_group_waits, lock,
    plain_generator, waits_for,
]  # fmt: skip


async def cancellation():
    try:
        await wait()
    except (ValueError, asyncio.CancelledError):
        nothing()


async def base_exception():
    try:
        await wait()
    except BaseException:  # noqa: BLE001 - what is tested
        nothing()


async def bare():
    try:
        await wait()
    except:  # noqa: E722 - what is tested
        nothing()


async def unknown_error():
    kinds = [asyncio.CancelledError]
    try:
        await wait()
    except kinds[0]:
        nothing()


async def has_finally():
    try:
        await wait()
    finally:
        nothing()


async def finally_around():
    try:
        with contextlib.nullcontext():
            nothing()
        try:
            await wait()
        except ValueError:
            nothing()
    finally:
        nothing()


async def finally_in_the_caller():
    try:
        await plain()
    finally:
        nothing()


async def with_block():
    with contextlib.suppress(ValueError):
        await wait()


async def mixed_with_blocks():
    async with asyncio.Lock():
        with contextlib.suppress(ValueError):
            await wait()


async def group_of_errors():
    try:
        await wait()
    except* ValueError:
        nothing()


async def held_generator():
    def letters():
        try:
            yield from "ab"
        finally:
            nothing()

    for _ in letters():
        await wait()


async def asynchronous_generator():
    async def waits():
        try:
            yield await wait()
        finally:
            nothing()

    async for _ in waits():
        nothing()


async def awaitable():
    class Awaited:
        def __await__(self):
            try:
                yield from asyncio.get_running_loop().create_future()
            finally:
                nothing()

    await Awaited()


RUNS = [
    cancellation, base_exception, bare, unknown_error, has_finally, finally_around, finally_in_the_caller, with_block,
    mixed_with_blocks, group_of_errors, held_generator, asynchronous_generator, awaitable,
]  # fmt: skip


@pytest.mark.parametrize(
    ("function", "runs"),
    [*((each, False) for each in HARMLESS), *((each, True) for each in RUNS)],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_whether_code_would_run(function, runs):
    """Of frames of the user's."""
    work = function()
    task = asyncio.create_task(work)
    await asyncio.sleep(0)
    assert has_begun(work)
    found = any(each.runs_code() for each in chain(work) if each.is_users)
    task.cancel()
    with contextlib.suppress(BaseException):
        await task
    assert runs == found


async def test_coroutine_that_has_not_begun():
    """Nothing of it can run."""
    work = has_finally()
    assert not has_begun(work)
    work.close()
