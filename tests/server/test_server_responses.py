import asyncio

import pytest
from aiohttp import ClientPayloadError

from cfworkflows import Response

GET = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSE = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def worker(expression):
    return f"async def on_fetch(request):\n    return {expression}\n"


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        (
            "Response('hé')",
            (
                "HTTP/1.1 200 OK\r\ncontent-type: text/plain;charset=UTF-8\r\ncontent-length: 3\r\n"
                "connection: close\r\n\r\nhé"
            ),
        ),
        ("Response()", "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        ("Response(b'x')", "HTTP/1.1 200 OK\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx"),
        ("Response(None, status=204)", "HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"),
        ("Response(None, status=205)", "HTTP/1.1 205 Reset Content\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        ("Response(None, status=304)", "HTTP/1.1 304 Not Modified\r\nconnection: close\r\n\r\n"),
        (
            "Response(None, status=304, headers={'content-length': '7', 'etag': 'x'})",
            "HTTP/1.1 304 Not Modified\r\netag: x\r\ncontent-length: 7\r\nconnection: close\r\n\r\n",
        ),
        (
            "Response('x', status=404, headers={'content-type': 'a/b'})",
            "HTTP/1.1 404 Not Found\r\ncontent-type: a/b\r\ncontent-length: 1\r\nconnection: close\r\n\r\nx",
        ),
        ("Response(b'', 299)", "HTTP/1.1 299 \r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        ("Response(None, 200, 'Fine')", "HTTP/1.1 200 Fine\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"),
        (
            "Response.redirect('http://b/')",
            "HTTP/1.1 302 Found\r\nlocation: http://b/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        ),
        # The lengths and connection headers of the Worker's own making do not count.
        (
            "Response(b'abc', headers={'content-length': '99', 'Transfer-Encoding': 'chunked', 'connection': 'x'})",
            "HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc",
        ),
    ],
)
async def test_the_bytes_of_an_answer(serving, expression, answer):
    """Status line, headers and body are exactly what the response says, and nothing is added."""
    async with serving(worker(expression)) as served:
        assert answer == await served.exchange(CLOSE)


async def test_each_set_cookie_is_a_header_of_its_own(serving, client):
    """Several cookies are not joined, other repeated headers are."""
    source = """
    def on_fetch(request):
        headers = Headers({"x": "1"})
        for name, value in (("Set-Cookie", "a=1, x"), ("set-cookie", "b=2"), ("X", "2")):
            headers.append(name, value)
        return Response(None, headers=headers)
    """
    async with serving(source) as served, client.get(served.url) as response:
        assert ["a=1, x", "b=2"] == response.headers.getall("set-cookie")
        assert ["1, 2"] == response.headers.getall("x")


async def test_a_stream_is_sent_in_chunks_as_they_come(serving):
    """Each chunk of a generator is on the wire before the next one is made."""
    source = """
    proceed = asyncio.Event()
    async def numbers():
        yield b"one"
        await proceed.wait()
        yield "two"
    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            if request.url.endswith("/go"):
                proceed.set()
                return Response()
            return Response(numbers(), headers={"content-type": "text/event-stream"})
    """
    async with serving(source) as served, served.connect(GET) as connection:
        expected = ["HTTP/1.1 200 OK", "content-type: text/event-stream", "transfer-encoding: chunked"]
        assert expected == await connection.head()
        assert b"3\r\none\r\n" == await connection.reader.readexactly(8)
        await served.exchange("GET /go HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert b"3\r\ntwo\r\n0\r\n\r\n" == await connection.reader.readexactly(13)


async def test_headers_are_sent_before_the_first_chunk(serving):
    """A stream that has nothing yet does not hold its headers back."""
    source = """
    async def nothing():
        await asyncio.Event().wait()
        yield b""
    def on_fetch(request):
        return Response(nothing())
    """
    async with serving(source) as served, served.connect(GET) as connection:
        assert "HTTP/1.1 200 OK" == (await connection.head())[0]


async def test_module_level_env_is_there_while_a_stream_is_sent(serving):
    """The generator of a body sees the env of the handler that made it."""
    source = """
    from cfworkflows import env
    async def body():
        yield env.GREETING
    def on_fetch(request):
        return Response(body())
    """
    async with serving(source, '[vars]\nGREETING = "hi"\n') as served:
        assert "hi" in await served.exchange(CLOSE)


async def test_a_known_length_is_kept_for_a_stream(serving):
    """A stream with a Content-Length is sent with it, and the connection lives on."""
    source = worker("Response(iter([b'he', b'llo']), headers={'Content-Length': '5'})")
    async with serving(source) as served, served.connect() as connection:
        for _ in range(2):
            connection.send(GET)
            assert ["HTTP/1.1 200 OK", "content-length: 5"] == await connection.head()
            assert b"hello" == await connection.reader.readexactly(5)


@pytest.mark.parametrize(("length", "text"), [("9", "4 bytes shorter than its Content-Length"), ("4", "longer than")])
async def test_a_length_that_is_wrong_is_an_error(serving, caplog, length, text):
    """A stream that does not keep its Content-Length is logged, and the connection ends."""
    source = worker(f"Response(iter([b'he', b'llo']), headers={{'Content-Length': '{length}'}})")
    async with serving(source) as served:
        answer = await served.exchange(GET)
    assert answer.startswith("HTTP/1.1 200 OK")
    assert text in str(caplog.records[0].exc_info[1])


async def test_a_stream_that_fails_is_not_whole(serving, client, caplog):
    """The client sees that the body is cut off; the log has the error, with the Worker's line."""
    source = """
    async def body():
        yield b"one"
        raise ValueError("kaboom")
    def on_fetch(request):
        return Response(body())
    """
    async with serving(source) as served:
        async with client.get(served.url) as response:
            assert 200 == response.status
            with pytest.raises(ClientPayloadError):
                await response.read()
        async with client.get(served.url):
            pass
    assert "Uncaught error in the body of a response" == caplog.records[0].getMessage()
    assert "kaboom" == str(caplog.records[0].exc_info[1])


async def test_http_1_0_ends_a_stream_with_the_connection(serving):
    """A client of HTTP/1.0 gets no chunks."""
    async with serving(worker("Response(iter([b'he', b'llo']))")) as served:
        assert "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello" == await served.exchange("GET / HTTP/1.0\r\n\r\n")


async def test_http_1_0_can_keep_a_connection(serving):
    """A client of HTTP/1.0 that asks for it gets its next answer on the same connection."""
    async with serving(worker("Response(b'x')")) as served, served.connect() as connection:
        for _ in range(2):
            connection.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
            assert ["HTTP/1.1 200 OK", "content-length: 1", "connection: keep-alive"] == await connection.head()
            assert b"x" == await connection.reader.readexactly(1)


@pytest.mark.parametrize(
    ("expression", "headers"),
    [
        ("Response('hello')", ["content-type: text/plain;charset=UTF-8", "content-length: 5"]),
        ("Response(None, headers={'content-length': '123'})", ["content-length: 123"]),
        ("Response(None)", []),
        ("Response(iter([b'a']))", []),
        ("Response(None, status=204)", []),
    ],
)
async def test_head_has_headers_and_no_body(serving, expression, headers):
    """HEAD answers with the headers of GET, and the next answer follows at once."""
    async with serving(worker(expression)) as served, served.connect() as connection:
        for _ in range(2):
            connection.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert headers == (await connection.head())[1:]


async def test_head_closes_the_generator_of_the_body(serving):
    """A body that nobody reads is closed, not left behind."""
    source = """
    class Body:
        def __aiter__(self): return self
        async def __anext__(self): SEEN.append("read"); return b"x"
        async def aclose(self): SEEN.append("closed")
    def on_fetch(request):
        return Response(Body())
    """
    async with serving(source) as served, served.connect("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n") as connection:
        await connection.head()
        assert ["closed"] == await served.until_seen(1)


async def test_pipelined_requests_are_answered_in_order(serving):
    """Requests that come together are answered one after the other."""
    async with serving(worker("Response(request.url[-1])")) as served:
        sent = "".join(f"GET /{number} HTTP/1.1\r\nHost: a\r\n\r\n" for number in range(9)) + CLOSE.replace("/ ", "/9 ")
        answer = await served.exchange(sent)
    assert "0123456789" == "".join(part[0] for part in answer.split("\r\n\r\n")[1:])


async def test_a_client_that_goes_away_does_not_stop_the_handler(serving):
    """The handler goes on to its end, and wait_until after it."""
    source = """
    proceed = asyncio.Event()
    async def later():
        SEEN.append("later")
    class Default(WorkerEntrypoint):
        async def fetch(self, request):
            SEEN.append(proceed)
            await proceed.wait()
            SEEN.append("ended")
            self.ctx.wait_until(later())
            return Response("x" * 1_000_000)
    """
    async with serving(source) as served:
        async with served.connect(GET) as connection:
            await served.until_seen(1)
            connection.writer.transport.abort()
        (await served.until_seen(1))[0].set()
        assert ["ended", "later"] == (await served.until_seen(3))[1:]


async def test_a_client_that_goes_away_closes_the_generator(serving, caplog):
    """A generator that waits for something is closed when nobody is there to read it."""
    source = """
    async def events():
        try:
            yield b"first"
            SEEN.append("waits")
            await asyncio.Event().wait()
        finally:
            SEEN.append("closed")
    def on_fetch(request):
        return Response(events())
    """
    async with serving(source) as served:
        async with served.connect(GET) as connection:
            await connection.head()
            assert ["waits"] == await served.until_seen(1)
            connection.writer.transport.abort()
        assert ["waits", "closed"] == await served.until_seen(2)
    assert [] == caplog.records


async def test_a_client_that_goes_away_stops_an_endless_stream(serving, caplog):
    """A generator that never waits ends when its client is gone, also while the connection is full."""
    source = """
    async def endless():
        try:
            while True:
                yield b"x" * 50_000
        finally:
            SEEN.append("closed")
    def on_fetch(request):
        return Response(endless())
    """
    async with serving(source) as served:
        async with served.connect(GET) as connection:
            await connection.head()
            connection.writer.transport.abort()
        assert ["closed"] == await served.until_seen(1)
    assert [] == caplog.records


async def test_a_slow_client_holds_the_generator_back(serving):
    """A body is made only as fast as the client takes it."""
    source = """
    async def endless():
        while True:
            SEEN.append(1)
            yield b"x" * 65_536
    def on_fetch(request):
        return Response(endless())
    """
    async with serving(source) as served, served.connect(GET) as connection:
        await connection.head()
        count = -1
        while count != (count := len(served.seen)):
            for _ in range(1000):
                await asyncio.sleep(0)
        assert count * 65_536 < 30_000_000


async def test_a_large_body_is_sent_whole(serving, client):
    """A body larger than what is sent at once arrives complete."""
    async with serving(worker("Response(bytes(range(256)) * 40_000)")) as served, client.get(served.url) as response:
        assert bytes(range(256)) * 40_000 == await response.read()


async def test_control_characters_in_headers_are_refused(serving, monkeypatch):
    """A header from elsewhere that would break the message is a 500, and splits nothing."""
    async with serving(worker("Response('x')")) as served:
        bad = Response.incoming(200, "", [("x-bad", "a\r\nset-cookie: b=1")], b"")
        monkeypatch.setattr(served.project.worker, "fetch", lambda *given: _async(bad))
        answer = await served.exchange(CLOSE)
    assert answer.startswith("HTTP/1.1 500 ")
    assert "\r\nset-cookie" not in answer


async def _async(value):
    return value


async def test_what_a_worker_fetched_can_be_passed_on(serving, client):
    """A fetched response goes through with its headers and its streaming body, once each."""
    source = """
    async def on_fetch(request):
        if request.url.endswith("/origin"):
            return Response(iter([b"from ", b"origin"]), status=203, headers={"x-origin": "yes"})
        return await fetch(request.url + "origin")
    """
    async with serving(source) as served, client.get(served.url) as response:
        assert (203, b"from origin") == (response.status, await response.read())
        assert ["yes"] == response.headers.getall("x-origin")
        assert ["chunked"] == response.headers.getall("transfer-encoding")


async def test_requests_are_logged(serving):
    """Each answer is told with its method, path without query, status and text; control paths are not."""
    async with serving(worker("Response('x', status=201)")) as served:
        await served.exchange(CLOSE.replace("/ ", "/a?b=1 ", 1))
        await served.exchange(CLOSE.replace("/ ", "/cdn-cgi/other ", 1))
        log = served.log
    assert [("GET", "/a", 201, "Created")] == [entry[:4] for entry in log]
    assert log[0][4] >= 0


async def test_control_paths_are_answered_before_the_worker(serving, client):
    """The Explorer's paths do not reach the Worker, other paths below /cdn-cgi/ do."""
    async with serving(worker("Response('worker')")) as served:
        async with client.get(f"{served.url}/cdn-cgi/local/explorer/api/workflows") as response:
            assert (await response.json())["success"]
        async with client.get(f"{served.url}/cdn-cgi/else") as response:
            assert "worker" == await response.text()


async def test_stopping_names_what_was_cut_off(serving):
    """stop gives the requests that did not end in time."""
    source = "async def on_fetch(request):\n    SEEN.append(1)\n    await asyncio.Event().wait()\n"
    async with serving(source) as served, served.connect(GET.replace("/ ", "/slow ", 1)):
        await served.until_seen(1)
        assert ["GET /slow"] == await served.server.stop()


async def test_stopping_waits_for_requests(serving):
    """A request under way is answered; a new connection is refused, an idle one is closed."""
    source = """
    proceed = asyncio.Event()
    async def on_fetch(request):
        SEEN.append(proceed)
        await proceed.wait()
        return Response("done")
    """
    async with serving(source) as served, served.connect(GET) as busy, served.connect() as idle:
        await served.until_seen(1)
        stopping = asyncio.create_task(served.server.stop(grace_s=60))
        await asyncio.sleep(0)
        with pytest.raises(ConnectionError):
            async with served.connect():
                pass
        served.seen[0].set()
        assert (await busy.rest()).endswith(b"done")
        assert [] == await stopping
        assert b"" == await idle.rest()
