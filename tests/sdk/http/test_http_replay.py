"""`ReplayStream`: an ordinary stream as long as it is read once, and a fresh one after that."""

import pytest

from cfworkflows import PortabilityWarning, ReadableStream, Response
from cfworkflows.http import ReplayStream

AGAIN = "The output stream of a step is read again"


def stream(*chunks):
    async def source():
        for chunk in chunks or (b"a", b"b"):
            yield chunk

    return ReplayStream(source)


async def test_read_once_it_is_an_ordinary_stream():
    """Locked while a reader holds it, and another reader goes on where the first was released."""
    it = stream()
    assert (False, False) == (it.locked, it.disturbed)
    first = it.get_reader()
    assert it.locked
    assert b"a" == (await first.read()).value
    first.release_lock()
    assert (False, True) == (it.locked, it.disturbed)
    second = it.getReader()
    assert b"b" == (await second.read()).value
    assert (await second.read()).done


async def test_the_rest_of_it_is_iterated():
    """A head that was read with a reader does not come again."""
    it = stream()
    reader = it.get_reader()
    await reader.read()
    reader.release_lock()
    assert [b"b"] == [chunk async for chunk in it]


@pytest.mark.parametrize("use", ["end", "held", "left", "body", "cancelled"])
async def test_it_begins_anew_with_a_warning_that_names_the_caller(use):
    """Where any other stream would be locked, or at its end."""
    it = stream()
    match use:
        case "end":
            assert b"ab" == await Response(it).bytes()
        case "held":
            it.get_reader()
        case "left":
            async for _ in it:
                break
        case "body":
            Response(it)
        case "cancelled":
            await it.cancel()
    with pytest.warns(PortabilityWarning, match=AGAIN) as warned:
        reader = it.get_reader()
    assert [__file__] == [each.filename for each in warned]
    assert b"a" == (await reader.read()).value
    assert b"ab" == await Response(it).bytes()  # and tells it once


async def test_a_body_is_the_whole_of_it():
    """Also where a part of it was read before."""
    it = stream()
    reader = it.get_reader()
    await reader.read()
    reader.release_lock()
    with pytest.warns(PortabilityWarning, match=AGAIN):
        assert "ab" == await Response(it).text()


async def test_its_two_branches_are_read_on_their_own():
    """`tee()` is the portable way to read it twice: no warning."""
    first, second = stream().tee()
    assert "ab" == await Response(second).text()
    assert [b"a", b"b"] == [chunk async for chunk in first]


async def test_two_branches_of_a_rest_have_the_rest():
    """As those of any stream."""
    it = stream()
    reader = it.get_reader()
    await reader.read()
    reader.release_lock()
    assert ["b", "b"] == [await Response(branch).text() for branch in it.tee()]


async def test_a_response_made_of_it_is_read_once():
    """And can be cloned."""
    response = Response(stream())
    clone = response.clone()
    assert ("ab", "ab") == (await response.text(), await clone.text())
    with pytest.raises(TypeError, match="Body has already been used"):
        await response.text()


@pytest.mark.parametrize(
    ("name", "advice"),
    [("text", r"await Response\(stream\)\.text\(\)"), ("arrayBuffer", r"await Response\(stream\)\.arrayBuffer\(\)")],
)
def test_what_a_stream_cannot_do_is_said_with_what_can(name, advice):
    """Of any ReadableStream."""
    for it in (ReadableStream(b"x"), stream()):
        with pytest.raises(AttributeError, match=advice):
            getattr(it, name)
    with pytest.raises(AttributeError, match="'ReadableStream' object has no attribute 'nothing'"):
        ReadableStream(b"x").nothing  # noqa: B018 - it is the access that fails
