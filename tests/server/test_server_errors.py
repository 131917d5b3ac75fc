import asyncio

import pytest

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.server import open_sockets
from cfworkflows_emulator.server.failure import Failure
from cfworkflows_emulator.server.server import Server

CLOSE = "GET /x?a=<b> HTTP/1.1\r\nHost: localhost:8787\r\nConnection: close\r\n{}\r\n"
BROWSER = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\nUser-Agent: Mozilla/5.0\r\n"

FAILS = """
def charge(order):
    raise ValueError("no <money> & no & card")

async def on_fetch(request):
    charge(1)
"""


async def answer_to(served, headers):
    head, _, body = (await served.exchange(CLOSE.format(headers))).partition("\r\n\r\n")
    return head, body


async def test_a_browser_gets_a_page(serving):
    """The page has the error, the Worker's frames with source, the request; escaped, and loading nothing."""
    async with serving(FAILS) as served:
        head, page = await answer_to(served, BROWSER)
    assert head.startswith("HTTP/1.1 500 Internal Server Error\r\n")
    assert "content-type: text/html;charset=utf-8" in head
    assert "<title>ValueError: no &lt;money&gt; &amp; no &amp; card</title>" in page
    assert "<money>" not in page
    assert "GET http://localhost:8787/x?a=%3Cb%3E" in page
    assert page.index("<b>charge</b>") < page.index("<b>on_fetch</b>")
    assert "raise ValueError(&quot;no &lt;money&gt; &amp; no &amp; card&quot;)" in page
    assert "class=hot" in page
    assert "color-scheme: light dark" in page
    assert "src=" not in page
    assert "url(" not in page
    assert "cfworkflows_emulator" not in page


@pytest.mark.parametrize(
    "headers",
    [
        "Accept: */*\r\nUser-Agent: curl/8.5.0\r\n",
        "Accept: text/html\r\nUser-Agent: curl/8.5.0\r\n",
        "Accept: application/json\r\n",
        "",
    ],
)
async def test_others_get_the_traceback_as_text(serving, headers):
    """curl and clients that want no text/html get the trimmed traceback."""
    async with serving(FAILS) as served:
        head, text = await answer_to(served, headers)
    assert "content-type: text/plain;charset=UTF-8" in head
    assert "Traceback (most recent call last):" == text.splitlines()[0]
    assert "ValueError: no <money> & no & card" == text.splitlines()[-1]
    assert "entry.py" in text
    assert "cfworkflows_emulator" not in text


@pytest.mark.parametrize("headers", ["Accept: text/*\r\n", "Accept: */*\r\nUser-Agent: node\r\n"])
async def test_whoever_accepts_html_gets_the_page(serving, headers):
    """The rule is Accept and not curl, as in the platform's local server."""
    async with serving(FAILS) as served:
        assert (await answer_to(served, headers))[1].startswith("<!doctype html>")


async def test_the_error_is_logged_once(serving, caplog):
    """The log has the request and the error, whose traceback starts with the Worker's own code."""
    async with serving(FAILS) as served:
        await answer_to(served, "")
        log = served.log
    assert ["Uncaught error in GET /x?a=<b>"] == [record.getMessage() for record in caplog.records]
    assert [("GET", "/x", 500)] == [entry[:3] for entry in log]


@pytest.mark.parametrize("headers", [BROWSER, "User-Agent: curl/8\r\n"])
async def test_a_handler_that_returns_none_is_told_so(serving, headers):
    """The answer is the message alone: no frames of ours."""
    async with serving("async def on_fetch(request):\n    pass\n") as served:
        _, text = await answer_to(served, headers)
    assert "on_fetch (" in text
    assert "returned None. Return a Response on every path" in text
    assert "Traceback" not in text
    assert "cfworkflows_emulator" not in text


async def test_notes_and_causes_are_shown(serving):
    """What the Worker added to its error, and what caused it, are part of the answer."""
    source = """
    async def on_fetch(request):
        try:
            {}["missing"]
        except KeyError as error:
            failure = RuntimeError("outer")
            failure.add_note("a note")
            raise failure from error
    """
    async with serving(source) as served:
        _, text = await answer_to(served, "")
        _, page = await answer_to(served, BROWSER)
    for expected in ("KeyError: 'missing'", "outer", "a note", "direct cause"):
        assert expected in text
        assert expected.replace("'", "&#x27;") in page


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import sys\ndef on_fetch(request):\n    sys.exit(3)\n", "SystemExit: 3"),
        ("async def on_fetch(request):\n    raise asyncio.CancelledError\n", "CancelledError"),
        ("def on_fetch(request):\n    raise ExceptionGroup('both', [ValueError('a')])\n", "ValueError: a"),
        (
            "R = Response('x')\nasync def on_fetch(request):\n    await R.text()\n    return R\n",
            "Body has already been",
        ),
        ("class Default(WorkerEntrypoint): pass\n", "Handler does not export a fetch() function."),
        ("class Default(WorkerEntrypoint):\n    fetch = 5\n", "Handler does not export a fetch() function."),
        (
            "def on_fetch(a, b, c, d): pass\n",
            "src/entry.py:5): on_fetch() can never be called: it requires 4 arguments",
        ),
        ("class Default(WorkerEntrypoint):\n    def __init__(self): pass\n", "positional argument"),
    ],
)
async def test_whatever_goes_wrong_is_a_500(serving, source, expected):
    """No error of a Worker ends the server or the connection without an answer."""
    async with serving(source) as served:
        for _ in range(2):
            head, text = await answer_to(served, "")
            assert head.startswith("HTTP/1.1 500 Internal Server Error")
        assert expected in text


async def test_the_connection_outlives_an_error(serving):
    """A request that failed does not end the connection."""
    async with serving(FAILS) as served, served.connect() as connection:
        for _ in range(2):
            connection.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert "HTTP/1.1 500 Internal Server Error" == (await connection.head())[0]


HOSTILE = """
class Nameless(type):
    def __getattribute__(cls, name):
        raise KeyError(name)

def fail(self, *arguments):
    raise KeyError("no")

def chain(length):
    error = ValueError("boom")
    for _ in range(length):
        following = ValueError("boom")
        following.__cause__ = error
        error = following
    return error

def nest(depth):
    error = ValueError("boom")
    for _ in range(depth):
        error = ExceptionGroup("boom", [error])
    return error

async def on_fetch(request):
    raise {}
"""


@pytest.mark.parametrize("headers", [BROWSER, ""], ids=["page", "text"])
@pytest.mark.parametrize(
    ("error", "shown"),
    [
        ('type("Hostile", (ValueError,), {"__getattr__": fail, "__str__": fail, "__repr__": fail})("boom")', "Hostile"),
        ('type("Hostile", (ValueError,), {"__getattribute__": fail})("boom")', "boom"),
        ('type("Hostile", (ValueError,), {"__class__": property(fail)})("boom")', "boom"),
        ('Nameless("Hostile", (ValueError,), {})("boom")', "boom"),
        ("chain(3_000)", "boom"),
        ("nest(1_000)", "boom"),
        (r'ValueError("boom \ud800")', r"boom \ud800"),
    ],
)
async def test_an_error_that_python_cannot_print_is_answered_and_logged(serving, caplog, headers, error, shown):
    """With what can be said of it, as any other error is; the connection and the log are fine."""
    async with serving(HOSTILE.replace("raise {}", f"raise {error}")) as served:
        head, body = await answer_to(served, headers)
    assert head.startswith("HTTP/1.1 500 Internal Server Error\r\n")
    assert shown in body
    assert "Server got itself in trouble" not in body
    assert any("Uncaught error in GET" in record.getMessage() for record in caplog.records)


FOREIGN = "GET /x HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{}\r\n"


@pytest.mark.parametrize("headers", [BROWSER, "User-Agent: curl/8\r\n"], ids=["browser", "curl"])
@pytest.mark.parametrize("host", ["evil.example", "evil.example:8787", "192.168.0.7", "localhost.evil.example"])
async def test_another_host_sees_nothing_of_the_code(serving, host, headers):
    """A page that has its own name lead here, and reads what it is given, gets no source, no path and no message."""
    async with serving(FAILS) as served:
        head, _, body = (await served.exchange(FOREIGN.format(host, headers))).partition("\r\n\r\n")
    assert ("HTTP/1.1 500 Internal Server Error", "Internal Server Error\n") == (head.splitlines()[0], body)
    assert "content-type: text/plain;charset=UTF-8" in head


async def test_what_cannot_be_loaded_is_for_this_machine_too(serving):
    """The error of a Worker that does not load is shown by the same rule, and under the names that are allowed."""
    for host, sees in (("evil.example", False), ("localhost", True), ("dev.example", True)):
        sockets = open_sockets("127.0.0.1", 0)
        server = Server(Failure(CfworkflowsError("/home/me/entry.py is wrong")), sockets, allowed_hosts=["dev.example"])
        await server.start()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
            writer.write(FOREIGN.format(host, "").encode())
            text = (await reader.read()).decode()
            writer.close()
        finally:
            await server.stop()
        assert (True, sees) == (text.startswith("HTTP/1.1 500 "), "/home/me" in text)
