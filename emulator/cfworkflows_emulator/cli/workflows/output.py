"""What the commands print: tables and lines for people, JSON for programs. Colours are for terminals."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from cfworkflows_emulator.cli.workflows.client import Client
from cfworkflows_emulator.shown import shown, shown_json, shown_line
from cfworkflows_emulator.terminals import columns, is_coloured

if TYPE_CHECKING:
    from rich.console import Console

SYMBOLS = {
    "complete": ("✓", "green"),
    "errored": ("✗", "red"),
    "timedOut": ("✗", "red"),
    "terminated": ("■", "red"),
    "running": ("▶", "blue"),
    "queued": ("…", "blue"),
    "waiting": ("◷", "yellow"),
    "sleeping": ("◷", "yellow"),
    "retrying": ("↻", "yellow"),
    "rollingBack": ("↺", "yellow"),
    "paused": ("‖", "magenta"),
    "waitingForPause": ("‖", "magenta"),
}
UNSERVED = "No `cfwf dev` runs here: the instance continues when the next one starts."
_WIDE = 10_000
_UNITS = (("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1000), ("ms", 1))


def console() -> "Console":
    """The standard output. If it is no terminal, it is as wide as the text; the user's text is never markup."""
    from rich.console import Console

    return Console(
        width=columns(sys.stdout) or _WIDE,
        color_system="standard" if is_coloured(sys.stdout) else None,
        force_terminal=is_coloured(sys.stdout),
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=True,
    )


def print_json(value: Any) -> None:
    print(shown_json(json.dumps(value, indent=4, ensure_ascii=not _can_print(value))))


def _can_print(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return False
    return True


def table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    from rich.table import Table

    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in names:
        drawn.add_column(name, overflow="fold")  # what does not fit goes on in the next line, and nothing is left out
    for row in rows:
        drawn.add_row(*(shown_line(cell) if isinstance(cell, str) else cell for cell in row))
    target = console()
    with target.capture() as text:
        target.print(drawn)
    print(*(line.rstrip() for line in text.get().splitlines()), sep="\n")


def done(client: Client, text: str, result: Any, *, as_json: bool, goes_on: bool = True) -> None:
    """Say that something has been done; on the standard error that the instance waits for a server, if it does."""
    if as_json:
        print_json(result)
    else:
        console().print(shown(text))
    if goes_on and not client.is_served:
        print(UNSERVED, file=sys.stderr)


def status_text(status: str) -> Any:
    from rich.text import Text

    symbol, colour = SYMBOLS[status]
    return Text(f"{symbol} {status}", colour)


def moment(text: str) -> datetime:
    """A time of the API, in the time zone of this machine."""
    return datetime.fromisoformat(text).astimezone()


def clock_time(text: str) -> str:
    return f"{moment(text):%Y-%m-%d %H:%M:%S}"


def in_words(milliseconds: float) -> str:
    """A duration in its two largest units, such as `1 h 30 min`."""
    rest = round(milliseconds)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(rest, size)
        if unit == "ms" and parts:
            break
        if count:
            parts.append(f"{count} {unit}")
            rest = left
        elif parts:
            break
        if len(parts) == 2:
            break
    return " ".join(parts) or "0 ms"


def between(start: str, end: str) -> float:
    """The ms from one time of the API to another."""
    return (moment(end) - moment(start)).total_seconds() * 1000


def relative(text: str, now: str) -> str:
    """`in 5 min`, `5 min ago`, `now`."""
    away = between(now, text)
    if abs(away) < 1:
        return "now"
    return f"in {in_words(away)}" if away > 0 else f"{in_words(-away)} ago"


def in_bytes(size: int) -> str:
    return (
        f"{size:,} bytes"
        if size < 10_000
        else f"{size / 1024:,.1f} KiB"
        if size < 2**20
        else f"{size / 2**20:,.1f} MiB"
    )
