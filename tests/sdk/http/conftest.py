"""Fixtures of the tests of fetch."""

import pytest
from aiohttp import web
from echo_server import Server

from cfworkflows.http import close_client


@pytest.fixture
async def server():
    server = Server()
    route = server.app.router.add_route
    route("*", "/echo", server.echo)
    route("*", "/redirect/{status}", server.redirect)
    route("*", "/loop/{left}", server.loop)
    route("*", "/status/{status}", server.status)
    route("*", "/compressed/{coding}", server.compressed)
    route("GET", "/big", server.big)
    route("*", "/sink", server.sink)
    route("GET", "/held", server.held)
    route("GET", "/held_body", server.held_body)
    route("GET", "/broken", server.broken)
    route("*", "/hang_up", server.hang_up)
    route("GET", "/cookies", server.cookies)
    runner = web.AppRunner(server.app, handler_cancellation=True, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield server
    server.hold.set()
    await close_client()
    await runner.cleanup()
