import asyncio
import gc
import gzip
import subprocess
import sys
import tracemalloc
import zlib

import pytest
from aiohttp import web

from cfworkflows.http import Blob, FormData, Headers, ReadableStream, Request, Response, close_client, fetch
from cfworkflows.http.client import open_client

MIB = 1024 * 1024


class Server:
    """A server on a loopback socket: `url`, and what its handlers saw."""

    def __init__(self):
        self.app = web.Application(client_max_size=1024 * MIB)
        self.url = ""
        self.seen = []
        self.peers = []
        self.gone = asyncio.Event()
        self.arrived = asyncio.Event()
        self.hold = asyncio.Event()
        self.received = 0

    async def echo(self, request):
        self.seen.append(request)
        self.peers.append(request.get_extra_info("peername"))
        return web.json_response(
            {
                "method": request.method,
                "path": request.raw_path,
                "headers": [[name.lower(), value] for name, value in request.headers.items()],
                "body": (await request.read()).decode("latin-1"),
            }
        )

    async def redirect(self, request):
        status = int(request.match_info["status"])
        return web.Response(status=status, text="moved", headers={"Location": request.query["to"]})

    async def loop(self, request):
        left = int(request.match_info["left"])
        return web.Response(status=302, headers={"Location": f"/loop/{left - 1}"}) if left else web.Response(text="end")

    async def status(self, request):
        return web.Response(status=int(request.match_info["status"]), reason="Because", text="")

    async def compressed(self, request):
        coding = request.match_info["coding"]
        packed = {"gzip": gzip.compress, "deflate": zlib.compress, "br": bytes}[coding](b"compressed " * 1000)
        return web.Response(body=packed, headers={"Content-Encoding": coding, "Content-Type": "text/plain"})

    async def big(self, request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(50):
            await response.write(b"x" * MIB)
        return response

    async def sink(self, request):
        async for chunk in request.content.iter_any():
            self.received += len(chunk)
        return web.Response(text=str(self.received))

    async def held(self, request):
        """Answers when `hold` is set; sets `arrived` before, and `gone` if the client leaves."""
        self.arrived.set()
        try:
            await self.hold.wait()
        except asyncio.CancelledError:
            self.gone.set()
            raise
        return web.Response(text="late")

    async def held_body(self, request):
        """Sends the headers and one chunk, then waits for `hold`; sets `gone` if the client leaves."""
        response = web.StreamResponse(headers={"Content-Length": "10"})
        await response.prepare(request)
        await response.write(b"first")
        try:
            await self.hold.wait()
            await response.write(b"later")
        except (asyncio.CancelledError, ConnectionError):
            self.gone.set()
            raise
        return response

    async def broken(self, request):
        response = web.StreamResponse(headers={"Content-Length": "1000"})
        await response.prepare(request)
        await response.write(b"part")
        request.transport.close()
        return response

    async def hang_up(self, request):
        request.transport.close()
        return web.Response()

    async def cookies(self, request):
        response = web.Response(text=request.headers.get("cookie", ""))
        response.headers.add("Set-Cookie", "a=1")
        response.headers.add("Set-Cookie", "b=2; Path=/")
        response.headers.add("X-Both", "1")
        response.headers.add("X-Both", "2")
        return response


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


async def test_fetch_sends_what_it_was_given(server):
    """Method, headers, path and body arrive as given, and nothing is made up."""
    response = await fetch(
        f"{server.url}/echo?q=a%2Fb#frag", {"method": "post", "headers": {"X-A": "é"}, "body": "bödy"}
    )
    seen = await response.json()
    headers = dict(seen["headers"])
    assert ("POST", "/echo?q=a%2Fb", "bödy") == (seen["method"], seen["path"], seen["body"].encode("latin-1").decode())
    assert ("é", "text/plain;charset=UTF-8", "5") == (
        headers["x-a"],
        headers["content-type"],
        headers["content-length"],
    )
    assert {"host", "x-a", "content-type", "content-length", "accept-encoding"} == headers.keys()
    assert (200, "OK", True, False) == (response.status, response.statusText, response.ok, response.redirected)
    assert f"{server.url}/echo?q=a%2Fb" == response.url


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"b", "b"), (Blob("blob"), "blob"), (["a", b"b"], "ab"), (ReadableStream("s"), "s"), (None, "")],
)
async def test_fetch_sends_every_kind_of_body(server, body, expected):
    """Bytes go with their length, streams in chunks."""
    seen = await (await fetch(f"{server.url}/echo", method="POST", body=body)).json()
    assert expected == seen["body"]
    assert isinstance(body, list) == ("transfer-encoding" in dict(seen["headers"]))


async def test_fetch_sends_forms(server):
    """A form arrives with the type that names its boundary."""
    seen = await (await fetch(f"{server.url}/echo", method="POST", body=FormData({"a": "1"}))).json()
    echoed = Response(seen["body"], headers={"content-type": dict(seen["headers"])["content-type"]})
    assert [("a", "1")] == (await echoed.form_data()).items()


async def test_fetch_takes_a_request_and_uses_its_body(server):
    """A request is sent once; options beside it replace what it says."""
    request = Request(f"{server.url}/echo", method="POST", body="x", headers={"x-a": "1"})
    assert "x" == (await (await fetch(request)).json())["body"]
    assert request.body_used
    with pytest.raises(TypeError, match="Cannot reconstruct a Request with a used body"):
        await fetch(request)
    again = Request(f"{server.url}/echo", method="POST", body="x")
    assert "PUT" == (await (await fetch(again, {"method": "PUT"})).json())["method"]
    other = Request("http://e.com/", method="POST", body="y")
    seen = await (await fetch(f"{server.url}/echo", other, headers={"x-b": "2"})).json()
    assert ("y", "2") == (seen["body"], dict(seen["headers"])["x-b"])
    seen = await (await fetch(f"{server.url}/echo", Request("http://e.com/", method="POST", body="z"))).json()
    assert "z" == seen["body"]


async def test_a_forwarded_request_drops_what_belongs_to_the_connection(server):
    """An incoming request can be sent on: host, length and codings are made anew."""

    async def body():
        yield b"abc"

    raw = [
        *[("Host", "worker.example"), ("Connection", "keep-alive"), ("Transfer-Encoding", "chunked")],
        *[("Accept-Encoding", "br;q=1.0, zstd, gzip"), ("Content-Length", "3"), ("X-A", "1"), ("Set-Cookie", "k")],
    ]
    seen = await (await fetch(Request.incoming("POST", f"{server.url}/echo", raw, body()))).json()
    headers = dict(seen["headers"])
    assert ("abc", "1", "k", "gzip") == (
        seen["body"],
        headers["x-a"],
        headers["set-cookie"],
        headers["accept-encoding"],
    )
    assert server.url == f"http://{headers['host']}"
    assert "3" == headers["content-length"]
    assert "connection" not in headers
    seen = await (await fetch(f"{server.url}/echo", headers={"accept-encoding": "br", "content-length": "9"})).json()
    assert "identity" == dict(seen["headers"])["accept-encoding"]
    assert "content-length" not in dict(seen["headers"])


@pytest.mark.parametrize("status", [201, 404, 500])
async def test_a_status_is_a_response_not_an_error(server, status):
    """Non-2xx does not raise, and the status text is the server's."""
    response = await fetch(f"{server.url}/status/{status}")
    assert (status, "Because", status < 300) == (response.status, response.status_text, response.ok)


async def test_responses_without_a_body_have_none(server):
    """A null body status and an answer to HEAD have no stream."""
    assert (await fetch(f"{server.url}/status/204")).body is None
    head = await fetch(f"{server.url}/compressed/gzip", method="HEAD")
    assert head.body is None
    assert "gzip" == head.headers["content-encoding"]


async def test_response_headers_are_immutable_and_cookies_separate(server):
    """The headers are the server's, cookies one by one; no cookie is sent back later."""
    url = server.url.replace("127.0.0.1", "localhost") + "/cookies"  # a cookie jar would keep none of an address
    response = await fetch(url)
    assert ["a=1", "b=2; Path=/"] == response.headers.get_set_cookie()
    assert "1, 2" == response.headers["x-both"]
    with pytest.raises(TypeError, match="Can't modify immutable headers"):
        response.headers.set("a", "b")
    await response.text()
    assert "" == await (await fetch(url)).text()


@pytest.mark.parametrize(
    ("status", "method", "expected", "body"),
    [
        *[(301, "POST", "GET", ""), (302, "POST", "GET", ""), (303, "POST", "GET", ""), (303, "PUT", "GET", "")],
        *[
            (307, "POST", "POST", "x"),
            (308, "PUT", "PUT", "x"),
            (302, "PUT", "PUT", "x"),
            (301, "DELETE", "DELETE", "x"),
        ],
    ],
)
async def test_redirects_keep_or_drop_method_and_body(server, status, method, expected, body):
    """303 always, and 301 and 302 after a POST, go on as GET without body; the others send it again."""
    response = await fetch(f"{server.url}/redirect/{status}?to=/echo%23f", method=method, body="x")
    seen = await response.json()
    assert response.redirected
    assert (expected, body, f"{server.url}/echo") == (seen["method"], seen["body"], response.url)
    assert (body == "x") == ("content-type" in dict(seen["headers"]))


async def test_twenty_redirects_are_followed_and_no_more(server):
    """The twenty-first is the platform's error."""
    assert "end" == await (await fetch(f"{server.url}/loop/20")).text()
    with pytest.raises(TypeError, match=r"^Too many redirects\.$"):
        await fetch(f"{server.url}/loop/21")


async def test_manual_redirects_are_given_to_the_caller(server):
    """The response is the redirect itself."""
    response = await fetch(f"{server.url}/redirect/302?to=/echo", redirect="manual")
    assert (302, "/echo", False, "moved") == (
        response.status,
        response.headers["location"],
        response.redirected,
        await response.text(),
    )


async def test_a_stream_cannot_be_sent_again_after_a_redirect(server):
    """A 307 asks for the body again, which a stream has not; a 303 does not ask for it."""
    with pytest.raises(TypeError, match=r"/echo needs the body of the request again.*Send bytes or text instead"):
        await fetch(f"{server.url}/redirect/307?to=/echo", method="POST", body=[b"x"])
    assert (
        "GET"
        == (await (await fetch(f"{server.url}/redirect/303?to=/echo", method="POST", body=[b"x"])).json())["method"]
    )


async def test_authorization_does_not_follow_to_another_origin(server):
    """A redirect to the same origin keeps the credentials, one to another drops them."""
    other = server.url.replace("127.0.0.1", "localhost")
    for to, kept in (("/echo", True), (f"{other}/echo", False)):
        seen = await (
            await fetch(f"{server.url}/redirect/302?to={to}", headers={"Authorization": "s", "x": "y"})
        ).json()
        assert kept == ("authorization" in dict(seen["headers"]))
        assert "y" == dict(seen["headers"])["x"]


@pytest.mark.parametrize("to", ["ftp://e.com/x", "data:,x"])
async def test_a_redirect_to_another_scheme_is_refused(server, to):
    """Only HTTP is fetched, at first and after a redirect."""
    with pytest.raises(TypeError, match=f"^Fetch API cannot load: {to}$"):
        await fetch(f"{server.url}/redirect/302?to={to}")
    with pytest.raises(TypeError, match=f"^Fetch API cannot load: {to}$"):
        await fetch(to)


async def test_a_redirect_to_nowhere_is_refused(server):
    """A location that is no URL is named."""
    with pytest.raises(TypeError, match=r"^Invalid URL: http://$"):
        await fetch(f"{server.url}/redirect/302?to=http://")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_compressed_bodies_arrive_decompressed(server, coding):
    """The body is plain, and so the headers do not say otherwise: the response can be passed on."""
    response = await fetch(f"{server.url}/compressed/{coding}")
    assert "content-encoding" not in response.headers
    assert "content-length" not in response.headers
    assert "text/plain" == response.headers["content-type"]
    assert "compressed " * 1000 == await response.text()


async def test_a_big_body_streams_through_without_being_held(server):
    """50 MiB in and out again: what is in memory stays far below that."""
    tracemalloc.start()
    try:
        download = await fetch(f"{server.url}/big")
        upload = await fetch(f"{server.url}/sink", method="POST", body=download.body)
        assert str(50 * MIB) == await upload.text()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 50 * MIB == server.received
    assert peak < 12 * MIB


async def test_a_body_is_not_read_ahead_of_its_reader(server):
    """The first chunk is there before the server has sent the second."""
    response = await fetch(f"{server.url}/held_body")
    reader = response.body.get_reader()
    assert b"first" == (await reader.read()).value
    server.hold.set()
    assert b"later" == (await reader.read()).value
    assert (await reader.read()).done


async def test_clones_of_a_response_are_read_independently(server):
    """Both sides have the body."""
    response = await fetch(f"{server.url}/loop/0")
    clone = response.clone()
    assert ("end", "end", response.url) == (await clone.text(), await response.text(), clone.url)


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


async def test_websocket_upgrades_are_refused_by_name():
    """The error says what is not supported."""
    with pytest.raises(NotImplementedError, match="WebSocket is not supported yet"):
        await fetch("http://e.com/", headers={"Upgrade": "WebSocket"})


async def test_options_of_a_request_are_checked(server):
    """What Request refuses, fetch refuses."""
    with pytest.raises(TypeError, match=r"^Invalid URL: /x$"):
        await fetch("/x")
    with pytest.raises(TypeError, match="does not support the option 'timeuot'"):
        await fetch(f"{server.url}/echo", timeuot=1)
    with pytest.raises(TypeError, match="a dict, or a Request, not 'POST'"):
        await fetch(f"{server.url}/echo", "POST")


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


async def test_request_headers_may_be_headers(server):
    """All forms of headers are taken."""
    seen = await (await fetch(f"{server.url}/echo", {"headers": Headers([("a", "1"), ("a", "2")])})).json()
    assert "1, 2" == dict(seen["headers"])["a"]


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


def test_importing_needs_the_standard_library_only():
    """aiohttp and pydantic are loaded when they are first needed."""
    script = "import cfworkflows.http, sys; print({'aiohttp', 'pydantic', 'yarl'} & sys.modules.keys())"
    assert (
        "set()\n" == subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    )
