import copy
import json
import pickle
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows.http import URL, Headers, Request, Response, URLSearchParams
from cfworkflows.http.jsontext import stringify
from cfworkflows.http.url import join_url, normalise_url
from cfworkflows.values import encode


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://e.com", "http://e.com/"),
        ("http://localhost:8787/a?b=c#d", "http://localhost:8787/a?b=c#d"),
        ("http://e.com/plain/path", "http://e.com/plain/path"),
        ("HTTP://E.com:80/a b?q=a bé#f g", "http://e.com/a%20b?q=a%20b%C3%A9#f%20g"),
        ("https://u:p@e.com:443/../a/./b/..", "https://u:p@e.com/a/"),
        ("http://a@b@c/", "http://a%40b@c/"),
        ("http://u:@h/", "http://u@h/"),
        ("http://:p@h/", "http://:p@h/"),
        ("http://@h/", "http://h/"),
        ("http:e.com\\x", "http://e.com/x"),
        ("http://ex%61mple.com/%7e/é", "http://example.com/%7e/%C3%A9"),
        ("http://e.com/%2e%2E/x/%2e", "http://e.com/x/"),
        ("http://e.com/a//b/../c", "http://e.com/a//c"),
        ("  http://e.com/\t\nx ", "http://e.com/x"),
        ("http://e.com:/", "http://e.com/"),
        ("http://e.com:0080/", "http://e.com/"),
        ("http://e.com:0/", "http://e.com:0/"),
        ("http://e.com:65535/", "http://e.com:65535/"),
        ("http://e.com?x='\"<>`{}|^", "http://e.com/?x=%27%22%3C%3E`{}|^"),
        ("http://e.com/a#`<>{}", "http://e.com/a#%60%3C%3E{}"),
        ("http://e.com/?", "http://e.com/?"),
        ("http://[0:0::1]:8080", "http://[::1]:8080/"),
        ("http://bücher.de/", "http://xn--bcher-kva.de/"),
        ("http://faß.de", "http://xn--fa-hia.de/"),
        ("http://e.com/\ud800", "http://e.com/%EF%BF%BD"),
        ("FOO:bar \x01baz", "foo:bar %01baz"),
    ],
)
def test_urls_are_normalised_as_the_url_standard_says(text, expected):
    """The expected values are what a browser's `new URL(text).href` gives."""
    assert expected == normalise_url(text)
    assert expected == normalise_url(expected)


@pytest.mark.parametrize(
    "text",
    [
        *["", "/x", "e.com", "//e.com", "http://", "http://a b/", "http://e.com:99999", "http://e.com:123456/"],
        *[
            "http://e.com:x/",
            "http://[::1",
            "http://[x]/",
            "http://[1:2]/",
            "http://u@/",
            "http://a%20b/",
            "http://\u00ad/",
            "1:x",
        ],
    ],
)
def test_what_is_no_absolute_url_is_none(text):
    """Relative, hostless and malformed URLs have no normal form."""
    assert normalise_url(text) is None


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("https://o.com", "https://o.com/"),
        ("//o.com/x", "http://o.com/x"),
        ("/x", "http://e.com/x"),
        ("x y", "http://e.com/a/x%20y"),
        ("../x", "http://e.com/x"),
        ("?q", "http://e.com/a/b?q"),
        ("foo:bar", "foo:bar"),
        ("http://", None),
    ],
)
def test_locations_are_seen_from_their_page(location, expected):
    """A redirect may be relative."""
    assert expected == join_url("http://e.com/a/b", location)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://2130706433/", "http://127.0.0.1/"),
        ("http://127.1/", "http://127.0.0.1/"),
        ("http://h/^", "http://h/%5E"),
        ("http://h/a\tb\n", "http://h/ab"),
        ("a://B/../c", "a://B/c"),
        ("file:///C:\\x", "file:///C:/x"),
        ("http://a..b/", "http://a..b/"),
        ("http://xn--bcher-kva.de/", "http://xn--bcher-kva.de/"),
    ],
)
def test_a_request_has_the_url_that_the_platform_has(text, expected):
    """The parser is the platform's own: numbers are addresses, and escapes are those of the standard of today."""
    assert expected == Request(text).url
    assert expected == URL(text).href


@pytest.mark.parametrize("text", ["http://256.1.1.1/", "http://1.2.3.4.5/", "http://0x1g.1/", "http://a b/"])
def test_a_request_refuses_what_the_platform_refuses(text):
    """In its words."""
    with pytest.raises(TypeError, match=re.escape(f"Invalid URL: {text}")):
        Request(text)


HOSTS = [
    "e.com",
    "127.0.0.1",
    "127.1",
    "1.2.3",
    "a-b.c",
    "a--b.c",
    "xn--a",
    "0x7f",
    "a.0x7f",
    "a1.b2",
    "-a",
    "h:80",
    "h:8080",
]


@given(
    st.sampled_from(["http", "https"]),
    st.sampled_from(HOSTS) | st.text("a1x-.0", min_size=1, max_size=8),
    st.text("aZ0/_~!$&*=;@-", max_size=8),
)
def test_plain_urls_are_those_that_the_parser_leaves_as_they_are(scheme, host, path):
    """What the short way takes for normal is normal."""
    text = f"{scheme}://{host}/{path}"
    parsed = URL.parse(text)
    assert (None if parsed is None else parsed.href) == normalise_url(text)


@given(st.text())
def test_every_href_is_its_own(text):
    """A URL that was parsed is parsed to itself, and what cannot be parsed is refused everywhere."""
    url = URL.parse(text, "https://u:p@e.com:81/a/b?c#d")
    assert (url is not None) == URL.can_parse(text, "https://u:p@e.com:81/a/b?c#d")
    if url is not None:
        assert url == URL(url.href) == URL(url)
        assert url.href == str(url) == url.to_json() == json.loads(stringify(url)) == copy.deepcopy(url).href


def test_the_parts_of_a_url():
    """As a browser has them."""
    url = URL("../x?y=1&y=2#z", "https://us%20er:pa%3Ass@Bücher.de:8443/a/b/c")
    assert "https://us%20er:pa%3Ass@xn--bcher-kva.de:8443/a/x?y=1&y=2#z" == url.href
    assert ("https:", "us%20er", "pa%3Ass") == (url.protocol, url.username, url.password)
    assert ("xn--bcher-kva.de:8443", "xn--bcher-kva.de", "8443") == (url.host, url.hostname, url.port)
    assert ("/a/x", "?y=1&y=2", "#z") == (url.pathname, url.search, url.hash)
    assert "https://xn--bcher-kva.de:8443" == url.origin
    assert ["1", "2"] == url.search_params.get_all("y") == url.searchParams.getAll("y")
    assert "null" == URL("data:,x").origin
    assert url.toString() == url.toJSON() == f"{url}"


def test_every_part_can_be_set():
    """And what does not fit is ignored, as in JavaScript; only href raises."""
    url = URL("http://e.com/")
    for name, value, expected in [
        ("protocol", "https", "https://e.com/"),
        ("protocol", "foo:", "https://e.com/"),
        ("host", "o.com:81", "https://o.com:81/"),
        ("hostname", "p.com", "https://p.com:81/"),
        ("hostname", "", "https://p.com:81/"),
        ("port", 8080, "https://p.com:8080/"),
        ("port", "x", "https://p.com:8080/"),
        ("port", "", "https://p.com/"),
        ("username", "ü@", "https://%C3%BC%40@p.com/"),
        ("password", "s", "https://%C3%BC%40:s@p.com/"),
        ("username", "", "https://:s@p.com/"),
        ("password", "", "https://p.com/"),
        ("pathname", "a b?", "https://p.com/a%20b%3F"),
        ("search", "q=\ud800", "https://p.com/a%20b%3F?q=%EF%BF%BD"),
        ("hash", "h", "https://p.com/a%20b%3F?q=%EF%BF%BD#h"),
        ("search", "", "https://p.com/a%20b%3F#h"),
        ("hash", "", "https://p.com/a%20b%3F"),
        ("href", "http://n.com", "http://n.com/"),
    ]:
        setattr(url, name, value)
        assert expected == url.href, name
    with pytest.raises(TypeError, match="Invalid URL string"):
        url.href = "/x"
    with pytest.raises(AttributeError):
        url.origin = "http://x"
    with pytest.raises(TypeError, match="The pathname of a URL must be text"):
        url.pathname = None


def test_search_params_are_those_of_the_url():
    """A change of either is one of both."""
    url = URL("http://e.com/?a=1&b=x%20y")
    params = url.search_params
    assert params is url.search_params
    params.append("c", "é&")
    assert "http://e.com/?a=1&b=x+y&c=%C3%A9%26" == url.href
    params.delete("b")
    params.set("a", 2)
    params["d"] = "'"
    assert "?a=2&c=%C3%A9%26&d=%27" == url.search
    url.search = "?z=1&y=2"
    assert [("z", "1"), ("y", "2")] == params.items()
    params.sort()
    assert "?y=2&z=1" == url.search
    url.href = "http://e.com/?q"
    assert [("q", "")] == params.items()
    params.delete("q")
    assert "http://e.com/" == url.href
    loose = URLSearchParams(params)
    loose.set("n", 1)
    assert "" == url.search


def test_what_is_no_url_is_said_with_why():
    """Beginning with the platform's words."""
    with pytest.raises(TypeError, match=r"^Invalid URL string\. '/x' is not an absolute URL, and there is no base\.$"):
        URL("/x")
    with pytest.raises(TypeError, match=r"^Invalid base URL string\. 'x' is not an absolute URL\.$"):
        URL("/x", "x")
    with pytest.raises(TypeError, match="not even with the base"):
        URL("http://", "http://e.com")
    assert URL.parse("/x") is None
    assert (False, True) == (URL.canParse("/x"), URL.canParse("/x", URL("http://e.com")))


def test_urls_are_equal_by_href():
    """They can be changed, so a set takes their text."""
    assert URL("http://E.com") == URL("http://e.com/")
    assert URL("http://e.com") != "http://e.com/"
    with pytest.raises(TypeError, match="unhashable"):
        hash(URL("http://e.com"))
    assert "URL('http://e.com/')" == repr(pickle.loads(pickle.dumps(URL("http://e.com"))))


def test_a_url_stands_where_text_does():
    """As in JavaScript: for a request, a redirect, a header, a field of a form."""
    url = URL("http://e.com/x")
    assert "http://e.com/x" == Request(url).url == Response.redirect(url).headers["location"]
    assert "http://e.com/x" == Headers({"Location": url}).get("location")
    assert "u=http%3A%2F%2Fe.com%2Fx" == str(URLSearchParams({"u": url}))


def test_a_step_cannot_return_a_url():
    """Nor can it on the platform, which says that it cannot be cloned."""
    with pytest.raises(
        TypeError, match=r"\$\.u: a cfworkflows.http.url.URL cannot be stored. Return its text .*str\(url\)"
    ):
        encode({"u": URL("http://e.com")})
