import asyncio
import gc

import pytest

from cfworkflows import URL, AbortController, AbortSignal, DOMException, Request, fetch
from cfworkflows.errors import ErrorRecord
from cfworkflows.timers import current_timers
from cfworkflows_emulator.clock import VirtualClock


def test_a_controller_aborts_its_signal_once():
    """Listeners are called once, with the event, and the first reason stays."""
    controller = AbortController()
    signal, seen = controller.signal, []
    signal.addEventListener("abort", lambda event: seen.append((event.type, event.target)))
    signal.onabort = lambda event: seen.append("onabort")
    removed = seen.append
    signal.add_event_listener("abort", removed)
    signal.remove_event_listener("abort", removed)
    assert (False, None) == (signal.aborted, signal.reason)
    signal.throw_if_aborted()
    controller.abort()
    controller.abort("again")
    assert [("abort", signal), "onabort"] == seen
    assert signal.aborted
    assert ("AbortError", "The operation was aborted") == (signal.reason.name, signal.reason.message)
    with pytest.raises(DOMException) as raised:
        signal.throwIfAborted()
    assert raised.value is signal.reason


def test_the_reason_is_what_is_raised():
    """An exception as it is, anything else as the text of an AbortError."""
    with pytest.raises(KeyError, match="why"):
        AbortSignal.abort(KeyError("why")).throw_if_aborted()
    with pytest.raises(DOMException, match=r"^too late$") as raised:
        AbortSignal.abort("too late").throw_if_aborted()
    assert "AbortError" == raised.value.name
    assert "too late" == AbortSignal.abort("too late").reason


def test_a_listener_that_fails_does_not_keep_the_others(caplog):
    """Its error is logged."""
    controller, seen = AbortController(), []
    controller.signal.add_event_listener("abort", lambda event: 1 / 0)
    controller.signal.add_event_listener("abort", seen.append)
    controller.abort()
    assert 1 == len(seen)
    assert "ZeroDivisionError" in caplog.text


def test_listeners_are_plain_functions():
    """A coroutine would never run, and a signal is not made by hand."""

    async def listener(event):
        """Never called."""

    with pytest.raises(TypeError, match="A listener is a plain function"):
        AbortController().signal.add_event_listener("abort", listener)
    with pytest.raises(TypeError, match=r"AbortController\(\)\.signal"):
        AbortSignal()
    with pytest.raises(TypeError, match="number of milliseconds"):
        AbortSignal.timeout("5 seconds")


def test_any_signal_follows_the_first():
    """With its reason, whether it is aborted already or later."""
    first, second = AbortController(), AbortController()
    both = AbortSignal.any([first.signal, second.signal])
    second.abort("second")
    first.abort("first")
    assert "second" == both.reason == AbortSignal.any([AbortController().signal, second.signal]).reason


async def test_a_timeout_signal_goes_by_the_clock_of_the_project():
    """The virtual one of a test, and no other moment."""
    clock = VirtualClock()
    token = current_timers.set(clock)
    try:
        signal = AbortSignal.timeout(60_000)
    finally:
        current_timers.reset(token)
    await clock.advance(59_999)
    assert not signal.aborted
    await clock.advance(1)
    assert ("TimeoutError", "The operation was aborted due to timeout") == (signal.reason.name, str(signal.reason))
    assert isinstance(signal.reason, TimeoutError)


async def test_a_timeout_signal_without_a_project_goes_by_the_event_loop():
    """As in a script of one's own."""
    aborted = asyncio.Event()
    AbortSignal.timeout(1).onabort = lambda event: aborted.set()
    await asyncio.wait_for(aborted.wait(), 10)


async def test_aborting_a_fetch_closes_its_connection(server):
    """Before the headers are there: the reason is raised, and the server sees the client leave."""
    controller = AbortController()
    task = asyncio.ensure_future(fetch(URL(f"{server.url}/held"), {"signal": controller.signal}))
    await server.arrived.wait()
    controller.abort()
    with pytest.raises(DOMException, match="The operation was aborted") as raised:
        await task
    assert raised.value is controller.signal.reason
    assert 0 == task.cancelling()
    await asyncio.wait_for(server.gone.wait(), 10)


async def test_aborting_while_the_body_is_read(server):
    """The read raises the reason, and so does a later one."""
    controller = AbortController()
    response = await fetch(f"{server.url}/held_body", signal=controller.signal)
    reading = asyncio.ensure_future(response.text())
    await asyncio.sleep(0)
    controller.abort(KeyError("enough"))
    with pytest.raises(KeyError, match="enough"):
        await reading
    server.hold.set()


async def test_aborting_closes_a_body_that_nobody_reads(server):
    """And the reading of it raises the reason, though its beginning is there."""
    controller = AbortController()
    response = await fetch(f"{server.url}/held_body", signal=controller.signal)
    controller.abort()
    await asyncio.wait_for(server.gone.wait(), 10)
    with pytest.raises(DOMException, match="aborted"):
        await response.text()


async def test_a_signal_that_is_aborted_sends_nothing(server):
    """The reason is raised at once."""
    with pytest.raises(DOMException, match="aborted"):
        await fetch(Request(f"{server.url}/echo", signal=AbortSignal.abort()))
    with pytest.raises(TimeoutError, match="aborted due to timeout"):
        await fetch(f"{server.url}/held", signal=AbortSignal.timeout(20))
    assert [] == server.seen


async def test_a_signal_that_is_not_aborted_changes_nothing(server):
    """And keeps nothing of the response, when that is gone."""
    signal = AbortController().signal
    response = await fetch(f"{server.url}/loop/3", signal=signal, timeout="1 minute")
    assert "end" == await response.text()
    del response
    gc.collect()
    assert {} == signal._listeners


async def test_cancelling_the_task_is_no_abort(server):
    """A cancelled fetch with a signal ends as cancelled."""
    task = asyncio.ensure_future(fetch(f"{server.url}/held", signal=AbortController().signal))
    await server.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_a_request_hands_its_signal_on():
    """To a request that is made of it, and to its clone; None takes it away."""
    signal = AbortController().signal
    request = Request("http://e.com", {"signal": signal})
    assert signal is request.signal is Request(request).signal is request.clone().signal
    assert signal is not Request(request, signal=None).signal
    assert not Request("http://e.com").signal.aborted


def test_an_abort_error_crosses_a_step_boundary_by_its_name():
    """As every error does."""
    error = AbortSignal.abort().reason
    assert "AbortError" == ErrorRecord.of(error).name == ErrorRecord.of(error).rebuild().name
