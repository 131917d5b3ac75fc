"""The HTTP server of a project."""

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import cast

from aiohttp import web

from cfworkflows.http import Response
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.server.connection import ConnectionFactory
from cfworkflows_emulator.server.failure import failure_response
from cfworkflows_emulator.server.incoming import BadRequestError, ClientDisconnectedError, incoming_request
from cfworkflows_emulator.server.mounts import CONTROL_PREFIXES, control_mounts, mount_for
from cfworkflows_emulator.server.outgoing import Outgoing
from cfworkflows_emulator.server.sockets import open_sockets

log = logging.getLogger("cfworkflows.worker")

RequestLog = Callable[[str, str, int, str, float], None]
"""Told of each answer, but for those on control paths: method, path, status, its text, and the milliseconds it took."""


class Server:
    """Answers requests with a project's Worker. `serve` and `cfwf dev` make one; `stop` ends it."""

    def __init__(
        self,
        project: Project,
        sockets: Sequence[socket.socket],
        *,
        on_request: RequestLog | None = None,
        allowed_hosts: Iterable[str] = (),
    ) -> None:
        self.port: int = sockets[0].getsockname()[1]
        self._worker = project.worker
        self._sockets = sockets
        self._mounts = control_mounts(project, allowed_hosts)
        self._on_request = on_request
        self._loop = asyncio.get_running_loop()
        self._connections = ConnectionFactory(cast("Callable[..., Awaitable[web.StreamResponse]]", self._handle))
        self._listeners: list[asyncio.Server] = []
        self._answering: dict[asyncio.Task[object], str] = {}

    @property
    def url(self) -> str:
        """`http://127.0.0.1:8787`: the origin, by the address of the first socket."""
        host = self._sockets[0].getsockname()[0]
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    async def start(self) -> None:
        for listening in self._sockets:
            self._listeners.append(await self._loop.create_server(self._connections, sock=listening))

    async def stop(self, grace_s: float = 0) -> list[str]:
        """Accept nothing more, and give the requests under way `grace_s` seconds. Gives those that were cut off."""
        for listener in self._listeners:
            listener.close()
        for mount in self._mounts:
            mount.stop()
        self._connections.pre_shutdown()
        if self._answering and grace_s > 0:
            await asyncio.wait(list(self._answering), timeout=grace_s)
        left = list(self._answering.values())
        for task in self._answering:
            task.cancel()
        await self._connections.shutdown(0.1)
        return left

    async def _handle(self, request: web.BaseRequest) -> Outgoing:
        task = cast("asyncio.Task[object]", asyncio.current_task())
        self._answering[task] = f"{request.method} {request.raw_path}"
        started = self._loop.time()
        try:
            outgoing = await self._answer(request)
            path = request.raw_path.partition("?")[0]
            if self._on_request is not None and not path.startswith(CONTROL_PREFIXES):
                milliseconds = (self._loop.time() - started) * 1000
                self._on_request(request.method, path, outgoing.status, outgoing.reason, milliseconds)
            await outgoing.send()
            return outgoing
        finally:
            del self._answering[task]

    async def _answer(self, request: web.BaseRequest) -> Outgoing:
        try:
            incoming = incoming_request(request)
        except BadRequestError as error:
            return Outgoing(request, Response(f"Bad Request: {error}\n", {"status": 400}))
        try:
            response = await (mount_for(self._mounts, incoming.url) or self._worker).fetch(incoming)
            return Outgoing(request, response)
        except asyncio.CancelledError as error:
            if cast("asyncio.Task[object]", asyncio.current_task()).cancelling():
                raise  # the server stops
            failure: BaseException = error  # something that the handler awaited was cancelled
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a handler raises is a 500
            failure = error
        if isinstance(failure, ClientDisconnectedError):
            log.info("%s", failure)
        else:
            log.error("Uncaught error in %s %s", request.method, request.raw_path, exc_info=failure)
        return Outgoing(request, failure_response(failure, incoming))


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

    `allowed_hosts` are names, beside `localhost`, under which control paths may be asked for.

    Raises PortInUseError.
    """
    sockets = open_sockets(host, port)
    server = Server(project, sockets, on_request=on_request, allowed_hosts=allowed_hosts)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
