"""Names of files for ids that come from a configuration."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows_emulator.storage.names import LONGEST, file_name, identifier_of


@pytest.mark.parametrize(
    ("identifier", "name"),
    [
        ("3f0c8a7e-1b", "3f0c8a7e-1b"),
        ("my-db.v2_x", "my-db.v2_x"),
        ("CACHE", "%43%41%43%48%45"),
        ("../etc/passwd", "%2e.%2fetc%2fpasswd"),
        ("a/b", "a%2fb"),
        ("ü", "%c3%bc"),
        (".", "%2e"),
        ("dot.", "dot%2e"),
        ("50%", "50%25"),
        ("", "%"),
        ("\0", "%00"),
    ],
)
def test_an_id_is_escaped(identifier, name):
    """Only what is safe on every file system stands for itself."""
    assert (name, identifier) == (file_name(identifier), identifier_of(name))


@given(st.text(max_size=300), st.text(max_size=300))
def test_each_id_has_a_name_of_its_own(one, other):
    """Also where capitals do not count; a name that was not shortened tells its id again."""
    names = [file_name(one), file_name(other)]
    assert (one == other) == (names[0].lower() == names[1].lower())
    for identifier, name in zip((one, other), names, strict=True):
        assert len(name) <= LONGEST
        assert name not in (".", "..")
        assert "/" not in name
        assert identifier_of(name) == (None if "~" in name else identifier)


@pytest.mark.parametrize("name", ["A", "%zz", "a~b", "%ff", ".hidden", "a%4"])
def test_a_name_that_is_not_ours_has_no_id(name):
    """Files that others put beside ours."""
    assert identifier_of(name) is None
