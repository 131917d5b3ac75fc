"""The HTTP server of a project."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from cfworkflows.errors import is_a
from cfworkflows.http import Response
from cfworkflows_emulator.hosts import Hosts
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.server.connection import Connection, ConnectionFactory
from cfworkflows_emulator.server.exhaustion import Exhaustion
from cfworkflows_emulator.server.failure import Failure, closed_response, failure_response
from cfworkflows_emulator.server.incoming import BadRequestError, ClientDisconnectedError, incoming_request
from cfworkflows_emulator.server.mounts import CONTROL_PREFIXES, ControlPaths
from cfworkflows_emulator.server.outgoing import Outgoing
from cfworkflows_emulator.server.recovery import Recovery
from cfworkflows_emulator.server.sockets import BACKLOG, open_sockets
from cfworkflows_emulator.tracebacks import printable_error
from cfworkflows_emulator.turns import ACCEPT_TURNS

log = logging.getLogger("cfworkflows.worker")

RequestLog = Callable[[str, str, int, str, float], None]
"""Called with each answer, except on control paths: method, path, status, its text, and the milliseconds it took."""


DRAIN_S = 0.25
"""How long a server that stops waits for the rest of bodies that are not read, in seconds, if others wait for that."""

DRAIN_LOOK_S = 0.005  # aiohttp does not say when a connection waits for its next request


class Server:
    """Answers requests with a project's Worker, or with what is wrong. `serve` and `cfwf dev` make one.

    `stop` ends it. Before, `stop_accepting`, `answered`, `give_away` and `sent` let another process take over.
    """

    def __init__(
        self,
        project: Project | Failure,
        sockets: Sequence[socket.socket],
        *,
        on_request: RequestLog | None = None,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        self.port: int = sockets[0].getsockname()[1]
        self._worker = project if isinstance(project, Failure) else project.worker
        self._recovery = Recovery()
        self._sockets = sockets
        self._control = None if isinstance(project, Failure) else ControlPaths(project, allowed_hosts)
        self._hosts = Hosts(allowed_hosts)
        self._on_request = on_request
        self._loop = asyncio.get_running_loop()
        self._connections = ConnectionFactory(cast("Callable[..., Awaitable[web.StreamResponse]]", self._handle))
        self._listeners: list[asyncio.Server] = []
        self._answering: dict[asyncio.Task[object], str] = {}
        self._adopting: set[asyncio.Task[object]] = set()
        self._undecided: set[asyncio.Task[object]] = set()  # of those, the ones that have no response yet
        self._decided: asyncio.Event | None = None  # set when there are none; made when connections are not kept alive

    @property
    def url(self) -> str:
        """`http://127.0.0.1:8787`: the origin, by the address of the first socket."""
        host = self._sockets[0].getsockname()[0]
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def descriptors(self) -> list[int]:
        """The open files of its connections."""
        found = [cast("Connection", each).descriptor for each in self._connections.connections]
        return [each for each in found if each is not None]

    async def start(self) -> None:
        Exhaustion(self._loop)
        for listening in self._sockets:
            self._listeners.append(await self._loop.create_server(self._connections, sock=listening, backlog=BACKLOG))

    def adopt(self, descriptor: int, unread: bytes = b"") -> None:
        """Serve a connection that another process has accepted, and read `unread` from, which is not answered."""
        connection = socket.socket(fileno=descriptor)
        connection.setblocking(False)
        adoption = self._loop.connect_accepted_socket(lambda: self._connections(unread), connection)
        task = self._loop.create_task(adoption)
        self._adopting.add(task)
        task.add_done_callback(self._adopting.discard)

    async def stop_accepting(self) -> None:
        """Accept nothing more, and keep no connection alive after its next response."""
        # A closed asyncio.Server drops accepted sockets that are no connections yet, so those come first.
        for listening in self._sockets:
            self._loop.remove_reader(listening)
        self._decided = asyncio.Event()
        if self._adopting:
            await asyncio.wait(list(self._adopting))
        for _ in range(ACCEPT_TURNS):
            await self._turn()
        for listener in self._listeners:
            listener.close()
        if self._control is not None:
            self._control.stop()

    def give_away(self) -> list[tuple[int, bytes]]:
        """The connections without a request under way, for another process to `adopt`: each with what it has to read.

        The descriptors are the caller's.
        """
        given = [cast("Connection", each).give_away() for each in self._connections.connections]
        return [each for each in given if each is not None]

    async def answered(self, timeout_s: float) -> list[str]:
        """Wait until the Worker has returned a response to every request; after `stop_accepting`.

        Returns the requests that were cut off because they took longer.
        """
        assert self._decided is not None
        if self._undecided and timeout_s > 0:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._decided.wait(), timeout_s)
        left = [self._answering[task] for task in self._undecided]
        for task in self._undecided:
            task.cancel()
        # A client that has its response, and still sends its body, may ask again at once: it is to be handed over.
        deadline = self._loop.time() + min(DRAIN_S, timeout_s)
        while any(each.is_kept for each in self._draining()) and self._loop.time() < deadline:
            later = self._loop.create_future()
            self._loop.call_later(DRAIN_LOOK_S, later.set_result, None)
            await later
        return left

    def _draining(self) -> list[Connection]:
        """The connections on which nothing is answered any more, and bodies still come."""
        connections = cast("list[Connection]", self._connections.connections)
        return [each for each in connections if each.handling is not None and not each.is_answering]

    async def sent(self, timeout_s: float) -> list[str]:
        """Wait until every response is sent to its end. Returns the requests whose responses take longer."""
        deadline = self._loop.time() + timeout_s
        if self._answering and timeout_s > 0:
            await asyncio.wait(list(self._answering), timeout=timeout_s)
        left = list(self._answering.values())
        await self._drained(deadline - self._loop.time())
        return left

    async def _drained(self, timeout_s: float) -> None:
        """Wait until the bodies of the answered requests have come."""
        for each in self._draining():
            each.close_when_drained()
        handling = [each.handling for each in self._draining()]
        if handling and timeout_s > 0:
            await asyncio.wait([task for task in handling if task is not None], timeout=timeout_s)

    async def _turn(self) -> None:
        turn = self._loop.create_future()
        self._loop.call_soon(turn.set_result, None)
        await turn

    async def stop(self, grace_s: float = 0) -> list[str]:
        """Accept nothing more, and give the requests under way `grace_s` seconds. Returns those that were cut off."""
        deadline = self._loop.time() + grace_s
        for listener in self._listeners:
            listener.close()
        if self._control is not None:
            self._control.stop()
        self._connections.pre_shutdown()
        if self._answering and grace_s > 0:
            await asyncio.wait(list(self._answering), timeout=grace_s)
        left = list(self._answering.values())
        for task in self._answering:
            task.cancel()
        await self._drained(min(deadline - self._loop.time(), DRAIN_S))
        await self._connections.shutdown(0.1)
        return left

    async def _handle(self, request: web.BaseRequest) -> Outgoing:
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._answering[task] = f"{request.method} {request.raw_path}"
        self._undecided.add(task)
        started = self._loop.time()
        try:
            outgoing = await self._answer(request)
            self._decide(task)
            path = request.raw_path.partition("?")[0]
            if self._on_request is not None and not path.startswith(CONTROL_PREFIXES):
                milliseconds = (self._loop.time() - started) * 1000
                self._on_request(request.method, path, outgoing.status, outgoing.reason, milliseconds)
            await outgoing.send()
            return outgoing
        finally:
            del self._answering[task]
            self._decide(task)

    def _decide(self, task: asyncio.Task[object]) -> None:
        self._undecided.discard(task)
        if self._decided is not None and not self._undecided:
            self._decided.set()

    async def _answer(self, request: web.BaseRequest) -> Outgoing:
        try:
            incoming = incoming_request(request)
        except BadRequestError as error:
            return Outgoing(request, Response(f"Bad Request: {error}\n", {"status": 400}))
        try:
            if (mark := self._recovery.answer(incoming)) is not None:
                response = mark if self._hosts.knows(incoming.url) else closed_response()
            elif isinstance(self._worker, Failure):
                script = self._recovery.script(incoming)
                knows = self._hosts.knows(incoming.url)
                response = self._worker.response(incoming, script) if knows else closed_response()
            else:
                mount = self._control.mount_for(incoming.url) if self._control is not None else None
                response = await (mount or self._worker).fetch(incoming)
            return Outgoing(request, response, keep_alive=self._decided is None)
        except asyncio.CancelledError as error:
            if cast("asyncio.Task[object]", asyncio.current_task()).cancelling():
                raise  # the server stops
            failure: BaseException = error  # something that the handler awaited was cancelled
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a handler raises is a 500
            failure = error
        if is_a(failure, ClientDisconnectedError):
            log.info("%s", failure)
        else:
            log.error("Uncaught error in %s %s", request.method, request.raw_path, exc_info=printable_error(failure))
        # Source lines and paths are for people at this machine, and not for a page that calls it by a name of its own.
        knows = self._hosts.knows(incoming.url)
        shown = failure_response(failure, incoming, self._recovery.script(incoming)) if knows else closed_response()
        return Outgoing(request, shown, keep_alive=self._decided is None)


@asynccontextmanager
async def serve(
    project: Project,
    host: str = "127.0.0.1",
    port: int | None = 0,
    *,
    on_request: RequestLog | None = None,
    allowed_hosts: Iterable[str] = (),
) -> AsyncIterator[Server]:
    """Serve `project` on a real socket until the end of the block; port 0 is any free one.

    `allowed_hosts` are names, beside `localhost`, under which control paths may be asked for, and errors be seen.

    Raises PortInUseError.
    """
    sockets = open_sockets(host, port)
    server = Server(project, sockets, on_request=on_request, allowed_hosts=allowed_hosts)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
