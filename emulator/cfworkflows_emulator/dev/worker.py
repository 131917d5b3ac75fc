"""The worker process of `cfwf dev`: server, engine and the code of the user."""

import asyncio
import os
import selectors
import socket
import sys
import threading
import time
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

import cfworkflows
import cfworkflows_bindings
import cfworkflows_emulator
from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.config import ConfigError, LoadedConfig, render
from cfworkflows_emulator.dev.attaching import Attaching
from cfworkflows_emulator.dev.console import Console
from cfworkflows_emulator.dev.debugging import Debugging
from cfworkflows_emulator.dev.forks import Forks, end_children
from cfworkflows_emulator.dev.logs import Logs
from cfworkflows_emulator.dev.orders import Orders
from cfworkflows_emulator.dev.output import drain_in_thread, end_pipes
from cfworkflows_emulator.dev.reading import Reading
from cfworkflows_emulator.dev.startup import BANNER, bindings_table, instances_lines, origin, ready_line, state_line
from cfworkflows_emulator.dev.stopping import exit_now
from cfworkflows_emulator.engine import EngineSettings
from cfworkflows_emulator.hosts import Hosts
from cfworkflows_emulator.runtime import BlockLimit, Project, ProjectTime, WorkerLoadError, places
from cfworkflows_emulator.server import Failure, Server
from cfworkflows_emulator.server.sockets import is_wildcard, network_address
from cfworkflows_emulator.storage import DiskError
from cfworkflows_emulator.storage.folder import DEFAULT, StateFolder, takes_data
from cfworkflows_emulator.storage.saves import MAIN, Saves
from cfworkflows_emulator.storage.swap import is_prepared
from cfworkflows_emulator.supervisor.channel import Channel
from cfworkflows_emulator.supervisor.messages import (
    BLOCKED,
    Connection,
    Go,
    Hopeless,
    Loaded,
    MadeFrom,
    Outdated,
    Released,
    Renew,
    Serving,
    Stop,
)
from cfworkflows_emulator.supervisor.sources import digests, forget_bytecode, python_files, saved_since

_NOT_THE_USERS = tuple(
    str(Path(module.__file__ or "").parent) + os.sep
    for module in (os, cfworkflows, cfworkflows_bindings, cfworkflows_emulator)
)

PROBE_S = 2.0
"""How often it is tried, in seconds, whether a disk that was full takes data again."""


PATIENCE_S = 0.5
"""For so long, in seconds, nothing is served that was saved while it was loaded: that may have been half of it."""

PATIENCE_WITH_ERRORS_S = 1.0
"""The same for what does not load."""

NEEDED_AT_TIMES = (
    "ada_url",
    "pydantic",
    "cfworkflows.checks.checker",
    "cfworkflows_emulator.config.loading",
    "cfworkflows_emulator.api",
)
"""What takes long to import, and not every worker needs. Once one did, the supervisor has it for those to come."""


class Workers(NamedTuple):
    """What all the workers of a command have in common.

    `reading` has the configurations. `started` is when the command began, by `time.perf_counter`. `keys` is the line
    about the keys that there are. With `watch` saved files are noticed. `state` is the branch to run on. `debug` is
    where a debugger may attach, `debug_wait` whether one has to. `max_block_s` is for how long code of the Worker may
    block the event loop; 0 is for ever.
    """

    reading: Reading
    sockets: Sequence[socket.socket]
    ip: str
    persist_to: Path | None
    state: str | None
    allowed_hosts: Sequence[str]
    speed: float
    engine: EngineSettings
    console: Console
    logs: Logs
    started: float
    max_block_s: float
    keys: str | None = None
    watch: bool = True
    debug: tuple[str, int] | None = None
    debug_wait: bool = False

    @property
    def address(self) -> str:
        """The URL for programs on this machine."""
        return origin("localhost" if is_wildcard(self.ip) else self.ip, self.sockets[0].getsockname()[1])

    def work(self, channel: Channel, number: int) -> int:
        """Be worker `number`: serve until the supervisor says that it is enough. Gives the exit code."""
        return _Worker(self, channel, number).run()


class _OutdatedError(Exception):
    """See `Outdated`."""


class _Worker:
    def __init__(self, common: Workers, channel: Channel, number: int) -> None:
        self._common = common
        self._channel = channel
        self._console = common.console
        self._debugging = Debugging(channel, common.console, terminal_is_read=common.keys is not None)
        self._attaching = (
            Attaching(channel, common.console, common.debug, wait=common.debug_wait, is_first=number == 0)
            if common.debug is not None
            else None
        )
        self._orders = Orders(channel, self._debugging.lent)
        self._is_first = number == 0
        self._server: Server | None = None
        self._time: ProjectTime | None = None
        self._state: Path | None = None
        self._before = frozenset(sys.modules)
        self._began_ns = time.time_ns()

    def run(self) -> int:
        drain_in_thread()
        self._console.keep_streams()
        configs: Sequence[LoadedConfig] | ConfigError
        try:  # while the worker before this one ends
            configs = self._common.reading.first if self._is_first else self._common.reading.again()
        except ConfigError as error:
            configs = error
        go = self._orders.wait_for_go()
        forget_bytecode(go.paths)
        selector = selectors.DefaultSelector()
        # Not `asyncio.run`, which would wait for the threads of the Worker: the process ends with all of them.
        runner = asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selector))
        Forks(runner.get_loop(), selector, self._leave)
        try:
            return runner.run(self._serve(configs, go))
        finally:
            end_children()
            end_pipes()

    def _leave(self) -> list[int]:
        """In a process that the Worker has forked: the files that it has to be without. It reports nothing of ours."""
        self._console.mute()
        self._debugging.leave()
        if self._attaching is not None:
            self._attaching.leave()
        sockets = [each.fileno() for each in self._common.sockets]
        return [self._channel.fileno(), *sockets, *(self._server.descriptors if self._server is not None else ())]

    async def _serve(self, configs: Sequence[LoadedConfig] | ConfigError, go: Go) -> int:
        async with AsyncExitStack() as stack:
            served: Project | Failure
            failure: CfworkflowsError | None = None
            try:
                served = await self._open(stack, configs, go)
            except _OutdatedError:
                return 0
            except CfworkflowsError as error:
                if self._is_outdated(configs, go, failed=True):
                    return 0
                failure = error
                # What is wrong with the code is mended in a file, which is noticed; what is wrong around it may not be.
                if self._is_first and not (self._common.watch and isinstance(error, WorkerLoadError | ConfigError)):
                    self._console.fatal(str(error))
                    self._channel.send(Hopeless())
                    return 1
                self._console.error(str(error))
                original = error.original if isinstance(error, WorkerLoadError) else None
                served = Failure(original or error)
            self._server = server = Server(
                served,
                self._common.sockets,
                on_request=self._console.request,
                allowed_hosts=self._common.allowed_hosts,
            )
            stop = self._orders.follow(server)
            await server.start()
            self._channel.send(Serving(failed=isinstance(served, Failure)))
            self._announce(server.port, go, None if isinstance(served, Failure) else list(served.engine.definitions))
            paths, roots = self._made_from(configs)
            # Not in the event loop, which code of the Worker may block from now on.
            threading.Thread(target=self._tell_sources, args=(paths, roots), daemon=True).start()
            project = served if isinstance(served, Project) else None
            renewal = asyncio.create_task(self._renew(project, failure, stop))
            order = await stop
            renewal.cancel()
            await self._stop(order, server, project)
        return 0

    def _made_from(self, configs: Sequence[LoadedConfig] | ConfigError) -> tuple[set[str], list[str]]:
        """The files that this worker is made from, and the folders below which every Python file counts."""
        known = self._common.reading.first if isinstance(configs, ConfigError) else configs
        roots = list(dict.fromkeys(str(each.main.parent) for each in known))
        return {*(str(path) for each in known for path in each.watched), *self._imported()}, roots

    def _is_outdated(self, configs: Sequence[LoadedConfig] | ConfigError, go: Go, *, failed: bool) -> bool:
        """Whether something was saved while it was loaded. Then the next worker is told of, and this one has to end.

        What is saved again and again is served after a while all the same.
        """
        patience_s = PATIENCE_WITH_ERRORS_S if failed else PATIENCE_S
        if not go.looked_ns or time.perf_counter() - go.since > patience_s:
            return False
        paths, roots = self._made_from(configs)
        saved = saved_since({*paths, *python_files(roots)} if failed else paths, go.looked_ns)
        if saved:
            self._channel.send(Outdated(saved))
            self._orders.leave()
        return bool(saved)

    async def _renew(
        self, project: Project | None, failure: BaseException | None, stop: "asyncio.Future[Stop]"
    ) -> None:
        """Ask for the next worker when the disk takes data again, if that is why this one cannot write the state."""
        if project is not None:
            failure = await project.engine.store.failed()
        if not isinstance(failure, DiskError) or self._state is None:
            return
        while True:
            await asyncio.wait([stop], timeout=PROBE_S)
            if await asyncio.to_thread(takes_data, self._state):
                break
        self._channel.send(Renew("the state can be written again"))

    async def _open(
        self, stack: AsyncExitStack, configs: Sequence[LoadedConfig] | ConfigError, go: Go
    ) -> Project | Failure:
        if go.failure is not None:
            return Failure(CfworkflowsError(go.failure))
        if isinstance(configs, ConfigError):
            raise configs
        if len(configs) > 1:
            self._common.logs.name_workers()
        if self._is_first:
            self._console.info(BANNER)
        state = (self._common.persist_to or configs[0].directory / DEFAULT).absolute()
        if self._common.state is not None:
            state = Saves(state).branch(self._common.state)
        self._state = state
        if self._is_first or any(Path(path) in each.watched for each in configs for path in go.paths):
            self._describe(configs, state_line(state, Saves(state).current, MAIN))
        if is_prepared(state):  # a save that was loaded, whose clock counts
            StateFolder(state, os.getppid(), self._common.address).close()
        project_time = ProjectTime(state, self._common.speed)

        def loaded(found: bool) -> None:
            if self._is_outdated(configs, go, failed=False):
                raise _OutdatedError
            self._channel.send(Loaded(found))

        limit_s = self._common.max_block_s
        self._debugging.clock = project_time.clock
        self._debugging.install()
        if self._attaching is not None:
            self._attaching.listen(project_time.clock)
        opening = Project.open(
            *configs,
            clock=project_time.clock,
            state=state,
            holder=os.getppid(),
            address=self._common.address,
            loaded=loaded,
            name_blocks=True,
            block_limit=BlockLimit(limit_s, partial(exit_now, BLOCKED)) if limit_s else None,
            settings=self._common.engine,
            deaths=go.deaths,
            renew=self._ask_for_the_next,
        )
        project = await stack.enter_async_context(opening)
        project_time.keep()
        self._time = project_time
        notices = [*project.notices, *await project.store_notices()] if not go.loaded_before else []
        for notice in [*notices, *project.faults]:
            self._console.warn(notice)
        return project

    def _ask_for_the_next(self, reason: str) -> None:
        self._channel.send(Renew(reason))

    def _describe(self, configs: Sequence[LoadedConfig], state: str) -> None:
        for config in configs:
            for line in config.secrets_lines:
                self._console.info(line)
            self._console.info(bindings_table(config, configs, self._console.columns, places(config)))
            self._console.info()
            if config.warnings:
                self._console.warn(render(config.warnings))
        self._console.info(state)

    def _tell_sources(self, paths: Collection[str], roots: list[str]) -> None:
        self._channel.send(MadeFrom(digests(paths, roots, self._began_ns), roots, _needed()))

    def _announce(self, port: int, go: Go, workflows: Sequence[str] | None) -> None:
        """Say what is served: the Worker with its `workflows`, or, without any, an error."""
        now = time.perf_counter()
        ip = self._common.ip
        if workflows is None:
            to = "" if go.loaded_before else f" to {origin(ip, port)}"
            self._console.info(f"Waiting for a change; requests{to} are answered with the error.")
        elif go.loaded_before:
            self._console.info(f"Reloaded in {(now - go.since) * 1000:.0f} ms ({go.reason})")
        else:
            since = self._common.started if self._is_first else go.since
            self._console.info(ready_line(ip, port, (now - since) * 1000))
            for address in dict.fromkeys(("127.0.0.1", network_address())) if is_wildcard(ip) else ():
                if address is not None:
                    self._console.info(f"- http://{address}:{port}")
            # At an address of the network the APIs do not answer, unless it is allowed.
            if Hosts(self._common.allowed_hosts).knows(self._common.address):
                for line in instances_lines(self._common.address, workflows):
                    self._console.info(line)
        if self._is_first and self._common.keys is not None:
            self._console.info(self._common.keys)

    def _imported(self) -> Collection[str]:
        """The files of the modules that the Worker's code imported, but for those that are installed."""
        files = set()
        for name in sys.modules.keys() - self._before:
            file = getattr(sys.modules[name], "__file__", None)
            if isinstance(file, str) and file.endswith(".py") and f"{os.sep}site-packages{os.sep}" not in file:
                files.add(str(Path(file).absolute()))
        return {file for file in files if not file.startswith(_NOT_THE_USERS)}

    async def _stop(self, order: Stop, server: Server, project: Project | None) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + order.grace_s
        cut_off = []
        if order.hand_over:
            await server.stop_accepting()
            self._give_away(server)
            cut_off += await server.answered(order.grace_s)
        else:
            cut_off += await server.stop(order.grace_s)
        if project is not None:
            cut_off += await project.close(min(max(deadline - loop.time(), 0), order.callbacks_s))
        if self._time is not None:
            self._time.close()
        if self._attaching is not None:
            self._attaching.close()
        if order.hand_over:
            self._give_away(server)
            self._channel.send(Released(_needed()))
            cut_off += await server.sent(deadline - loop.time())
            self._give_away(server)
            await server.stop()
        for what in cut_off:
            self._console.warn(f"{what} was cut off {order.cause}.")

    def _give_away(self, server: Server) -> None:
        self._channel.hand_over([Connection(*each) for each in server.give_away()])


def _needed() -> list[str]:
    return [name for name in NEEDED_AT_TIMES if name in sys.modules]
