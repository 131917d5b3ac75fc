import pytest

from cfworkflows.http.url import join_url, normalise_url


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
