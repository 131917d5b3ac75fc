"""The worker process of `cfwf dev`: server, engine and the code of the user."""

import asyncio
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cfworkflows
import cfworkflows_bindings
import cfworkflows_emulator
from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.cli.console import Console
from cfworkflows_emulator.cli.orders import Orders
from cfworkflows_emulator.cli.startup import BANNER, bindings_table, origin, ready_line
from cfworkflows_emulator.config import ConfigError, LoadedConfig, render
from cfworkflows_emulator.runtime import Project, Timeline, WorkerLoadError
from cfworkflows_emulator.server import Failure, Server
from cfworkflows_emulator.server.sockets import is_wildcard, network_address
from cfworkflows_emulator.storage.folder import DEFAULT
from cfworkflows_emulator.supervisor.channel import FILES_PER_MESSAGE, Channel
from cfworkflows_emulator.supervisor.sources import digests, forget_bytecode

_NOT_THE_USERS = tuple(
    str(Path(module.__file__ or "").parent) + os.sep
    for module in (os, cfworkflows, cfworkflows_bindings, cfworkflows_emulator)
)


@dataclass(frozen=True, slots=True)
class Workers:
    """What all the workers of a command have in common.

    `first` is the configuration at the start of the command, `load` reads what it is now. `started` is when the command
    began, by `time.perf_counter`. `keys` is the line about the keys that there are.
    """

    first: LoadedConfig
    load: Callable[[], LoadedConfig]
    sockets: Sequence[socket.socket]
    ip: str
    persist_to: Path | None
    allowed_hosts: Sequence[str]
    speed: float
    console: Console
    started: float
    keys: str | None = None

    @property
    def address(self) -> str:
        """The URL for programs on this machine."""
        return origin("localhost" if is_wildcard(self.ip) else self.ip, self.sockets[0].getsockname()[1])

    def work(self, channel: Channel, number: int) -> int:
        """Be worker `number`: serve until the supervisor says that it is enough. Gives the exit code."""
        return _Worker(self, channel, number).run()


class _Worker:
    def __init__(self, common: Workers, channel: Channel, number: int) -> None:
        self._common = common
        self._channel = channel
        self._console = common.console
        self._orders = Orders(channel)
        self._is_first = number == 0
        self._timeline: Timeline | None = None
        self._before = frozenset(sys.modules)
        self._began_ns = time.time_ns()

    def run(self) -> int:
        config: LoadedConfig | ConfigError
        try:  # while the worker before this one ends
            config = self._common.first if self._is_first else self._common.load()
        except ConfigError as error:
            config = error
        go = self._orders.wait_for_go()
        forget_bytecode(go["paths"])
        # Not `asyncio.run`, which would wait for the threads of the Worker: the process ends with all of them.
        return asyncio.Runner().run(self._serve(config, go))

    async def _serve(self, config: LoadedConfig | ConfigError, go: dict[str, Any]) -> int:
        async with AsyncExitStack() as stack:
            served: Project | Failure
            try:
                served = await self._open(stack, config, go)
            except CfworkflowsError as error:
                if self._is_first:
                    self._console.fatal(str(error))
                    self._channel.send("hopeless")
                    return 1
                self._console.error(str(error))
                original = error.original if isinstance(error, WorkerLoadError) else None
                served = Failure(original or error)
            server = Server(
                served,
                self._common.sockets,
                on_request=self._console.request,
                allowed_hosts=self._common.allowed_hosts,
            )
            stop = self._orders.follow(server)
            await server.start()
            self._channel.send("serving", failed=isinstance(served, Failure))
            self._announce(server.port, go, failed=isinstance(served, Failure))
            known = config if isinstance(config, LoadedConfig) else self._common.first
            root = str(known.main.parent)
            paths = {*map(str, known.watched), *self._imported()}
            # Not in the event loop, which code of the Worker may block from now on.
            threading.Thread(target=self._tell_sources, args=(paths, root), daemon=True).start()
            await self._stop(await stop, server, served if isinstance(served, Project) else None)
        return 0

    async def _open(
        self, stack: AsyncExitStack, config: LoadedConfig | ConfigError, go: dict[str, Any]
    ) -> Project | Failure:
        if go["failure"] is not None:
            return Failure(CfworkflowsError(go["failure"]))
        if isinstance(config, ConfigError):
            raise config
        if self._is_first:
            self._console.info(BANNER)
        if self._is_first or any(path in map(str, config.watched) for path in go["paths"]):
            self._describe(config)
        state = (self._common.persist_to or config.directory / DEFAULT).absolute()
        timeline = Timeline(state, self._common.speed)
        opening = Project.open(
            config,
            clock=timeline.clock,
            state=state,
            holder=os.getppid(),
            address=self._common.address,
            name_blocks=True,
        )
        project = await stack.enter_async_context(opening)
        timeline.keep()
        self._timeline = timeline
        for notice in project.notices if self._is_first else ():
            self._console.warn(notice)
        return project

    def _describe(self, config: LoadedConfig) -> None:
        for line in config.secrets_lines:
            self._console.info(line)
        self._console.info(bindings_table(config))
        self._console.info()
        if config.warnings:
            self._console.warn(render(config.warnings))

    def _tell_sources(self, paths: Collection[str], root: str) -> None:
        self._channel.send("sources", digests=digests(paths, root, self._began_ns), root=root)

    def _announce(self, port: int, go: dict[str, Any], *, failed: bool) -> None:
        now = time.perf_counter()
        ip = self._common.ip
        if failed:
            self._console.info("Waiting for a change; requests are answered with the error.")
        elif not self._is_first:
            self._console.info(f"Reloaded in {(now - go['since']) * 1000:.0f} ms ({go['reason']})")
        else:
            self._console.info(ready_line(ip, port, (now - self._common.started) * 1000))
            for address in dict.fromkeys(("127.0.0.1", network_address())) if is_wildcard(ip) else ():
                if address is not None:
                    self._console.info(f"- http://{address}:{port}")
            if self._common.keys is not None:
                self._console.info(self._common.keys)

    def _imported(self) -> Collection[str]:
        """The files of the modules that the Worker's code imported, but for those that are installed."""
        files = set()
        for name in sys.modules.keys() - self._before:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and file.endswith(".py") and f"{os.sep}site-packages{os.sep}" not in file:
                files.add(str(Path(file).absolute()))
        return {file for file in files if not file.startswith(_NOT_THE_USERS)}

    async def _stop(self, order: dict[str, Any], server: Server, project: Project | None) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + order["grace"]
        cut_off = []
        if order["hand_over"]:
            await server.stop_accepting()
            self._give_away(server)
            cut_off += await server.answered(order["grace"])
        else:
            cut_off += await server.stop(order["grace"])
        if project is not None:
            cut_off += await project.close(min(max(deadline - loop.time(), 0), order["callbacks"]))
        if self._timeline is not None:
            self._timeline.close()
        if order["hand_over"]:
            self._give_away(server)
            self._channel.send("released")
            cut_off += await server.sent(deadline - loop.time())
            self._give_away(server)
            await server.stop()
        for what in cut_off:
            self._console.warn(f"{what} was cut off {order['cause']}.")

    def _give_away(self, server: Server) -> None:
        given = server.give_away()
        for start in range(0, len(given), FILES_PER_MESSAGE):
            batch = given[start : start + FILES_PER_MESSAGE]
            unread = [text.decode("latin-1") for _, text in batch]
            self._channel.send("connections", [descriptor for descriptor, _ in batch], unread=unread)
            for descriptor, _ in batch:
                os.close(descriptor)
