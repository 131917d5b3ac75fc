import asyncio

import pytest

from cfworkflows.http import fetch


async def test_a_timeout_before_the_headers_names_url_and_limit(server):
    """The connection is closed, too: the server sees the client leave."""
    with pytest.raises(TimeoutError, match=f"^The fetch of {server.url}/held took longer than its timeout of 50 ms"):
        await fetch(f"{server.url}/held", timeout=50)
    await asyncio.wait_for(server.gone.wait(), 10)
    with pytest.raises(TimeoutError, match=r"timeout of 0\.05 seconds"):
        await fetch(f"{server.url}/held", {"timeout": "0.05 seconds"})


async def test_a_timeout_goes_on_while_the_body_is_read(server):
    """As with AbortSignal.timeout, the limit is for the whole exchange; the connection is closed."""
    response = await fetch(f"{server.url}/held_body", timeout="1 second")
    with pytest.raises(TimeoutError, match=r"/held_body took longer than its timeout of 1 second"):
        await response.text()
    server.hold.set()


async def test_a_timeout_that_is_not_reached_changes_nothing(server):
    """A fetch in time is a fetch, and a malformed timeout an error before anything is sent."""
    assert "end" == await (await fetch(f"{server.url}/loop/3", timeout="1 minute")).text()
    with pytest.raises(ValueError, match="is not a duration"):
        await fetch(f"{server.url}/echo", timeout="soon")
    assert [] == server.seen


async def test_cancelling_the_task_closes_the_connection(server):
    """Cancellation is Python's abort signal."""
    task = asyncio.ensure_future(fetch(f"{server.url}/held"))
    await server.arrived.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.wait_for(server.gone.wait(), 10)


async def test_a_refused_connection_names_the_url(server, unused_tcp_port):
    """The error is a ConnectionError that says where to."""
    with pytest.raises(ConnectionError, match=f"^The fetch of http://127.0.0.1:{unused_tcp_port}/x failed: .*onnect"):
        await fetch(f"http://127.0.0.1:{unused_tcp_port}/x#f")


async def test_a_server_that_hangs_up_is_a_connection_error(server):
    """No answer at all names the URL."""
    with pytest.raises(ConnectionError, match=f"^The fetch of {server.url}/hang_up failed: "):
        await fetch(f"{server.url}/hang_up", method="POST")


async def test_a_body_that_is_cut_off_is_a_connection_error(server):
    """A broken body never looks like a short one."""
    response = await fetch(f"{server.url}/broken")
    with pytest.raises(ConnectionError, match=f"^The body of {server.url}/broken failed: "):
        await response.text()


async def test_a_body_that_cannot_be_decompressed_is_a_connection_error(server):
    """The reason is given."""
    with pytest.raises(ConnectionError, match=f"{server.url}/compressed/br failed: "):
        await (await fetch(f"{server.url}/compressed/br")).text()


async def test_an_error_of_the_request_body_reaches_the_caller(server):
    """What the body's generator raised is raised, not the broken connection that follows from it."""

    async def body():
        yield b"x"
        raise LookupError("no such row")

    with pytest.raises(LookupError, match="no such row"):
        await fetch(f"{server.url}/sink", method="POST", body=body())


async def test_a_timeout_of_the_request_body_is_not_that_of_the_fetch(server):
    """A TimeoutError that the generator raises keeps its text."""

    async def body():
        yield b"x"
        raise TimeoutError("the database is slow")

    with pytest.raises(TimeoutError, match=r"^the database is slow$"):
        await fetch(f"{server.url}/sink", method="POST", body=body(), timeout="1 minute")


async def test_a_host_name_that_cannot_be_is_a_connection_error():
    """An empty label is found only when the name is looked up."""
    with pytest.raises(ConnectionError, match=r"^The fetch of http://a\.\.b/ failed: .*label"):
        await fetch("http://a..b/")
