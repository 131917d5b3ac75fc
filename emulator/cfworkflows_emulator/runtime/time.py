"""The time of a project, kept in the state folder: it never goes back, however the machine's clock is set."""

import json
import logging
import threading
from pathlib import Path
from typing import Any

from cfworkflows_emulator.clock import Clock, SystemClock
from cfworkflows_emulator.storage import StateError

BEAT_S = 1.0
"""How often the time is written down, in seconds, while it runs faster. A process that is killed loses less."""

SLOW_BEAT_S = 60.0
"""The same for a time that runs as everybody's."""

FILE = "clock.json"
"""The file in the state folder."""

log = logging.getLogger("cfworkflows.runtime")


class ProjectTime:
    """`clock` continues where the clock of the last process on the state folder `state` stopped, at `speed`.

    While no server runs, its time passes as the machine's does, but never backwards. Raises StateError for a file that
    is not ours.
    """

    def __init__(self, state: Path, speed: float) -> None:
        self._path = state / FILE
        self._speed = speed
        self._ended = threading.Event()
        self.clock = SystemClock(speed, start=self._read(SystemClock().now()))

    def _read(self, real: int) -> int | None:
        """What time it is in the project, in ms since the epoch, when it is `real` elsewhere; None if it is that."""
        try:
            last: dict[str, Any] = json.loads(self._path.read_text(encoding="utf-8"))
            away = max(real - last["real"], 0)
            # Killed, it may have gone on for one beat at its speed, and not for longer.
            fast = min(away, BEAT_S * 1000)
            return max(int(last["now"] + fast * last["speed"] + (away - fast)), real)
        except (FileNotFoundError, NotADirectoryError):  # a folder that cannot be one is reported when it is locked
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise StateError(
                f"{self._path} does not say what time it is in the project: {error}. Remove it to go back to the "
                "machine's time; instances that wait then wait for as long as the project was ahead."
            ) from error

    def keep(self) -> None:
        """Write the time down from now on, until `close`. The state folder has to be this process's."""
        self._write(self._speed)
        # A thread, because code of the Worker may block the event loop.
        threading.Thread(target=self._beat, name="cfwf-time", daemon=True).start()

    def close(self) -> None:
        if not self._ended.is_set():
            self._ended.set()
            self._write(1)

    def _beat(self) -> None:
        while not self._ended.wait(SLOW_BEAT_S if self._speed == 1 else BEAT_S):
            self._write(self._speed)

    def _write(self, speed: float) -> None:
        """`speed` is how fast the time passes until it is written again."""
        try:
            write_time(self._path.parent, self.clock, speed)
        except OSError as error:  # what matters more cannot be written either, and says so
            log.warning("The time of the project cannot be written to %s: %s.", self._path, error.strerror)


def write_time(folder: Path, clock: Clock, speed: float = 1) -> None:
    """Write down what time it is, and how fast it passes until it is written again. Raises OSError."""
    path = folder / FILE
    new = path.with_suffix(".new")
    text = json.dumps({"real": SystemClock().now(), "now": clock.now(), "speed": speed})
    new.write_text(text, encoding="utf-8")
    new.replace(path)
