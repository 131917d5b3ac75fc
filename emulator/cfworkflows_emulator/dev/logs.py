"""What the code of the Workers logs and prints: one format, and whose it is."""

import logging
import re
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from cfworkflows_emulator.dev.console import Console, ConsoleHandler
from cfworkflows_emulator.runtime import origin
from cfworkflows_emulator.server import describe

LEVELS = {
    "debug": logging.DEBUG,
    "log": logging.INFO,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "none": logging.CRITICAL + 10,
}
"""What the root logger lets through, by `--log-level`."""

OURS = "cfworkflows"
TALKATIVE = ("aiosqlite", "asyncio", "aiohttp")
"""Libraries that the server uses itself: a Worker that asks for DEBUG does not mean their lines about our work."""


class Logs(logging.Handler):
    """Shows the records that no handler of the user's takes: `INFO shop [orders/7 charge-1]: text`.

    It is logging's handler of last resort rather than one of the root logger, so a Worker that configures logging, by
    `basicConfig`, `dictConfig` or a handler somewhere, gets what it asked for, and gets each record once.
    """

    def __init__(self, console: Console, level: str) -> None:
        super().__init__()
        self._console = console
        self._level = LEVELS[level]
        self._names_workers = False

    def install(self) -> None:
        """Before code of a Worker is loaded."""
        ours = logging.getLogger(OURS)
        ours.addHandler(ConsoleHandler(self._console))
        ours.setLevel(min(self._level, logging.INFO))
        ours.propagate = False
        for name, logger in logging.root.manager.loggerDict.items():
            if isinstance(logger, logging.Logger) and name.partition(".")[0] == OURS:
                logger.__class__ = _NeverDisabled
        for name in TALKATIVE:
            logging.getLogger(name).setLevel(max(self._level, logging.INFO))
        logging.root.setLevel(self._level)
        logging.lastResort = self
        logging.basicConfig = _basic_config

    def name_workers(self) -> None:
        """From now on records say of which Worker they are, and what is printed does too: there are several."""
        self._names_workers = True
        self._console.keep_streams()
        for name in ("stdout", "stderr"):
            setattr(sys, name, _Labelled(getattr(sys, name)))

    def emit(self, record: logging.LogRecord) -> None:
        try:
            text = record.getMessage()
            if record.exc_info and record.exc_info[1] is not None:
                text = f"{text}\n{describe(record.exc_info[1])}"
            if record.stack_info:
                text = f"{text}\n{record.stack_info}"
            label = origin().label(with_worker=self._names_workers)
            self._console.record(record.levelno, record.levelname, record.name, label, text)
        except Exception:  # noqa: BLE001 - as any handler: a mistake in a call that logs does not end what called it
            self.handleError(record)


class _NeverDisabled(logging.Logger):
    """A logger that `dictConfig` and `fileConfig` of a Worker leave alone, which disable all that they do not name."""

    @property
    def disabled(self) -> bool:
        return False

    @disabled.setter
    def disabled(self, value: bool) -> None:
        pass


_configure = logging.basicConfig


def _basic_config(**options: Any) -> None:
    """`logging.basicConfig`, but for the calls that `logging.error()` and its like make when there is no handler."""
    if sys._getframe(1).f_globals is not vars(logging):
        _configure(**options)


_LINE_BEGINS = re.compile(r"^(?=.)", re.MULTILINE)


class _Labelled:
    """A stream that begins each line with the name of the Worker that prints it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._is_new_line = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        worker = origin().worker
        if worker is not None:
            label = f"[{worker}] "
            labelled = _LINE_BEGINS.sub(label, text)
            self._stream.write(labelled if self._is_new_line else labelled.removeprefix(label))
        else:
            self._stream.write(text)
        if text:
            self._is_new_line = text.endswith("\n")
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)
