"""What was measured, and how it stands to its goal."""

import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks.servers import Side


class NotMeasuredError(Exception):
    """What a measure needs is not there. The text says what, and how to get it."""


@dataclass(slots=True)
class Row:
    """One measure. `goal` is how many times better than the peer ours has to be, or, without a peer, the limit itself.

    `more_is_better` for rates; else it is a cost. `absolute` rows are compared with their goal and not with the peer.
    `not_measured` says why there are no values.
    """

    name: str
    unit: str
    goal: float | None = None
    more_is_better: bool = False
    absolute: bool = False
    not_measured: str = ""
    ours: list[float] = field(default_factory=list)
    peers: list[float] = field(default_factory=list)

    @property
    def ratio(self) -> float | None:
        """How many times better than the peer, by the medians; None if there is nothing to compare."""
        if not self.ours or not self.peers or self.absolute:
            return None
        ours, peers = statistics.median(self.ours), statistics.median(self.peers)
        better, worse = (ours, peers) if self.more_is_better else (peers, ours)
        return better / worse if worse else float("inf")

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None if there is none, or nothing to compare with."""
        if self.goal is None or not self.ours:
            return None
        if self.absolute:
            value = statistics.median(self.ours)
            return value >= self.goal if self.more_is_better else value <= self.goal
        return None if self.ratio is None else self.ratio >= self.goal


class Table:
    def __init__(self, *, peer: bool) -> None:
        self.rows: dict[str, Row] = {}
        self.peer = peer

    def add(self, row: Row) -> None:
        self.rows[row.name] = row

    def leave_out(self, row: Row, reason: str) -> None:
        self.rows[row.name].not_measured = reason

    def take(self, is_ours: bool, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            row = self.rows[name]
            (row.ours if is_ours else row.peers).append(value)

    def as_dicts(self) -> list[dict[str, Any]]:
        return [{**asdict(row), "ratio": row.ratio, "met": row.is_met} for row in self.rows.values()]

    def text(self) -> str:
        """The table in Markdown."""
        lines = [["measure", "cfwf dev", "wrangler dev", "ratio", "goal", ""]]
        for row in self.rows.values():
            met = {True: "reached", False: "missed", None: ""}[row.is_met]
            lines.append([row.name, _value(row, row.ours), _value(row, row.peers), _ratio(row), _goal(row), met])
        widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
        rule = ["-" * width for width in widths]
        table = [
            "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
            for line in (lines[0], rule, *lines[1:])
        ]
        reasons = dict.fromkeys(row.not_measured for row in self.rows.values() if row.not_measured)
        return "\n".join([*table, *(f"\nNot measured: {reason}" for reason in reasons)])


def _value(row: Row, values: Sequence[float]) -> str:
    if not values:
        return "not measured" if row.not_measured else "-"
    value = statistics.median(values)
    digits = 0 if value >= 100 or value == int(value) else 1 if value >= 10 else 2 if value >= 0.1 else 4
    return f"{value:,.{digits}f} {row.unit}".strip()


def _ratio(row: Row) -> str:
    if row.ratio is None:
        return "-"
    return f"{row.ratio:.1f}x" if row.more_is_better else f"1/{row.ratio:.1f}"


def _goal(row: Row) -> str:
    if row.goal is None:
        return "-"
    if row.absolute:
        return f"{'>=' if row.more_is_better else '<='} {row.goal:,g} {row.unit}".strip()
    return f">= {row.goal:g}x" if row.more_is_better else f"<= 1/{row.goal:g}"


def machine(sides: Sequence[Side]) -> str:
    """What it was measured on and with, in a line."""
    versions = ", ".join(f"{side.name}: {side.version()}" for side in sides)
    loads = "/".join(f"{load:.1f}" for load in os.getloadavg())
    return f"{os.cpu_count()} CPUs, {platform.system()} {platform.machine()}, load {loads}; {versions}"
