import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows.http import Headers

NAMES = st.text("abcABC-_1", min_size=1, max_size=6)
VALUES = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=8)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=12)


def test_names_are_case_insensitive_and_values_joined():
    """A name is found in any case, with its values joined in the order they were added."""
    headers = Headers({"Accept": "text/html"})
    headers.append("ACCEPT", "text/plain")
    assert "text/html, text/plain" == headers.get("accept")
    assert "text/html, text/plain" == headers["aCCept"]
    assert headers.has("Accept")
    assert "accept" in headers
    assert 5 not in headers


def test_iteration_is_sorted_and_lowercased():
    """Every listing is sorted by lower-case name."""
    headers = Headers([("X-B", "2"), ("a", "1"), ("x-b", "3")])
    assert [("a", "1"), ("x-b", "2, 3")] == headers.items()
    assert ["a", "x-b"] == headers.keys() == list(headers)
    assert ["1", "2, 3"] == headers.values()
    assert {"a": "1", "x-b": "2, 3"} == dict(headers)
    assert ("a", "1") == next(headers.entries())
    assert 2 == len(headers)


def test_set_cookie_stays_separate():
    """Cookies are listed one by one, and joined only by get()."""
    headers = Headers([("Set-Cookie", "a=1"), ("set-cookie", "b=2"), ("x", "y")])
    assert ["a=1", "b=2"] == headers.get_set_cookie() == headers.getSetCookie() == headers.getAll("Set-Cookie")
    assert [("set-cookie", "a=1"), ("set-cookie", "b=2"), ("x", "y")] == headers.items()
    assert "a=1, b=2" == headers.get("set-cookie")
    assert [] == Headers().get_set_cookie()
    with pytest.raises(TypeError, match=r'getAll\(\) can only be used with the header name "Set-Cookie"'):
        headers.get_all("x")


def test_set_replaces_and_delete_drops():
    """set() leaves one value, delete() none, and deleting what is absent is no error."""
    headers = Headers([("a", "1"), ("a", "2")])
    headers.set("A", "3")
    assert "3" == headers.get("a")
    headers["a"] = "4"
    assert "4" == headers["a"]
    headers.delete("A")
    headers.delete("A")
    assert headers.get("a") is None
    assert "none" == headers.get("a", "none")


def test_item_access_raises_key_error_for_an_absent_name():
    """Reading or deleting an absent item is a KeyError, as in a dict."""
    headers = Headers({"a": "1"})
    with pytest.raises(KeyError):
        headers["b"]
    with pytest.raises(KeyError):
        del headers["b"]
    del headers["A"]
    assert {} == dict(headers)


def test_for_each_passes_value_name_and_headers():
    """The callback gets JavaScript's order of arguments."""
    seen = []
    headers = Headers({"B": "2", "a": "1"})
    headers.forEach(lambda value, name, owner: seen.append((value, name, owner is headers)))
    assert [("1", "a", True), ("2", "b", True)] == seen


@pytest.mark.parametrize(
    ("value", "expected"), [(5, "5"), (5.0, "5"), (1.5, "1.5"), (True, "true"), (False, "false"), ("  x\t\r\n", "x")]
)
def test_values_are_written_as_javascript_writes_them(value, expected):
    """Numbers and booleans become text, and white space around a value goes."""
    assert expected == Headers({"x": value}).get("x")


@pytest.mark.parametrize("name", ["", "a b", "a:b", "é", "a\n", 5])
def test_bad_names_are_refused(name):
    """What is no token is no header name, wherever it is given."""
    for call in (Headers().get, Headers().has, Headers().delete, lambda name: Headers([(name, "x")])):
        with pytest.raises(TypeError, match=r"^Invalid header name\.$"):
            call(name)


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "a\0b"])
def test_bad_values_are_refused(value):
    """A value may not break out of its line."""
    with pytest.raises(TypeError, match=r"^Invalid header value\.$"):
        Headers({"x": value})


@pytest.mark.parametrize("value", [None, ["a", "b"], b"x"])
def test_values_that_are_not_text_are_refused_with_the_name_of_the_header(value):
    """None and lists are mistakes, and the error says in which header."""
    with pytest.raises(TypeError, match="The value of header 'x' must be text"):
        Headers({"x": value})


@pytest.mark.parametrize("init", ["a: b", b"a", 5, [("a", "b", "c")], ["ab"]])
def test_what_is_no_mapping_of_names_to_values_is_refused(init):
    """Headers are built from pairs, and two-letter text is no pair."""
    with pytest.raises(TypeError, match="pair"):
        Headers(init)


def test_immutable_headers_refuse_every_change_and_their_copy_none():
    """The guard of incoming headers holds for each way to change them, and a copy is free of it."""
    headers = Headers.from_raw([(b"A", b"1")], immutable=True)
    changes = [
        lambda: headers.set("a", "2"),
        lambda: headers.append("a", "2"),
        lambda: headers.delete("a"),
        lambda: headers.__setitem__("a", "2"),
        lambda: headers.__delitem__("a"),
    ]
    for change in changes:
        with pytest.raises(TypeError, match=r"^Can't modify immutable headers\.$"):
            change()
    copy = Headers(headers)
    copy.set("a", "2")
    assert ("1", "2") == (headers["a"], copy["a"])


def test_raw_bytes_are_read_as_utf8_or_latin1():
    """What is not UTF-8 on the wire is Latin-1 rather than an error."""
    headers = Headers.from_raw([(b"a", "é".encode()), (b"b", b"\xe9"), ("c", "é")])
    assert ["é", "é", "é"] == headers.values()


def test_equal_headers_are_equal_and_unhashable():
    """Equality goes by content, and so there is no hash."""
    assert Headers({"A": "1"}) == Headers([("a", "1")])
    assert Headers({"A": "1"}) != Headers([("a", "2")])
    assert Headers() != {}
    assert "Headers([('a', '1')])" == repr(Headers({"A": "1"}))
    with pytest.raises(TypeError):
        hash(Headers())


@given(PAIRS)
def test_headers_agree_with_a_plain_model(pairs):
    """Whatever is appended is found again, joined per name, in sorted order, and survives a copy."""
    model: dict[str, list[str]] = {}
    for name, value in pairs:
        model.setdefault(name.lower(), []).append(value)
    headers = Headers(pairs)
    assert {name: ", ".join(values) for name, values in model.items()} == dict(headers)
    assert sorted(model) == list(headers)
    assert headers == Headers(headers) == Headers(headers.items())


@given(PAIRS, NAMES, VALUES)
def test_set_then_delete_leaves_no_trace_of_a_name(pairs, name, value):
    """After set() there is one value, after delete() the name is gone, and no other name is touched."""
    headers = Headers(pairs)
    headers.set(name, value)
    assert value == headers[name.upper()]
    headers.delete(name.swapcase())
    assert Headers([pair for pair in pairs if pair[0].lower() != name.lower()]) == headers
