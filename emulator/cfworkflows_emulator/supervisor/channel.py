"""Messages as lines of JSON on a socket pair, with open files beside them."""

import json
import os
import socket
import threading
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any, get_args

from cfworkflows_emulator.supervisor.messages import Connection, Connections, Message

FILES_PER_MESSAGE = 100  # the kernels take some 250
_PIECE = 64 * 1024
_KINDS = {kind.__name__: kind for kind in get_args(Message)}


class Channel:
    """One end. It closes with the process that has it, which the other end sees at once."""

    def __init__(self, end: socket.socket) -> None:
        self._socket = end
        self._sending = threading.Lock()
        self._text = b""
        self._files: list[int] = []

    @classmethod
    def pair(cls) -> "tuple[Channel, Channel]":
        one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        return cls(one), cls(other)

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
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

    def hand_over(self, connections: Sequence[Connection]) -> None:
        """Send `connections`, in as many messages as that takes, and close them here."""
        for start in range(0, len(connections), FILES_PER_MESSAGE):
            some = connections[start : start + FILES_PER_MESSAGE]
            self.send(Connections(list(some)))
            for each in some:
                os.close(each.descriptor)

    def read(self) -> list[Message] | None:
        """Wait for something to come: the messages that are whole, None if the other end has closed."""
        try:
            text, files, _, _ = socket.recv_fds(self._socket, _PIECE, FILES_PER_MESSAGE)
        except ConnectionResetError:
            return None
        for descriptor in files:
            os.set_inheritable(descriptor, False)
        self._files += files
        if not text:
            return None
        *lines, self._text = (self._text + text).split(b"\n")
        messages = []
        for line in lines:
            kind, count, data = json.loads(line)
            messages.append(_decode(kind, data, self._files[:count]))
            del self._files[:count]
        return messages


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
        return Connections([Connection(*each) for each in zip(files, unread, strict=True)])
    message: Message = _KINDS[kind](**data)
    return message
