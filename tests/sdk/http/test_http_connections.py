import asyncio
import gc
import subprocess
import sys

import pytest

from cfworkflows.http import close_client, fetch
from cfworkflows.http.client import open_client


async def test_a_request_body_is_closed_when_nothing_could_be_sent():
    """The generator's clean-up runs though its body was never asked for."""
    closed = []

    class Source:
        def __aiter__(self):
            return self

        async def __anext__(self):
            raise StopAsyncIteration

        async def aclose(self):
            closed.append(True)

    with pytest.raises(TypeError, match="Fetch API cannot load"):
        await fetch("ftp://e.com/", method="POST", body=Source())
    assert [True] == closed


async def test_an_unread_body_is_released_when_it_is_collected(server):
    """Its connection is closed, so the server sees the client leave."""
    response = await fetch(f"{server.url}/held_body")
    session = (await open_client()).session
    assert 1 == len(session.connector._acquired)
    del response
    gc.collect()
    await asyncio.wait_for(server.gone.wait(), 10)
    assert 0 == len(session.connector._acquired)


async def test_a_cancelled_body_is_released(server):
    """cancel() closes the connection at once."""
    response = await fetch(f"{server.url}/held_body")
    await response.body.cancel()
    await asyncio.wait_for(server.gone.wait(), 10)
    assert response.body_used


async def test_a_body_that_was_read_gives_its_connection_back(server):
    """The next fetch uses the same connection."""
    for _ in range(2):
        await (await fetch(f"{server.url}/echo")).text()
    assert 1 == len(set(server.peers))


async def test_many_unread_bodies_do_not_make_others_wait(server):
    """There is no limit of connections to run into."""
    held = [await fetch(f"{server.url}/held_body") for _ in range(120)]
    assert "end" == await (await fetch(f"{server.url}/loop/0")).text()
    assert 120 == len(held)
    server.hold.set()


async def test_close_client_closes_and_the_next_fetch_opens_again(server):
    """One session per loop; closing twice is no error."""
    assert await open_client() is await open_client()
    first = await open_client()
    await close_client()
    await close_client()
    assert first.session.closed
    assert "end" == await (await fetch(f"{server.url}/loop/0")).text()


SCRIPT = """
import asyncio, sys
from cfworkflows.http import fetch

async def main():
    global kept
    kept = await fetch(sys.argv[1])
    return kept.status

print(asyncio.run(main()))
"""


async def test_a_script_needs_no_closing(server):
    """A script that leaves a body unread and closes nothing ends without a warning."""
    process = await asyncio.create_subprocess_exec(
        *[sys.executable, "-W", "error", "-c", SCRIPT, f"{server.url}/held_body"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert (b"200\n", b"") == (out, err)
