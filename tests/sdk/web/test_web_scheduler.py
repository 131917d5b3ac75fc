import asyncio

import pytest

from cfworkflows import AbortController, DOMException, scheduler, structured_clone, structuredClone
from cfworkflows.timers import current_timers
from cfworkflows_emulator.clock import VirtualClock


async def test_a_wait_goes_by_the_clock_of_the_project():
    """It is over when that has moved on, and no sooner."""
    clock = VirtualClock()
    current_timers.set(clock)
    waiting = asyncio.ensure_future(scheduler.wait(60_000))
    await asyncio.sleep(0)
    await clock.advance(59_999)
    assert not waiting.done()
    await clock.advance(1)
    await asyncio.wait_for(waiting, 10)


async def test_a_wait_without_a_project_goes_by_the_event_loop():
    """As in a script of one's own; a negative time is none."""
    await asyncio.wait_for(scheduler.wait(1), 10)
    await asyncio.wait_for(scheduler.wait(-5), 10)
    with pytest.raises(TypeError, match="a number of milliseconds, not '1 second'"):
        await scheduler.wait("1 second")


async def test_a_signal_ends_the_wait():
    """With its reason, at once if it is aborted already."""
    controller = AbortController()
    await scheduler.wait(0, {"signal": controller.signal})
    assert {} == controller.signal._listeners
    waiting = asyncio.ensure_future(scheduler.wait(60_000, {"signal": controller.signal}))
    await asyncio.sleep(0)
    controller.abort()
    with pytest.raises(DOMException, match="aborted"):
        await waiting
    with pytest.raises(DOMException, match="aborted"):
        await scheduler.wait(0, {"signal": controller.signal})


def test_a_clone_is_a_deep_copy():
    """Whose dicts can be read as in TypeScript."""
    value = {"a": [1, {"b": b"x"}], "c": {1, 2}}
    clone = structuredClone(value)
    assert value == clone
    assert clone.a[1].b == b"x"
    assert clone["a"] is not value["a"]
    with pytest.raises(TypeError, match=r"\$\.f: a function cannot be stored"):
        structured_clone({"f": lambda: None})
    with pytest.raises(TypeError, match="cannot transfer"):
        structured_clone(b"x", {"transfer": [b"x"]})
