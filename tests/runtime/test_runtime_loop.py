import asyncio

import pytest

from cfworkflows_emulator.runtime.loop import started_futures_as_tasks


@pytest.fixture
async def loop():
    loop = asyncio.get_running_loop()
    with started_futures_as_tasks(loop):
        yield loop


def started(result=None, error=None):
    future = asyncio.get_running_loop().create_future()
    call = future.set_exception if error is not None else future.set_result
    asyncio.get_running_loop().call_soon(call, error if error is not None else result)
    return future


async def test_create_task_takes_a_future(loop):
    """A future that has started already is given back as it is, with a name like that of a task."""
    future = started("done")
    assert future is asyncio.create_task(future, name="first")
    assert "first" == future.get_name()
    future.set_name("second")
    assert "second" == future.get_name()
    assert "done" == await future


async def test_a_future_without_a_name_has_one(loop):
    """get_name works on a future that nobody named, and asking twice gives the same."""
    future = asyncio.create_task(started("done"))
    assert future.get_name() == asyncio.create_task(future).get_name() != ""
    await future


async def test_a_task_group_takes_futures(loop):
    """A TaskGroup waits for futures as for tasks."""
    async with asyncio.TaskGroup() as group:
        futures = [group.create_task(started(number), name=f"n{number}") for number in range(3)]
    assert [0, 1, 2] == [future.result() for future in futures]


async def test_a_task_group_fails_with_a_future(loop):
    """The error of a future ends the group, and cancels the others in it."""
    forever = asyncio.get_running_loop().create_future()
    with pytest.raises(ExceptionGroup) as caught:  # noqa: PT012 - leaving the group is what raises
        async with asyncio.TaskGroup() as group:
            group.create_task(forever)
            group.create_task(started(error=ValueError("no")))
    assert [ValueError] == [type(error) for error in caught.value.exceptions]
    assert forever.cancelled()


async def test_everything_else_becomes_a_task(loop):
    """Coroutines are tasks with their options, and what is neither is refused as before."""

    async def work():
        return asyncio.current_task()

    task = asyncio.create_task(work(), name="mine")
    assert isinstance(task, asyncio.Task)
    assert task is await task
    assert "mine" == task.get_name()
    with pytest.raises(TypeError, match="coroutine"):
        asyncio.create_task(1)  # noqa: RUF006 - there is none


async def test_a_factory_that_was_there_is_used_and_restored():
    """Whatever made the tasks of the loop before does so still, inside the block and after it."""
    loop = asyncio.get_running_loop()
    made = []

    def factory(loop, work, **options):
        made.append(work)
        return asyncio.Task(work, loop=loop, **options)

    loop.set_task_factory(factory)
    try:
        with started_futures_as_tasks(loop):
            await asyncio.create_task(asyncio.wait([started()]))
        assert 1 == len(made)
        assert factory is loop.get_task_factory()
    finally:
        loop.set_task_factory(None)
