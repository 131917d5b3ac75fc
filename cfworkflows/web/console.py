"""`console`: lines in the log of the Worker."""

import logging
import re
import sys
from typing import Any

_log = logging.getLogger("cfworkflows.console")
_PLACE = re.compile(r"%([sdifoOcj%])")


class Console:
    """`console.log(…)` and its kin. Text is shown as it is, other values as Python shows them.

    `cfwf dev` shows the lines with its own, by their level; a test has them in `caplog`. Without a handler for the log
    they go to the standard output, and those of `warn` and `error` to the standard error.
    """

    def __init__(self) -> None:
        self._counts: dict[str, int] = {}
        self._timers: dict[str, float] = {}
        self._indent = 0

    def log(self, *data: Any) -> None:
        self._write(logging.INFO, data)

    def info(self, *data: Any) -> None:
        self._write(logging.INFO, data)

    def debug(self, *data: Any) -> None:
        self._write(logging.DEBUG, data)

    def warn(self, *data: Any) -> None:
        self._write(logging.WARNING, data)

    def error(self, *data: Any) -> None:
        self._write(logging.ERROR, data)

    def trace(self, *data: Any) -> None:
        """A line, and the stack of the call."""
        import traceback

        stack = "".join(traceback.format_stack(sys._getframe(1)))
        self._write(logging.DEBUG, (f"Trace: {_text(data)}\n{stack.rstrip()}",))

    def assert_(self, condition: object = False, *data: Any) -> None:
        """A line as an error, unless `condition` is true. Called `assert` in JavaScript, a word of Python's."""
        if not condition:
            self._write(logging.ERROR, ("Assertion failed" + (": " if data else "") + _text(data),))

    def dir(self, value: Any, options: object = None) -> None:
        self.log(value)

    def table(self, data: Any, columns: list[str] | None = None) -> None:
        """Rows and columns: of a list or dict, of lists or dicts. Anything else as `log` shows it."""
        from cfworkflows.web.table import table

        self.log(table(data, columns))

    def count(self, label: str = "default") -> None:
        """How often this was called with `label`."""
        self._counts[label] = self._counts.get(label, 0) + 1
        self.log(f"{label}: {self._counts[label]}")

    def count_reset(self, label: str = "default") -> None:
        self._counts.pop(label, None)

    def time(self, label: str = "default") -> None:
        """Start a timer in real time, for `time_log` and `time_end`."""
        from time import perf_counter

        self._timers[label] = perf_counter()

    def time_log(self, label: str = "default", *data: Any) -> None:
        """How long ago `time` was called."""
        from time import perf_counter

        if label not in self._timers:
            self.warn(f"Timer '{label}' does not exist")
            return
        passed = f"{label}: {(perf_counter() - self._timers[label]) * 1000:.3f}ms"
        self.log(" ".join(filter(None, (passed, _text(data)))))

    def time_end(self, label: str = "default") -> None:
        """As `time_log`, and remove the timer."""
        self.time_log(label)
        self._timers.pop(label, None)

    def group(self, *data: Any) -> None:
        """Indent the lines until `group_end`."""
        if data:
            self.log(*data)
        self._indent += 1

    def group_end(self) -> None:
        self._indent = max(self._indent - 1, 0)

    def clear(self) -> None:
        """Does nothing: the lines stay."""

    def _write(self, level: int, data: tuple[Any, ...]) -> None:
        text = _text(data)
        if self._indent:
            margin = "  " * self._indent
            text = margin + text.replace("\n", f"\n{margin}")
        if _log.hasHandlers():
            _log.log(level, "%s", text)
        else:
            print(text, file=sys.stderr if level >= logging.WARNING else sys.stdout)

    groupCollapsed = group_collapsed = group  # noqa: N815 - the platform's name
    groupEnd = group_end  # noqa: N815 - the platform's name
    countReset = count_reset  # noqa: N815 - the platform's name
    timeLog = time_log  # noqa: N815 - the platform's name
    timeEnd = time_end  # noqa: N815 - the platform's name


console = Console()


def _text(data: tuple[Any, ...]) -> str:
    if len(data) > 1 and isinstance(data[0], str) and "%" in data[0]:
        rest = list(data[1:])
        data = (_PLACE.sub(lambda place: _filled(place, rest), data[0]), *rest)
    return " ".join(value if isinstance(value, str) else repr(value) for value in data)


def _filled(place: re.Match[str], rest: list[Any]) -> str:
    kind = place[1]
    if kind == "%":
        return "%"
    if not rest:
        return place[0]
    value = rest.pop(0)
    if kind == "c":  # a style, for browsers
        return ""
    if kind in "dif":
        try:
            return str(float(value) if kind == "f" else int(value))
        except (TypeError, ValueError):
            return "NaN"
    return value if isinstance(value, str) else repr(value)
