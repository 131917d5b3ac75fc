import json

import pytest

ECHO = """
async def on_fetch(request):
    body = None if request.body is None else (await request.bytes()).decode()
    return Response.json({
        "method": request.method, "url": request.url, "headers": dict(request.headers), "body": body,
        "redirect": request.redirect, "cf": request.cf,
    })
"""


async def seen(served, send):
    answer = await served.exchange(send)
    assert answer.startswith("HTTP/1.1 200 OK\r\n"), answer
    return json.loads(answer.partition("\r\n\r\n")[2])


async def test_a_request_arrives_whole(serving):
    """Method, URL with query, headers and body are what the client sent."""
    async with serving(ECHO) as served:
        got = await seen(
            served,
            "POST /a%20b/?q=1&q=2 HTTP/1.1\r\nHost: example.com:8787\r\nX-One: 1\r\nx-one: 2\r\n"
            "Content-Length: 5\r\nConnection: close\r\n\r\nhello",
        )
    assert "POST" == got["method"]
    assert "http://example.com:8787/a%20b/?q=1&q=2" == got["url"]
    assert "1, 2" == got["headers"]["x-one"]
    assert "hello" == got["body"]
    assert "manual" == got["redirect"]


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ("GET / HTTP/1.1\r\nHost: a\r\n", None),
        ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n", None),
        ("POST / HTTP/1.1\r\nHost: a\r\n", None),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n", ""),
        ("DELETE / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n", "3 chunks"),
    ],
)
async def test_a_body_is_there_if_its_headers_are(serving, headers, body):
    """body is null iff there is neither Content-Length nor Transfer-Encoding."""
    sent = "2\r\n3 \r\n6\r\nchunks\r\n0\r\n\r\n" if "chunked" in headers else ""
    async with serving(ECHO) as served:
        assert body == (await seen(served, f"{headers}Connection: close\r\n\r\n{sent}"))["body"]


async def test_the_platforms_headers_are_added(serving):
    """CF-Connecting-IP is the client's address, Accept-Encoding what the platform asks for."""
    async with serving(ECHO) as served:
        got = await seen(
            served, "GET / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: zstd\r\nAccept: x/y\r\nConnection: close\r\n\r\n"
        )
        forwarded = await seen(
            served, "GET / HTTP/1.1\r\nHost: a\r\nCF-Connecting-IP: 10.1.2.3\r\nConnection: close\r\n\r\n"
        )
    assert "127.0.0.1" == got["headers"]["cf-connecting-ip"]
    assert "br, gzip" == got["headers"]["accept-encoding"]
    assert "x/y" == got["headers"]["accept"]
    assert ("zstd", "US", "HTTP/1.1", "NONE") == (
        got["cf"]["clientAcceptEncoding"],
        got["cf"]["country"],
        got["cf"]["httpProtocol"],
        got["cf"]["tlsClientAuth"]["certVerified"],
    )
    assert "10.1.2.3" == forwarded["headers"]["cf-connecting-ip"]
    assert "" == forwarded["cf"]["clientAcceptEncoding"]


@pytest.mark.parametrize(
    ("request_line", "url"),
    [
        ("GET /x HTTP/1.0\r\n", "http://localhost/x"),
        ("GET http://other.test/x HTTP/1.1\r\nHost: a\r\n", "http://other.test/x"),
        ("OPTIONS * HTTP/1.1\r\nHost: a\r\n", "http://a/*"),
        ("GET /a/../b HTTP/1.1\r\nHost: A:80\r\n", "http://a/b"),
        ("GET /.hidden/a.b?c=/../d&e=%2e HTTP/1.1\r\nHost: a\r\n", "http://a/.hidden/a.b?c=/../d&e=%2e"),
        ("GET /%2e%2e/a HTTP/1.1\r\nHost: a\r\n", "http://a/a"),
        ("GET /a'b?'\"<> HTTP/1.1\r\nHost: a\r\n", "http://a/a'b?%27%22%3C%3E"),
        ("GET //x HTTP/1.1\r\nHost: [::1]:1\r\n", "http://[::1]:1//x"),
    ],
)
async def test_the_url_is_built_from_host_and_target(serving, request_line, url):
    """request.url is absolute and normal, whatever form the target has."""
    async with serving(ECHO) as served:
        answer = await served.exchange(f"{request_line}Connection: close\r\n\r\n")
    assert url == json.loads(answer.partition("\r\n\r\n")[2])["url"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "PURGE", "SEARCH"])
async def test_any_method_reaches_the_worker(serving, client, method):
    """The server does not choose between methods."""
    async with serving(ECHO) as served, client.request(method, served.url) as response:
        assert method == (await response.json())["method"]


async def test_a_compressed_body_arrives_as_it_was_sent(serving, client):
    """Bodies of requests are not decompressed, as on the platform."""
    import gzip

    body = gzip.compress(b"hello" * 1000)
    source = "async def on_fetch(request):\n    return Response(await request.bytes())\n"
    async with serving(source) as served:
        headers = {"Content-Encoding": "gzip"}
        async with client.post(served.url, data=body, headers=headers) as response:
            assert body == await response.read()


async def test_a_body_streams_while_the_answer_does(serving):
    """A handler answers with the body as it comes in: the first chunk is back before the last one was sent."""
    async with (
        serving("def on_fetch(request):\n    return Response(request.body)\n") as served,
        served.connect("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n") as connection,
    ):
        head = await connection.head()
        assert "HTTP/1.1 200 OK" == head[0]
        assert b"3\r\none\r\n" == await connection.reader.readexactly(8)
        connection.send("3\r\ntwo\r\n0\r\n\r\n")
        assert b"3\r\ntwo\r\n0\r\n\r\n" == await connection.reader.readexactly(13)


async def test_a_client_that_waits_for_100_continue_gets_it(serving):
    """The body of an Expect: 100-continue request is asked for when the Worker reads it, and only then."""
    source = """
    async def on_fetch(request):
        return Response("refused", status=413) if "/big" in request.url else Response(await request.text())
    """
    send = "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
    async with serving(source) as served:
        async with served.connect(send.format("/")) as connection:
            assert ["HTTP/1.1 100 Continue"] == await connection.head()
            connection.send("hello")
            assert "HTTP/1.1 200 OK" == (await connection.head())[0]
            assert b"hello" == await connection.reader.readexactly(5)
        async with served.connect(send.format("/big")) as connection:
            assert "HTTP/1.1 413 Request Entity Too Large" == (await connection.head())[0].replace(
                "Content Too Large", "Request Entity Too Large"
            )


@pytest.mark.parametrize(
    "garbage",
    [
        "this is not HTTP\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nbroken header\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        "\x16\x03\x01\x02\x00",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "FROBNICATE / HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_refused_quietly(serving, caplog, garbage):
    """Garbage gets a 400 and the connection is closed; the log has nothing to say about it."""
    async with serving(ECHO) as served:
        answer = await served.exchange(garbage)
    assert answer.startswith(("HTTP/1.1 400 Bad Request\r\n", "HTTP/1.0 400 Bad Request\r\n"))
    assert [] == caplog.records
    assert [] == served.log


@pytest.mark.parametrize("host", ["a b", "a:b:c", "a:99999", "a/b", "user@a", "a?b", "a\\\\b"])
async def test_a_host_that_makes_no_url_is_refused(serving, host):
    """The Worker never sees a request without a valid URL."""
    async with serving(ECHO) as served:
        answer = await served.exchange(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
    assert answer.startswith("HTTP/1.1 400 Bad Request\r\n")
    assert "Invalid Host header" in answer


async def test_a_body_that_stops_short_fails_the_reader_quietly(serving):
    """When the client goes away in the middle of its body, the handler's read raises ConnectionResetError."""
    source = """
    async def on_fetch(request):
        SEEN.append("started")
        try:
            await request.text()
        except ConnectionResetError as error:
            SEEN.append(str(error))
            raise
    """
    async with serving(source) as served:
        async with served.connect("POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nfive") as connection:
            await served.until_seen(1)
            connection.writer.transport.abort()
            await served.until_seen(2)
        assert "The client went away before it had sent the whole body of POST /up." == served.seen[1]


async def test_a_body_cannot_be_read_after_the_response(serving):
    """What goes on in wait_until is told to read the body before the response is sent."""
    source = """
    async def late(request):
        while not SEEN:
            await asyncio.sleep(0)
        try:
            await request.text()
        except RuntimeError as error:
            SEEN.append(str(error))
    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            self.ctx.wait_until(late(request))
            return Response("ok")
    """
    body = "x" * 100_000
    async with serving(source) as served, served.connect() as connection:
        connection.send(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n")
        await connection.head()
        connection.send(f"{body}GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        await connection.reader.readexactly(2)
        await connection.head()
        served.seen.append("go")
        await served.until_seen(2)
        assert "can no longer be read: the response has been sent" in served.seen[1]
