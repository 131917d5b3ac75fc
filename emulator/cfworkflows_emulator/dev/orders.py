"""What the supervisor tells the worker, read in a thread: it is heard while the Worker's code blocks the event loop."""

import asyncio
import threading
from typing import NoReturn

from cfworkflows_emulator.dev.stopping import exit_now
from cfworkflows_emulator.server import Server
from cfworkflows_emulator.supervisor.channel import Channel
from cfworkflows_emulator.supervisor.messages import Connections, Go, Lent, Message, Stop, Stopping


class Orders:
    """Reads the channel. The worker ends at once when the supervisor has gone, however that went.

    `lent` is set when the terminal is this process's to read.
    """

    def __init__(self, channel: Channel, lent: threading.Event) -> None:
        self._channel = channel
        self._lent = lent
        self._early: list[Message] = []
        self._lock = threading.Lock()  # of the moment from which on the loop obeys
        self._is_leaving = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self.stop: asyncio.Future[Stop] | None = None

    def wait_for_go(self) -> Go:
        """The order to start. Other orders are kept for `follow`, but for the one to stop."""
        while True:
            for message in self._read():
                if isinstance(message, Stop):
                    self._leave()
                self._early.append(message)
            for message in self._early:
                if isinstance(message, Go):
                    self._early.remove(message)
                    threading.Thread(target=self._listen, name="cfwf-orders", daemon=True).start()
                    return message

    def follow(self, server: Server) -> "asyncio.Future[Stop]":
        """From now on connections go to `server`. Returns what is done when the order to stop has come."""
        self._server = server
        loop = asyncio.get_running_loop()
        self.stop = loop.create_future()
        with self._lock:
            self._loop = loop
        for message in self._early:
            self._obey(message)
        return self.stop

    def _read(self) -> list[Message]:
        messages = self._channel.read()
        if messages is None:
            exit_now(1)
        return messages

    def _listen(self) -> None:
        while True:
            for message in self._read():
                with self._lock:
                    if isinstance(message, Lent):  # whoever waits for it may block the loop
                        self._lent.set()
                    elif self._loop is not None:
                        self._loop.call_soon_threadsafe(self._obey, message)
                    elif isinstance(message, Stop):  # while the code of the Worker loads: nothing runs yet
                        self._leave()
                    elif self._is_leaving:
                        self._give_back([message])
                    else:
                        self._early.append(message)

    def leave(self) -> None:
        """Nothing is served: the connections that have come, and come from now on, are for the next worker."""
        with self._lock:
            self._is_leaving = True
            self._give_back(self._early)

    def _leave(self) -> NoReturn:
        """End at once, before anything was served."""
        self._give_back(self._early)
        exit_now(0)

    def _give_back(self, messages: list[Message]) -> None:
        for message in messages:
            if isinstance(message, Connections):
                self._channel.send(message)

    def _obey(self, message: Message) -> None:
        assert self._loop is not None
        assert self._server is not None
        assert self.stop is not None
        if isinstance(message, Connections):
            for connection in message.connections:
                self._server.adopt(connection.descriptor, connection.unread)
        elif isinstance(message, Stop) and not self.stop.done():
            self._channel.send(Stopping())
            self.stop.set_result(message)
