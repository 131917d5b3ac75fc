"""Tracebacks as text, for people."""

import pytest

from cfworkflows_emulator.tracebacks import format_error, note_of


def raised(error: BaseException, *notes: str) -> str:
    """The traceback of an error with notes, as it is stored."""
    for note in notes:
        error.add_note(note)
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - it is what was given
        return format_error(caught)


@pytest.mark.parametrize(
    ("trace", "message", "note"),
    [
        (raised(ValueError("no"), "first\nsecond", "third"), "no", "first"),
        (raised(ValueError("no")), "no", ""),
        (raised(ValueError("one\ntwo"), "noted"), "one\ntwo", "noted"),
        (raised(ValueError("")), "", ""),
        (raised(ExceptionGroup("several", [ValueError("no")])), "several", ""),
        (raised(KeyError("no"), "noted"), "no", ""),
        (None, "no", ""),
        ("", "no", ""),
    ],
)
def test_note_of_an_error(trace, message, note):
    """The first line of the first note is found behind the message, and nothing else is taken for one."""
    assert note == note_of(trace, message)
