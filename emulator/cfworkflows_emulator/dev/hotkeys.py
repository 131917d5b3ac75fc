"""The keys of `cfwf dev`."""

import subprocess
import sys
from collections.abc import Callable

from cfworkflows_emulator import EXPLORER_API
from cfworkflows_emulator.dev.console import Console
from cfworkflows_emulator.supervisor.supervisor import Supervisor

HINT = "[b] browser  [e] instances  [r] restart  [c] clear  [h] help  [x] exit"
HELP = """
  b        open the Worker in a browser
  e        open the list of Workflows in a browser: .../workflows/NAME/instances has the instances
  r        restart the worker: load the code and the configuration anew
  c        clear the console
  h or ?   show this
  x or q   exit, as Ctrl+C does: in order at the first time, at once at the second
"""


class Hotkeys:
    """Does what a key says."""

    def __init__(self, supervisor: Supervisor, console: Console, url: str) -> None:
        self._console = console
        stop: Callable[[], None] = supervisor.stop
        self._actions: dict[str, Callable[[], None]] = {
            "b": lambda: self._open(url),
            "e": lambda: self._open(f"{url}{EXPLORER_API}/workflows"),
            "r": lambda: supervisor.reload("r was pressed"),
            "c": console.clear,
            "h": lambda: console.info(HELP),
            "?": lambda: console.info(HELP),
            "x": stop,
            "q": stop,
        }

    def press(self, key: str) -> None:
        action = self._actions.get(key)
        if action is not None:
            action()

    def _open(self, url: str) -> None:
        self._console.info(f"Opening {url} in a browser.")
        # In a process of its own: some browsers are waited for, and some write to the terminal.
        subprocess.Popen(  # noqa: S603 - our own URL
            [sys.executable, "-P", "-m", "webbrowser", url],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
