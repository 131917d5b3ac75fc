import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows import DOMException, atob, btoa


@given(st.binary())
def test_btoa_and_atob_are_inverse(data):
    """One character a byte, as base64 has it."""
    text = data.decode("latin-1")
    assert base64.b64encode(data).decode() == btoa(text)
    assert text == atob(btoa(text)) == atob(btoa(text).rstrip("="))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", ""), (" Y W\tI\n= ", "ab"), ("YQ==", "a"), ("YQ", "a"), ("YR==", "a"), ("YWI", "ab")],
)
def test_atob_is_forgiving(text, expected):
    """Of white space, of missing padding, and of bits that are left over."""
    assert expected == atob(text)


@pytest.mark.parametrize("text", ["a", "YQ=", "YQ===", "=", "YQ==YQ==", "Y-_=", "é", "YWI==", "YWJj="])
def test_atob_refuses_what_is_no_base64(text):
    """By the platform's name of the error."""
    with pytest.raises(DOMException, match="invalid base64-encoded data") as raised:
        atob(text)
    assert "InvalidCharacterError" == raised.value.name


def test_btoa_refuses_what_is_no_byte():
    """And bytes, for which Python has its own."""
    with pytest.raises(DOMException, match="Latin1") as raised:
        btoa("€")
    assert "InvalidCharacterError" == raised.value.name
    with pytest.raises(TypeError, match=r"base64\.b64encode"):
        btoa(b"x")
    with pytest.raises(TypeError, match=r"base64\.b64decode"):
        atob(b"x")
