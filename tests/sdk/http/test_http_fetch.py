import subprocess
import sys
import tracemalloc

import pytest
from echo_server import MIB

from cfworkflows.http import Blob, FormData, Headers, ReadableStream, Request, Response, fetch


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


async def test_request_headers_may_be_headers(server):
    """All forms of headers are taken."""
    seen = await (await fetch(f"{server.url}/echo", {"headers": Headers([("a", "1"), ("a", "2")])})).json()
    assert "1, 2" == dict(seen["headers"])["a"]


def test_importing_needs_the_standard_library_only():
    """aiohttp and pydantic are loaded when they are first needed."""
    script = "import cfworkflows.http, sys; print({'aiohttp', 'pydantic', 'yarl'} & sys.modules.keys())"
    assert (
        "set()\n" == subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    )
