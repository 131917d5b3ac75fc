import os

import pytest

from cfworkflows_emulator.supervisor.loop import Loop


@pytest.fixture
def loop():
    loop = Loop()
    yield loop
    loop.close()


class Pipe:
    """A source with something to read."""

    def __init__(self):
        self.reader, self.writer = os.pipe()
        os.write(self.writer, b"text")

    def fileno(self):
        return self.reader

    def close(self):
        os.close(self.reader)
        os.close(self.writer)


def test_a_source_that_another_one_removed_is_not_called(loop):
    """Both had something to read, and what the first one does to the second counts at once."""
    pipes = [Pipe(), Pipe()]
    called = []

    def call(pipe, other):
        called.append(pipe)
        loop.remove(other)

    for pipe, other in (pipes, pipes[::-1]):
        loop.add(pipe, lambda pipe=pipe, other=other: call(pipe, other))
    loop.turn()
    assert 1 == len(called)
    assert [pipe is called[0] for pipe in pipes] == [pipe in loop for pipe in pipes]
    for pipe in pipes:
        pipe.close()


def test_a_name_waits_for_one_time(loop):
    """What waited under it before is not called any more, and what has been called is not called again."""
    called = []
    loop.after(0, "name", lambda: called.append("before"))
    loop.after(0, "name", lambda: called.append("instead"))
    loop.turn()
    loop.after(0, "other", lambda: called.append("other"))
    loop.turn()
    assert ["instead", "other"] == called


def test_what_is_cancelled_at_its_time_is_not_called(loop):
    """Of two that are due, the first may cancel the second."""
    called = []

    def call():
        called.append("first")
        loop.cancel("second")

    loop.after(0, "first", call)
    loop.after(0, "second", lambda: called.append("second"))
    while not called:
        loop.turn()
    assert ["first"] == called


def test_what_is_called_may_wait_again(loop):
    """Under its own name, for another time."""
    called = []

    def call():
        called.append(len(called))
        if len(called) < 3:
            loop.after(0, "name", call)

    loop.after(0, "name", call)
    while len(called) < 3:
        loop.turn()
    assert [0, 1, 2] == called
