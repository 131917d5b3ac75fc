"""Messages as lines of JSON on a socket pair, with open files beside them."""

import errno
import json
import os
import socket
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, NamedTuple, get_args

from cfworkflows_emulator.supervisor.messages import Connection, Connections, Message

FILES_PER_MESSAGE = 100  # the kernels take some 250
_PIECE = 64 * 1024
_KINDS = {kind.__name__: kind for kind in get_args(Message)}


class Channel:
    """The worker's end: `read` waits for a message, and `send` until the other end takes it.

    It closes with the process that has it, which the other end sees at once.
    """

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()
        self._parser = _Parser()

    @classmethod
    def pair(cls) -> "tuple[QueuedChannel, Channel]":
        """The two ends: the supervisor's and the worker's."""
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return QueuedChannel(one), cls(other)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def send(self, message: Message) -> bool:
        """Whether it could be sent: False if the other end has closed. From any thread."""
        line, files = _encode(message)
        try:
            with self._sending:
                sent = socket.send_fds(self._socket, [line], files) if files else 0
                self._socket.sendall(line[sent:])
        except OSError:
            return False
        return True

    def hand_over(self, connections: Sequence[Connection]) -> None:
        """Send `connections`, in as many messages as that takes, and close them here."""
        for message in _in_messages(connections):
            self.send(message)
            for each in message.connections:
                os.close(each.descriptor)

    def read(self) -> list[Message] | None:
        """Wait for input. Returns the messages that are whole; None if either end has closed."""
        try:
            return self._parser.receive(self._socket)
        except OSError:
            return None


class _Unsent(NamedTuple):
    line: bytes
    connections: Sequence[Connection]
    """Whose descriptors have to be sent with the line; none once its beginning was."""


class QueuedChannel:
    """The supervisor's end, which never waits. Messages that the other end does not take yet are sent by `flush`.

    Nothing that the process at the other end does, or has stopped doing, is an error here.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._parser = _Parser()
        self._unsent: deque[_Unsent] = deque()

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> list[Connection]:
        """Returns the connections that were not sent; they are the caller's."""
        self._socket.close()
        left = [connection for each in self._unsent for connection in each.connections]
        self._unsent.clear()
        return left

    def send(self, message: Message) -> None:
        """Send `message`. Its connections belong to the channel from now on."""
        for part in _in_messages(message.connections) if isinstance(message, Connections) else [message]:
            line, _ = _encode(part)
            self._unsent.append(_Unsent(line, part.connections if isinstance(part, Connections) else ()))
        self.flush()

    @property
    def has_unsent(self) -> bool:
        """Whether `flush` is to be called when the other end takes more."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send what the other end takes."""
        while self._unsent:
            line, connections = self._unsent[0]
            try:
                if connections:
                    sent = socket.send_fds(self._socket, [line], [each.descriptor for each in connections])
                else:
                    sent = self._socket.send(line)
            except OSError as error:
                if error.errno != errno.ETOOMANYREFS:  # it takes no more for now, or has closed, as `read` reports
                    return
                sent = len(line)  # the system has too many files on their way: these clients see them closed
            for each in connections:
                os.close(each.descriptor)
            self._unsent[0] = _Unsent(line[sent:], ())
            if sent == len(line):
                self._unsent.popleft()

    def read(self) -> list[Message] | None:
        """The messages that are whole by now; None if the other end has closed, and all that it sent was read."""
        messages: list[Message] = []
        while True:
            try:
                received = self._parser.receive(self._socket)
            except OSError:  # nothing more for now; or this end was closed
                return messages
            if received is None:
                return messages or None
            messages += received


class _Parser:
    """Makes messages of the bytes and files that come in pieces."""

    def __init__(self) -> None:
        self._text = b""
        self._files: deque[list[int]] = deque()
        """Those of each message that has any, in order. A process that may open no more gets fewer than were sent."""

    def receive(self, end: socket.socket) -> list[Message] | None:
        """One piece: the messages that it completes, None at the end. Raises BlockingIOError if `end` does not wait."""
        try:
            text, files, flags, _ = socket.recv_fds(end, _PIECE, FILES_PER_MESSAGE)
        except ConnectionResetError:
            return None
        for descriptor in files:
            os.set_inheritable(descriptor, False)
        if files or flags & socket.MSG_CTRUNC:  # the kernel ends a piece after the beginning of a message with files
            self._files.append(files)
        if not text:
            return None
        *lines, self._text = (self._text + text).split(b"\n")
        messages = []
        for line in lines:
            kind, has_files, data = json.loads(line)
            messages.append(_decode(kind, data, self._files.popleft() if has_files and self._files else ()))
        return messages


def _in_messages(connections: Sequence[Connection]) -> list[Connections]:
    return [
        Connections(list(connections[start : start + FILES_PER_MESSAGE]))
        for start in range(0, len(connections), FILES_PER_MESSAGE)
    ]


def _encode(message: Message) -> tuple[bytes, list[int]]:
    files: list[int] = []
    if isinstance(message, Connections):
        files = [each.descriptor for each in message.connections]
        data: dict[str, Any] = {"unread": [each.unread.decode("latin-1") for each in message.connections]}
    else:
        data = {each.name: getattr(message, each.name) for each in fields(message)}
    return json.dumps([type(message).__name__, len(files), data]).encode() + b"\n", files


def _decode(kind: str, data: dict[str, Any], files: Iterable[int]) -> Message:
    if kind == Connections.__name__:
        unread = (each.encode("latin-1") for each in data["unread"])
        # Those whose files did not come are lost: their clients see them closed.
        return Connections([Connection(*each) for each in zip(files, unread, strict=False)])
    message: Message = _KINDS[kind](**data)
    return message
