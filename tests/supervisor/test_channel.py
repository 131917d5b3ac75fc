import os
import resource
from contextlib import suppress

import pytest

from cfworkflows_emulator.supervisor.channel import FILES_PER_MESSAGE, Channel
from cfworkflows_emulator.supervisor.messages import Connection, Connections, Go, Stop, Stopping


@pytest.fixture
def ends():
    """The supervisor's and the worker's."""
    ours, theirs = Channel.pair()
    yield ours, theirs
    ours.close()
    theirs.close()


@pytest.fixture
def pipe():
    reader, writer = os.pipe()
    yield reader, writer
    for each in (reader, writer):
        with suppress(OSError):
            os.close(each)


STOP = Stop(1.5, 0.5, hand_over=True, cause="by the reload")


def test_messages_come_whole_and_with_their_files(ends, pipe):
    """However the bytes come in pieces, each message is what was sent, and has its open files."""
    reader, writer = pipe
    ours, theirs = ends
    assert theirs.send(Connections([Connection(reader, b"\xff" * 20_000)]))
    assert theirs.send(STOP)
    connections, stop = ours.read()
    assert STOP == stop
    [(descriptor, unread)] = connections.connections
    assert b"\xff" * 20_000 == unread
    os.write(writer, b"through")
    assert b"through" == os.read(descriptor, 10)
    assert not os.get_inheritable(descriptor)
    os.close(descriptor)
    theirs.close()
    assert ours.read() is None
    assert not theirs.send(Stopping())
    assert theirs.read() is None


def test_many_connections_are_handed_over_in_several_messages(ends, pipe):
    """The kernel takes only so many files at once; none stays open with the sender."""
    reader, writer = pipe
    ours, theirs = ends
    given = [Connection(os.dup(reader), str(number).encode()) for number in range(FILES_PER_MESSAGE + 1)]
    theirs.hand_over(given)
    theirs.close()
    received = ours.read()
    assert [FILES_PER_MESSAGE, 1] == [len(message.connections) for message in received]
    found = [each for message in received for each in message.connections]
    assert [each.unread for each in given] == [each.unread for each in found]
    for each in found:
        os.close(each.descriptor)
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        os.write(writer, b"nobody has the other end")


def test_the_supervisor_never_waits_for_a_worker(ends, pipe):
    """What a worker does not read is kept, and comes in order once it does; nothing to read is no reason to wait."""
    reader, _ = pipe
    ours, theirs = ends
    assert [] == ours.read()
    go = Go(paths=["x" * 100] * 10_000)
    ours.send(go)
    ours.send(Connections([Connection(os.dup(reader), b"")]))
    ours.send(STOP)
    assert ours.has_unsent
    received = []
    while len(received) < 3:
        received += theirs.read()
        ours.flush()
    assert not ours.has_unsent
    assert (go, STOP) == (received[0], received[2])
    os.close(received[1].connections[0].descriptor)


def test_a_worker_that_ended_is_no_error_to_the_supervisor(ends, pipe):
    """What it said before comes first; what cannot be sent any more is given back, if it is a connection."""
    reader, _ = pipe
    ours, theirs = ends
    theirs.send(Stopping())
    theirs.close()
    ours.send(STOP)
    connection = Connection(os.dup(reader), b"GET")
    ours.send(Connections([connection]))
    assert [Stopping()] == ours.read()
    assert ours.read() is None
    assert [connection] == ours.close()
    os.close(connection.descriptor)
    assert [] == ours.read()


def test_files_that_cannot_be_received_are_lost_alone(ends, pipe):
    """At the limit of open files a message has fewer of them, and the messages after it have their own."""
    reader, _ = pipe
    ours, theirs = ends
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    theirs.hand_over([Connection(os.dup(reader), str(number).encode()) for number in range(10)])
    theirs.hand_over([Connection(os.dup(reader), b"last")])
    lowest = os.dup(reader)
    os.close(lowest)
    open_above = [int(name) for name in os.listdir("/dev/fd") if int(name) >= lowest]  # noqa: PTH208
    filling = [os.dup(reader) for _ in range(max(open_above, default=lowest) + 1 - lowest - len(open_above))]
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(open_above, default=lowest) + 4, before[1]))
    try:
        first, *others = ours.read()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert [str(number).encode() for number in range(len(first.connections))] == [
        each.unread for each in first.connections
    ]
    assert 0 < len(first.connections) < 10
    for message in (first, *others):
        assert message is first or [b"last"] * len(message.connections) == [each.unread for each in message.connections]
        for each in message.connections:
            os.close(each.descriptor)
    for each in filling:
        os.close(each)
