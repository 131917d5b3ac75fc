import json
from http import HTTPMethod

import pytest

from cfworkflows.http import Headers, Request


async def chunks(*parts):
    for part in parts:
        yield part


def test_defaults():
    """A URL alone is a GET that follows redirects."""
    request = Request("http://e.com")
    assert ("GET", "http://e.com/", "follow") == (request.method, request.url, request.redirect)
    assert (None, None, None) == (request.body, request.cf, request.cache)
    assert not request.signal.aborted
    assert [] == request.header_pairs()
    assert "Request(method='GET', url='http://e.com/')" == repr(request)


async def test_options_may_be_a_dict_or_keywords():
    """Both forms mean the same, and keywords win."""
    options = {"method": "post", "headers": {"A": "b"}, "body": "x", "redirect": "manual", "cf": {"k": {"v": 1}}}
    for request in (
        Request("http://e.com", options),
        Request("http://e.com", **options),
        Request("http://e.com", {**options, "method": "GET"}, method="POST"),
    ):
        assert ("POST", "manual") == (request.method, request.redirect)
        assert [("a", "b"), ("content-type", "text/plain;charset=UTF-8")] == request.header_pairs()
        assert 1 == request.cf.k.v == request.cf["k"]["v"]
        assert "x" == await request.text()


def test_cf_of_an_unknown_name_is_an_attribute_error():
    """So hasattr() works, and a request without facts has none."""
    assert not hasattr(Request("http://e.com", cf={"a": 1}).cf, "b")


@pytest.mark.parametrize(("method", "expected"), [("patch", "PATCH"), ("Purge", "PURGE"), (HTTPMethod.PUT, "PUT")])
def test_known_methods_are_written_in_upper_case(method, expected):
    """Any case is taken, and Python's enum too."""
    assert expected == Request("http://e.com", method=method).method


@pytest.mark.parametrize("method", ["FOO", "", "GE T", 5])
def test_unknown_methods_are_refused(method):
    """The platform's message, with the method."""
    with pytest.raises(TypeError, match=f"^Invalid HTTP method string: {method}$"):
        Request("http://e.com", method=method)


@pytest.mark.parametrize("url", ["/x", "", "e.com", None])
def test_urls_that_are_not_absolute_are_refused(url):
    """The platform's message, with the URL."""
    with pytest.raises(TypeError, match=f"^Invalid URL: {url}$"):
        Request(url)


@pytest.mark.parametrize("method", ["GET", "head"])
def test_get_and_head_have_no_body(method):
    """A body is refused, be it given or inherited."""
    with pytest.raises(TypeError, match=r"^Request with a GET or HEAD method cannot have a body\.$"):
        Request("http://e.com", method=method, body="")
    post = Request("http://e.com", method="POST", body="x")
    with pytest.raises(TypeError, match="cannot have a body"):
        Request(post, method=method)
    assert not post.body_used


@pytest.mark.parametrize("redirect", ["error", "Follow", 5])
def test_redirect_is_follow_or_manual(redirect):
    """`error` is refused as on the platform."""
    with pytest.raises(TypeError, match=r'^Invalid redirect value, must be one of "follow" or "manual"'):
        Request("http://e.com", redirect=redirect)


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"signal": object()}, TypeError, "The signal option is an AbortSignal"),
        ({"integrity": "sha256-x"}, NotImplementedError, "integrity"),
        ({"cache": "force-cache"}, TypeError, "^Unsupported cache mode: force-cache$"),
        ({"duplex": "full"}, TypeError, "duplex"),
        ({"mehtod": "GET"}, TypeError, "does not support the option 'mehtod'.*method"),
        ({"mode": "cors"}, TypeError, "does not support the option 'mode'"),
    ],
)
def test_options_that_are_not_supported_are_refused_by_name(options, error, text):
    """No option is passed over in silence."""
    with pytest.raises(error, match=text):
        Request("http://e.com", options)


def test_options_without_effect_are_taken():
    """What changes nothing here is no error."""
    options = {"signal": None, "integrity": "", "cache": "no-store", "duplex": "half"}
    assert "no-store" == Request("http://e.com", options).cache


def test_other_kinds_of_options_and_bodies_are_refused():
    """A string in second position is no options, and a dict no body."""
    with pytest.raises(TypeError, match="a dict, or a Request, not 'POST'"):
        Request("http://e.com", "POST")
    with pytest.raises(TypeError, match=r"^Unsupported type in Request: dict\. Use json\.dumps"):
        Request("http://e.com", method="POST", body={"a": 1})


@pytest.mark.parametrize("body", ["x", [b"x"]])
async def test_a_request_from_a_request_takes_its_body(body):
    """Everything is taken over, the body moves, and the headers can be changed."""
    old = Request.incoming("PUT", "http://e.com/a", [(b"X", b"1")], b"x" if body == "x" else chunks(b"x"), {"c": 1})
    new = Request(old)
    assert ("PUT", "http://e.com/a", "manual", {"c": 1}) == (new.method, new.url, new.redirect, new.cf)
    new.headers.set("x", "2")
    assert "1" == old.headers["x"]
    assert old.body_used
    assert not new.body_used
    assert "x" == await new.text()
    with pytest.raises(TypeError, match=r"^Cannot reconstruct a Request with a used body\.$"):
        Request(new)


async def test_a_new_body_leaves_the_old_one_alone():
    """Only an inherited body moves."""
    old = Request("http://e.com", method="POST", body="old")
    new = Request(old, {"body": "new", "headers": {"x": "y"}})
    assert ("old", "new", "y") == (await old.text(), await new.text(), new.headers["x"])


async def test_a_request_as_options_gives_all_but_the_url():
    """`Request(url, request)` sends the same to another place."""
    old = Request("http://e.com/a", method="POST", body="x", headers={"x": "y"}, redirect="manual")
    new = Request("http://o.com/b", old)
    assert ("POST", "http://o.com/b", "manual", "y") == (new.method, new.url, new.redirect, new.headers["x"])
    assert "x" == await new.text()
    assert old.body_used


def test_a_locked_body_cannot_be_inherited():
    """While a reader holds it, the body does not move."""
    old = Request("http://e.com", method="POST", body="x")
    old.body.get_reader()
    with pytest.raises(TypeError, match="locked"):
        Request(old)


async def test_incoming_requests_have_immutable_headers():
    """What the server built cannot be changed, nor its clone; a copy can."""
    request = Request.incoming("GET", "http://e.com/", [("A", "1"), ("set-cookie", "b"), ("a", "2")])
    assert ("GET", "http://e.com/", "manual", None) == (request.method, request.url, request.redirect, request.body)
    assert [("a", "1, 2"), ("set-cookie", "b")] == request.header_pairs()
    for headers in (request.headers, request.clone().headers):
        with pytest.raises(TypeError, match=r"^Can't modify immutable headers\.$"):
            headers.set("a", "3")
    assert "3" == Request(request, headers={"a": "3"}).headers["a"]
    assert Headers(request.headers) == Request(request).headers


async def test_an_incoming_body_is_read_as_it_comes():
    """Nothing is pulled before the Worker reads."""
    pulled = []

    async def source():
        pulled.append(True)
        yield b'{"a":'
        yield b"1}"

    request = Request.incoming("POST", "http://e.com/", body=source())
    assert [] == pulled
    data = await request.json()
    assert 1 == data.a == data["a"]
    assert b"x" == await Request.incoming("POST", "http://e.com/", body=b"x").bytes()


async def test_clone_gives_both_sides_the_body():
    """Both are read independently, and a used one cannot be cloned."""
    request = Request("http://e.com", method="POST", body=chunks("a", "b"), cf={"a": 1}, redirect="manual")
    clone = request.clone()
    assert ("POST", "http://e.com/", "manual", {"a": 1}) == (clone.method, clone.url, clone.redirect, clone.cf)
    assert ("ab", "ab") == (await request.text(), await clone.text())
    with pytest.raises(TypeError, match="Body has already been used"):
        request.clone()


async def test_malformed_json_names_the_request():
    """The error says which request it was."""
    request = Request("http://e.com/x", method="POST", body="nope")
    with pytest.raises(
        json.JSONDecodeError, match=r"method='POST', url='http://e.com/x'\) is not JSON: Expecting value"
    ):
        await request.json()


def test_attributes_of_ones_own_can_be_kept_on_a_request():
    """Routers hang their parameters on the request."""
    request = Request("http://e.com")
    request.params = {"id": "1"}
    assert {"id": "1"} == request.params
