import dataclasses
import json
from http import HTTPStatus

import pytest
from pydantic import BaseModel

from cfworkflows.http import Blob, Headers, ReadableStream, Request, Response, URLSearchParams

USED = r"^Body has already been used\. It can only be used once\. Use tee\(\) first if you need to read it twice\.$"


async def chunks(*parts):
    for part in parts:
        yield part


class Model(BaseModel):
    a: int = 1


@dataclasses.dataclass
class Data:
    a: int = 1


def test_defaults():
    """An empty response is 200 OK without headers or body."""
    response = Response()
    assert (200, "OK", True, "", False, "default") == (
        response.status,
        response.statusText,
        response.ok,
        response.url,
        response.redirected,
        response.type,
    )
    assert (None, None, None, "automatic") == (
        response.body,
        response.cf,
        response.webSocket,
        response.encodeBody,
    )
    assert [] == response.header_pairs()
    assert "Response(status=200)" == repr(response)


@pytest.mark.parametrize(
    "response",
    [
        Response("x", {"status": 201, "statusText": "Made", "headers": {"A": "b"}}),
        Response("x", {"status": 201, "status_text": "Made", "headers": [("A", "b")]}),
        Response("x", 201, "Made", {"A": "b"}),
        Response("x", status=201, statusText="Made", headers=Headers({"A": "b"})),
        Response("x", status=HTTPStatus.CREATED, status_text="Made", headers={"A": "b"}),
        Response("x", {"status": 500, "statusText": "No"}, "Made", {"A": "b"}, status=201),
        Response("x", Response(None, 201, "Made", {"A": "b"})),
    ],
)
def test_options_may_be_a_dict_a_status_a_response_or_keywords(response):
    """TypeScript's form and that of Python Workers mean the same; what is given later wins."""
    assert (201, "Made", True) == (response.status, response.status_text, response.ok)
    assert [("a", "b"), ("content-type", "text/plain;charset=UTF-8")] == response.header_pairs()


def test_status_text_is_empty_unless_given():
    """Only 200 has a text of its own."""
    assert ("", "") == (Response(status=404).status_text, Response(None, 200, "").status_text)


@pytest.mark.parametrize("status", [199, 600, 0, 101, -1])
def test_status_out_of_range_is_refused(status):
    """The platform's RangeError is Python's ValueError."""
    with pytest.raises(ValueError, match=r"^Responses may only be constructed with status codes in the range 200 to"):
        Response(None, status)


@pytest.mark.parametrize("status", ["200", 200.0, True])
def test_status_must_be_an_int(status):
    """Text and booleans are no status."""
    with pytest.raises(TypeError, match="must be an int"):
        Response(None, {"status": status})


@pytest.mark.parametrize("status", [204, 205, 304])
async def test_null_body_statuses_have_no_body(status):
    """A body is refused, but for an empty one, which the platform lets pass."""
    with pytest.raises(
        TypeError, match=r"^Response with null body status \(101, 204, 205, or 304\) cannot have a body"
    ):
        Response("x", status)
    response = Response("", status)
    assert response.body is None
    assert [] == response.header_pairs()
    assert "" == await response.text()


@pytest.mark.parametrize("text", ["a\nb", "a\x7f", "中", 5])
def test_invalid_status_text_is_refused(text):
    """The text may not break out of its line."""
    with pytest.raises(TypeError, match=r"^Invalid statusText$"):
        Response(None, {"statusText": text})


def test_web_sockets_are_refused_by_name():
    """Both spellings say that WebSocket is not supported."""
    for name in ("webSocket", "web_socket"):
        with pytest.raises(NotImplementedError, match="WebSocket is not supported yet"):
            Response(None, {name: object()})
    assert 200 == Response(None, webSocket=None).status


@pytest.mark.parametrize("options", [{"stauts": 201}, {"fetcher": None}])
def test_unknown_options_are_refused_by_name(options):
    """A misspelt option is an error that lists the right ones."""
    with pytest.raises(TypeError, match=f"does not support the option '{next(iter(options))}'.*status_text"):
        Response("x", options)
    with pytest.raises(TypeError, match="does not support the option"):
        Response("x", **options)


def test_other_kinds_of_options_are_refused():
    """A string in second position is no status."""
    with pytest.raises(TypeError, match="dict, a Response, or the status as an int, not '201'"):
        Response("x", "201")


def test_encode_body_is_automatic_or_manual():
    """Any other value is refused."""
    assert "manual" == Response("x", {"encodeBody": "manual"}).encode_body
    with pytest.raises(TypeError, match="encodeBody"):
        Response("x", encode_body="gzip")


@pytest.mark.parametrize(
    ("body", "content", "content_type"),
    [
        ("é", "é".encode(), "text/plain;charset=UTF-8"),
        ("", b"", "text/plain;charset=UTF-8"),
        (b"b", b"b", None),
        (bytearray(b"b"), b"b", None),
        (memoryview(b"b"), b"b", None),
        (URLSearchParams({"a": "b c"}), b"a=b+c", "application/x-www-form-urlencoded;charset=UTF-8"),
        (Blob("b", type="image/png"), b"b", "image/png"),
        (Blob("b"), b"b", None),
        ([b"a", "b"], b"ab", None),
        (ReadableStream(b"ab"), b"ab", None),
        (Response("ab"), b"ab", "text/plain;charset=UTF-8"),
        (Response(None), b"", None),
        (None, b"", None),
    ],
)
async def test_bodies_and_their_content_types(body, content, content_type):
    """Each kind of body is read back as bytes and has the platform's default type, which a header replaces."""
    response = Response(body, {"status": 202})
    clone = response.clone()
    assert content_type == response.headers.get("content-type")
    assert content == await response.bytes()
    assert content == await Response(clone.body, headers={"Content-Type": "x/y"}).array_buffer()
    assert "x/y" == Response("", headers={"Content-Type": "x/y"}).headers["content-type"]


@pytest.mark.parametrize("body", [{"a": 1}, {1}, 5, 1.5, True, object(), Model()])
def test_what_cannot_be_sent_is_refused_with_its_type(body):
    """Data is no body, and the error says how to send it."""
    with pytest.raises(TypeError, match=f"^Unsupported type in Response: {type(body).__name__}") as caught:
        Response(body)
    assert isinstance(body, (dict, set, Model)) == ("Response.json" in str(caught.value))


async def test_a_body_is_read_once():
    """The second read is refused in the platform's words, whichever way it goes."""
    for body in ("x", chunks(b"x")):
        response = Response(body)
        assert not response.body_used
        assert "x" == await response.text()
        assert response.bodyUsed
        for read in (response.text, response.bytes, response.json, response.blob, response.formData):
            with pytest.raises(TypeError, match=USED):
                await read()
        with pytest.raises(TypeError, match=USED):
            response.clone()
        with pytest.raises(TypeError, match=USED):
            response.take_body()
        assert response.body.disturbed
        with pytest.raises(TypeError, match="is disturbed"):
            Response(response.body)


async def test_a_missing_body_can_be_read_again_and_again():
    """There is nothing to use up."""
    response = Response(None)
    assert ("", b"", False) == (await response.text(), await response.bytes(), response.body_used)


async def test_a_locked_body_cannot_be_read():
    """While a reader holds the stream, the response cannot read it."""
    response = Response("x")
    reader = response.body.get_reader()
    with pytest.raises(TypeError, match="currently locked"):
        await response.text()
    reader.release_lock()
    assert "x" == await response.text()


async def test_text_is_utf8_without_its_byte_order_mark():
    """What is not UTF-8 is replaced, not an error."""
    assert "é\ufffd" == await Response(b"\xef\xbb\xbf\xc3\xa9\xff").text()


async def test_blob_has_the_type_of_the_response():
    """The type is that of the header."""
    assert "text/plain;charset=utf-8" == (await Response("x").blob()).type


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("{", "is not JSON: Expecting property name"),
        ("", "is empty, which is not JSON"),
        ("[NaN]", "it has NaN: line 1 column 2"),
        ("[-Infinity]", "it has -Infinity: line 1 column 2"),
    ],
)
async def test_malformed_json_is_a_clear_value_error(body, text):
    """The error says whose body it is, what is wrong, and where."""
    with pytest.raises(json.JSONDecodeError, match=rf"The body of Response\(status=200\).*{text}"):
        await Response(body).json()


async def test_json_builds_on_the_class_and_reads_on_an_instance():
    """The one name does both, as in JavaScript."""
    response = Response.json({"a": "é", "b": [1, None]})
    assert [("content-type", "application/json")] == response.header_pairs()
    assert '{"a":"é","b":[1,null]}' == await response.clone().text()
    assert {"a": "é", "b": [1, None]} == await response.json()


async def test_json_takes_the_options_of_a_response():
    """A dict, a status, keywords; a content type of one's own is kept."""
    for response in (
        Response.json(1, {"status": 201, "headers": {"x": "y"}}),
        Response.json(1, 201, "", {"x": "y"}),
        Response.json(1, status=201, headers={"x": "y"}),
    ):
        assert 201 == response.status
        assert [("content-type", "application/json"), ("x", "y")] == response.header_pairs()
    assert "a/b" == Response.json(1, headers={"Content-Type": "a/b"}).headers["content-type"]
    assert {"a": 1} == await Response.json(Model()).json() == await Response.json(Data()).json()


def test_json_refuses_what_json_cannot_hold():
    """The path of the bad value is in the error."""
    with pytest.raises(TypeError, match=r"\$\.items\[0\]"):
        Response.json({"items": [object()]})
    with pytest.raises(TypeError, match="null body status"):
        Response.json({}, 204)


async def test_json_of_a_subclass_is_of_the_subclass():
    """Building keeps the class, and so does cloning."""

    class Mine(Response):
        pass

    assert Mine is type(Mine.json(1)) is type(Mine("x").clone()) is type(Mine.redirect("http://e.com"))
    assert 1 == await Mine.json(1).json()


def test_redirect():
    """The location is normalised and the headers cannot be changed."""
    response = Response.redirect("http://e.com/a b", 307)
    assert (307, "http://e.com/a%20b", None) == (response.status, response.headers["location"], response.body)
    assert 302 == Response.redirect("http://e.com").status
    with pytest.raises(TypeError, match="immutable"):
        response.headers.set("a", "b")
    with pytest.raises(TypeError, match="immutable"):
        response.clone().headers.set("a", "b")


def test_redirect_refuses_other_statuses_and_relative_urls():
    """The platform's messages."""
    with pytest.raises(
        ValueError, match=r"^200 is not a redirect status code\. It must be one of: 301, 302, 303, 307,"
    ):
        Response.redirect("http://e.com", 200)
    with pytest.raises(TypeError, match=r"^Unable to parse URL: /x$"):
        Response.redirect("/x")


def test_error():
    """A network error has status 0."""
    response = Response.error()
    assert (0, "error", False, "") == (response.status, response.type, response.ok, response.status_text)


async def test_clone_gives_both_sides_the_body():
    """Bytes and streams are readable on both sides; headers are each side's own."""
    for body in ("ab", chunks("a", b"b")):
        response = Response(body, {"status": 201, "headers": {"x": "1"}, "cf": {"a": 1}})
        clone = response.clone()
        clone.headers.set("x", "2")
        assert ("1", "2", 201, {"a": 1}) == (response.headers["x"], clone.headers["x"], clone.status, clone.cf)
        assert ("ab", "ab") == (await clone.text(), await response.text())


async def test_a_response_made_of_another_shares_its_body():
    """`Response(old.body, old)` is how headers are changed; reading the new one uses the old one."""
    old = Response.incoming(203, "Mine", [("x", "1")], ReadableStream(chunks("ab")))
    new = Response(old.body, old)
    new.headers.set("x", "2")
    assert (203, "Mine", "1", "2") == (new.status, new.status_text, old.headers["x"], new.headers["x"])
    assert not old.body_used
    assert "ab" == await new.text()
    assert old.body_used


async def test_a_response_as_the_body_is_a_copy():
    """Without options status and headers are taken over; with options only the body and its type."""
    copy = Response(Response("ab", 201, headers={"x": "1"}))
    assert (201, "1", "ab") == (copy.status, copy.headers["x"], await copy.text())
    other = Response(Request("http://e.com", method="POST", body="ab"), 202)
    assert (202, "text/plain;charset=UTF-8", "ab") == (other.status, other.headers["content-type"], await other.text())


async def test_take_body_hands_over_what_is_at_hand():
    """Bytes for a whole body, None for none, a stream for the rest; each counts as reading."""
    whole = Response("ab")
    assert b"ab" == whole.take_body()
    assert whole.body_used
    assert Response(None).take_body() is None
    seen = Response("ab")
    assert not seen.body.disturbed
    assert b"ab" == seen.take_body()
    assert seen.body_used
    streamed = Response(chunks("a", "b"))
    body = streamed.body
    taken = streamed.take_body()
    assert body.locked
    assert streamed.body_used
    assert [b"a", b"b"] == [chunk async for chunk in taken]


async def test_a_big_stream_is_not_read_ahead():
    """A response pulls from its source only what its reader asks for."""
    pulled = []

    def source():
        for number in range(10):
            pulled.append(number)
            yield b"x"

    response = Response(source())
    assert [] == pulled
    reader = response.body.getReader()
    await reader.read()
    assert [0] == pulled
