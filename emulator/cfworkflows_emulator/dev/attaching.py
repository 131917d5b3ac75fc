"""The debugger of an editor, which attaches to the worker by debugpy's protocol: `cfwf dev --debug`.

debugpy listens in a process of its own, which ends with the worker. While a thread of the worker is halted by it, the
time stands still and the worker is not replaced.
"""

import os
import pdb
import socket
import sys
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import cfworkflows
import cfworkflows_bindings
import cfworkflows_emulator
from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.clock import SystemClock, monotonic
from cfworkflows_emulator.dev import adapter
from cfworkflows_emulator.dev.console import Console
from cfworkflows_emulator.supervisor.channel import Channel
from cfworkflows_emulator.supervisor.messages import Continued, Halted

SUPERVISOR = "CFWF_DEBUG_SUPERVISOR"
"""The variable in which the adapter finds the process that starts the next worker."""

_OURS = tuple(
    str(Path(package.__file__ or "").parent) for package in (cfworkflows, cfworkflows_bindings, cfworkflows_emulator)
)
"""What is neither halted nor shown: the worker listens to its supervisor while all threads of the user are halted."""

RELEASE_S = 5.0
"""So long, in seconds, the debugger of the worker before may take to give the port back."""

STEPPING_S = 0.5
"""So long after a halt, in seconds, the worker counts as halted: mostly it halts again at once, at the next line."""


class Attaching:
    """Where a debugger attaches to this process. With `wait`, `listen` returns when one has.

    `is_first` is for the first worker process, which prints the address: later ones listen on the same.
    """

    def __init__(
        self, channel: Channel, console: Console, address: tuple[str, int], *, wait: bool, is_first: bool
    ) -> None:
        self._channel = channel
        self._console = console
        self._address = address
        self._wait = wait
        self._is_first = is_first
        self._lock = threading.Lock()
        self._halts = 0  # threads that are halted
        self._reported: Halted | Continued = Continued()
        self._clock: SystemClock | None = None
        self._stopped = ExitStack()
        self.is_fork = False

    def listen(self, clock: SystemClock) -> None:
        """Let debuggers attach; the time of `clock` stands still while they halt this process.

        Raises CfworkflowsError if something else listens on the port.
        """
        os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # a warning about the standard library
        import debugpy
        import debugpy.server.api
        import pydevd

        self._clock = clock
        _wait_until_free(self._address)
        debugpy.server.api.adapter = adapter  # it is started by the path of its folder
        # Processes that the Worker starts are not debugged: they would need ports of their own.
        debugpy.configure(subProcess=False, pythonEnv={**os.environ, SUPERVISOR: str(os.getppid())})
        try:
            debugpy.listen(self._address)
        except RuntimeError as error:
            raise CfworkflowsError(f"The debugger cannot listen on {_shown(self._address)}: {error}") from error
        debugger = pydevd.get_global_debugger()
        pydevd.PyDevdAPI().set_dont_trace_start_end_patterns(
            debugger, (str(Path(debugpy.__file__).parent), *_OURS), ("debugpy_launcher.py",)
        )
        _adapt(debugger, self)
        sys.breakpointhook = _breakpoint
        if self._wait:
            self._console.info(f"Waiting for a debugger on {_shown(self._address)}; then the code is loaded.")
            debugpy.wait_for_client()
        else:
            say = self._console.info if self._is_first else self._console.debug
            say(f"A debugger can attach on {_shown(self._address)}.")

    def close(self) -> None:
        """Give the port back; a debugger that is attached is detached."""
        pydevd = sys.modules.get("pydevd")
        if pydevd is not None:
            sys.breakpointhook = sys.__breakpointhook__
            pydevd.stoptrace()

    def leave(self) -> None:
        """In a process that the Worker has forked: nothing halts it, since no thread would let it go on."""
        self.is_fork = True
        sys.breakpointhook = sys.__breakpointhook__

    def halted(self) -> None:
        """A thread of this process halts."""
        with self._lock:
            self._halts += 1
            if self._halts == 1 and self._clock is not None:
                self._stopped.enter_context(self._clock.stopped())
            if isinstance(self._reported, Continued):
                self._report(Halted())

    def continued(self) -> None:
        """A thread that was halted goes on."""
        with self._lock:
            self._halts -= 1
            if self._halts == 0:
                self._stopped.close()
                timer = threading.Timer(STEPPING_S, self._settle)
                timer.daemon = True
                timer.start()

    def _settle(self) -> None:
        with self._lock:
            if self._halts == 0 and isinstance(self._reported, Halted):
                self._report(Continued())

    def _report(self, message: Halted | Continued) -> None:
        self._reported = message
        self._channel.send(message)


def free_address(address: tuple[str, int]) -> tuple[str, int]:
    """`address`, with a port that is free instead of 0: workers that come one after the other listen on one port."""
    host, port = address
    if port:
        return address
    with _bound((host, 0)) as probe:
        return host, probe.getsockname()[1]


def _adapt(debugger: Any, attaching: Attaching) -> None:
    """Have `attaching` hear of each halt. All of pydevd's, for whatever reason, are calls of this one method."""
    wait = debugger.do_wait_suspend

    def do_wait_suspend(*arguments: Any, **options: Any) -> Any:
        if attaching.is_fork:
            return None
        attaching.halted()
        try:
            return wait(*arguments, **options)
        finally:
            attaching.continued()

    debugger.do_wait_suspend = do_wait_suspend


def _breakpoint(*arguments: Any, **options: Any) -> Any:
    """`breakpoint()`: for the editor if one is attached, otherwise as without it. pydevd's own waits for an editor."""
    import debugpy
    import pydevd

    caller = sys._getframe(1)
    if debugpy.is_client_connected():
        pydevd.settrace(suspend=True, trace_only_current_thread=True, patch_multiprocessing=False, stop_at_frame=caller)
    elif os.environ.get("PYTHONBREAKPOINT"):
        sys.__breakpointhook__(*arguments, **options)
    else:
        pdb.Pdb().set_trace(caller)


def _wait_until_free(address: tuple[str, int]) -> None:
    deadline = monotonic() + RELEASE_S
    pause = threading.Event()
    while True:
        try:
            _bound(address).close()
        except OSError as error:
            if monotonic() > deadline:
                raise CfworkflowsError(
                    f"The debugger cannot listen on {_shown(address)}: {error.strerror or error}. Choose another port "
                    "with --debug."
                ) from error
            pause.wait(0.02)
        else:
            return


def _bound(address: tuple[str, int]) -> socket.socket:
    probe = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
    try:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
    except BaseException:
        probe.close()
        raise
    return probe


def _shown(address: tuple[str, int]) -> str:
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
