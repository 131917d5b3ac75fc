import array
import hashlib
import uuid

import pytest

from cfworkflows import DOMException, crypto


@pytest.mark.parametrize(
    ("name", "same"),
    [("SHA-1", "sha1"), ("sha-256", "sha256"), ({"name": "SHA-384"}, "sha384"), ("SHA-512", "sha512"), ("MD5", "md5")],
)
async def test_digests_are_those_of_hashlib(name, same):
    """By the platform's names, in any case."""
    assert hashlib.new(same, b"x").digest() == await crypto.subtle.digest(name, bytearray(b"x"))


async def test_what_subtle_has_not_is_said_with_what_python_has():
    """Other algorithms, and keys."""
    with pytest.raises(DOMException, match="digest algorithm requested: SHA-3") as raised:
        await crypto.subtle.digest("SHA-3", b"")
    assert "NotSupportedError" == raised.value.name
    with pytest.raises(AttributeError, match="no importKey: sign and verify with hmac"):
        _ = crypto.subtle.importKey
    with pytest.raises(TypeError, match=r"text\.encode\(\)"):
        await crypto.subtle.digest("SHA-1", "text")


def test_random_uuids_are_of_version_4():
    """As text."""
    first, second = crypto.randomUUID(), crypto.random_uuid()
    assert first != second
    assert (4, 36) == (uuid.UUID(first).version, len(first))


def test_random_values_fill_a_buffer():
    """Which is given back."""
    buffer = bytearray(32)
    assert buffer is crypto.getRandomValues(buffer)
    assert bytearray(32) != buffer
    assert any(crypto.get_random_values(array.array("I", [0] * 8)))
    assert 65_536 == len(crypto.get_random_values(bytearray(65_536)))
    with pytest.raises(DOMException, match="65537 bytes") as raised:
        crypto.get_random_values(bytearray(65_537))
    assert "QuotaExceededError" == raised.value.name
    for wrong in (b"abc", 5, [1]):
        with pytest.raises(TypeError, match="fills a bytearray"):
            crypto.get_random_values(wrong)


def test_timing_safe_equal_compares_bytes_of_one_length():
    """Else it is a TypeError, as on the platform."""
    assert crypto.subtle.timingSafeEqual(b"ab", b"ab")
    assert not crypto.subtle.timing_safe_equal(b"ab", b"ac")
    with pytest.raises(TypeError, match="same byte length"):
        crypto.subtle.timing_safe_equal(b"a", b"ab")
