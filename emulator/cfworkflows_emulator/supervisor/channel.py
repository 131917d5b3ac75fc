"""What a supervisor and its worker tell each other: lines of JSON on a socket pair, with open files beside them."""

import json
import os
import socket
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

FILES_PER_MESSAGE = 100  # the kernels take some 250
_PIECE = 64 * 1024


@dataclass(frozen=True, slots=True)
class Message:
    """`kind` says what it is about. `files` are descriptors, which the receiver closes."""

    kind: str
    data: dict[str, Any] = field(default_factory=dict)
    files: list[int] = field(default_factory=list)


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

    def send(self, kind: str, files: Sequence[int] = (), **data: Any) -> bool:
        """Whether it could be sent: False if the other end has closed. From any thread."""
        line = json.dumps([kind, len(files), data]).encode() + b"\n"
        try:
            with self._sending:
                sent = socket.send_fds(self._socket, [line], list(files)) if files else 0
                self._socket.sendall(line[sent:])
        except (BrokenPipeError, ConnectionResetError):
            return False
        return True

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
            messages.append(Message(kind, data, self._files[:count]))
            del self._files[:count]
        return messages
