import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows import TextDecoder, TextEncoder
from cfworkflows.web.labels import _table


@given(st.text(st.characters(codec="utf-8")), st.integers(0, 9))
def test_text_survives_in_any_pieces(text, size):
    """Encoded, cut anywhere, and decoded as a stream."""
    data = TextEncoder().encode(text)
    assert text.encode() == data
    decoder = TextDecoder("utf-8", {"ignoreBOM": True})
    pieces = [data[at : at + size + 1] for at in range(0, len(data), size + 1)]
    assert text == "".join(decoder.decode(piece, {"stream": True}) for piece in pieces) + decoder.decode()


def test_what_is_no_text_is_replaced_or_refused():
    """`fatal` raises TypeError, and the decoder can be used again."""
    assert "a\ufffdb" == TextDecoder().decode(b"a\xffb")
    decoder = TextDecoder("utf-8", {"fatal": True})
    with pytest.raises(TypeError, match=r"^Failed to decode input"):
        decoder.decode(b"a\xffb")
    assert "ok" == decoder.decode(b"ok")
    assert b"\xef\xbf\xbd" == TextEncoder().encode("\ud800")
    assert "\ufffd" == TextDecoder().decode(b"\xe2\x82")


def test_a_byte_order_mark_is_dropped():
    """Once, at the start, and only where the encoding has one; `ignoreBOM` keeps it."""
    assert "a\ufeff" == TextDecoder().decode(b"\xef\xbb\xbfa\xef\xbb\xbf")
    assert "\ufeffa" == TextDecoder(ignore_bom=True).decode(b"\xef\xbb\xbfa")
    assert "a" == TextDecoder("utf-16").decode(b"\xff\xfea\0")
    decoder = TextDecoder()
    assert "" == decoder.decode(b"\xef\xbb", stream=True)
    assert "a" == decoder.decode(b"\xbfa")
    assert "b" == decoder.decode(b"\xef\xbb\xbfb")


@pytest.mark.parametrize(
    ("label", "encoding", "data", "text"),
    [
        (" LATIN1\n", "windows-1252", b"\x80\x81\xe9", "€\x81é"),
        ("ascii", "windows-1252", b"a\x9d", "a\x9d"),
        ("windows-1253", "windows-1253", b"\x81\xaa", "\x81\ufffd"),
        ("utf-16", "utf-16le", b"a\0", "a"),
        ("sjis", "shift_jis", b"\x82\xa0", "あ"),
        ("gb2312", "gbk", b"\xc4\xe3", "你"),
        ("utf8", "utf-8", b"\xc3\xa9", "é"),
    ],
)
def test_labels_are_those_of_the_standard(label, encoding, data, text):
    """In any case, with space around them."""
    decoder = TextDecoder(label)
    assert (encoding, text) == (decoder.encoding, decoder.decode(data))


def test_every_label_has_a_codec():
    """Of Python's."""
    assert 221 == len(_table())
    assert all(codecs.lookup(codec) for _, codec in _table().values())


def test_a_label_or_an_option_that_nobody_knows_is_refused():
    """By its name."""
    with pytest.raises(ValueError, match="'utf-7' is not a label"):
        TextDecoder("utf-7")
    with pytest.raises(TypeError, match="option 'loose'"):
        TextDecoder("utf-8", {"loose": True})
    with pytest.raises(TypeError, match="Failed to decode"):
        TextDecoder("windows-1253", fatal=True).decode(b"\xaa")


def test_encode_into_writes_whole_characters():
    """And says how far it came, in units of UTF-16."""
    buffer = bytearray(6)
    assert {"read": 3, "written": 5} == TextEncoder().encodeInto("a😀é", buffer)
    assert "a😀".encode() == buffer[:5]
    assert "utf-8" == TextEncoder().encoding
