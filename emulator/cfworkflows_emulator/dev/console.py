"""What `cfwf` prints: to the standard output what happens, to the standard error what is wrong."""

import logging
import os
import sys
from typing import TextIO

from cfworkflows_emulator.dev.output import own_copy
from cfworkflows_emulator.server.failure import describe
from cfworkflows_emulator.shown import shown, shown_line
from cfworkflows_emulator.terminals import can_clear, columns, is_coloured

SEVERITY = {"debug": 0, "log": 1, "info": 1, "warn": 2, "error": 3, "none": 4}

GREEN, YELLOW, RED, BLUE, DIM = "32", "33", "31", "34", "2"


class Console:
    """Prints at a level of `--log-level`. Colours are for terminals: see `is_coloured`."""

    def __init__(self, level: str) -> None:
        self.severity = SEVERITY[level]
        self._kept: tuple[TextIO, TextIO] | None = None
        for stream in (sys.stdout, sys.stderr):
            # Whole lines at once, also into a pipe, and a text that the terminal cannot show is no error.
            stream.reconfigure(line_buffering=True, errors="backslashreplace")  # type: ignore[union-attr]
        self._coloured = {id(stream): is_coloured(stream) for stream in (sys.stdout, sys.stderr)}

    def keep_streams(self) -> None:
        """Print to where the standard streams go now, whatever code of the Worker does to them."""
        if self._kept is None:
            self._kept = own_copy(sys.stdout), own_copy(sys.stderr)
            for own, stream in zip(self._kept, (sys.stdout, sys.stderr), strict=True):
                self._coloured[id(own)] = self._coloured[id(stream)]

    @property
    def _out(self) -> TextIO:
        return self._kept[0] if self._kept is not None else sys.stdout

    @property
    def _err(self) -> TextIO:
        return self._kept[1] if self._kept is not None else sys.stderr

    def info(self, text: str = "") -> None:
        """Something that happens: shown at `info` and `log`."""
        if self.severity <= SEVERITY["info"]:
            self._print(self._out, shown(text))

    def debug(self, text: str) -> None:
        if self.severity <= SEVERITY["debug"]:
            self._print(self._out, self._paint(self._out, DIM, shown(text)))

    def warn(self, text: str) -> None:
        if self.severity <= SEVERITY["warn"]:
            self._print(self._err, f"{self._paint(self._err, YELLOW, 'warning:')} {shown(text)}")

    def error(self, text: str) -> None:
        if self.severity <= SEVERITY["error"]:
            self.fatal(text)

    def fatal(self, text: str) -> None:
        """Why the command ends: shown at every level."""
        self._print(self._err, f"{self._paint(self._err, RED, 'error:')} {shown(text)}")

    def record(self, level: int, name: str, logger: str, label: str, text: str) -> None:
        """A log record of the Worker's code, which has asked for it: `INFO shop [orders/7 charge-1]: text`."""
        stream = self._err if level >= logging.WARNING else self._out
        colours = ((logging.ERROR, RED), (logging.WARNING, YELLOW), (logging.INFO, BLUE))
        colour = next((colour for least, colour in colours if level >= least), DIM)
        whose = f" {self._paint(stream, DIM, f'[{shown_line(label)}]')}" if label else ""
        self._print(
            stream, f"{self._paint(stream, colour, shown_line(name))} {shown_line(logger)}{whose}: {shown(text)}"
        )

    def request(self, method: str, path: str, status: int, reason: str, milliseconds: float) -> None:
        """`GET /path 200 OK (12ms)`."""
        if self.severity <= SEVERITY["info"]:
            answer = f"{status} {shown_line(reason)}" if reason else str(status)
            if self._coloured[id(self._out)]:
                answer = self._paint(self._out, _STATUS_COLOURS.get(status // 100, BLUE), answer)
            self._print(self._out, f"{shown_line(method)} {shown_line(path)} {answer} ({milliseconds:.0f}ms)")

    @property
    def columns(self) -> int | None:
        """How wide the terminal is, None if the output is no terminal."""
        return columns(self._out)

    def mute(self) -> None:
        """Print nothing from now on."""
        self.severity = SEVERITY["none"] + 1

    def clear(self) -> None:
        """Empty the terminal, with what has scrolled away."""
        if can_clear(self._out):
            self._print(self._out, "\x1b[2J\x1b[3J\x1b[H")

    def _paint(self, stream: TextIO, colour: str, text: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._coloured.get(id(stream)) else text

    def _print(self, stream: TextIO, text: str) -> None:
        try:
            stream.write(f"{text}\n")
        except BrokenPipeError:  # nobody reads it any more, as after `cfwf dev | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        except (OSError, ValueError):  # code of the Worker has closed its file, so there is nothing to print to
            return


class ConsoleHandler(logging.Handler):
    """Log records of cfworkflows on the console; tracebacks show the Worker's code only."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console

    def emit(self, record: logging.LogRecord) -> None:
        text = _message(record)
        if record.exc_info and record.exc_info[1] is not None:
            text = f"{text}\n{describe(record.exc_info[1])}"
        if record.levelno >= logging.ERROR:
            self._console.error(text)
        elif record.levelno >= logging.WARNING:
            self._console.warn(text)
        elif record.levelno >= logging.INFO:
            self._console.info(text)
        else:
            self._console.debug(text)


def _message(record: logging.LogRecord) -> str:
    """The message, in which names stay in their line, whatever they hold."""
    if isinstance(record.args, tuple):
        return str(record.msg) % tuple(shown_line(each) if isinstance(each, str) else each for each in record.args)
    return record.getMessage()


_STATUS_COLOURS = {2: GREEN, 4: YELLOW, 5: RED}
