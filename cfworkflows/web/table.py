"""Data as a table of text, as `console.table` shows it."""

from collections.abc import Iterable, Mapping
from typing import Any

INDEX, VALUES = "(index)", "Values"


def table(data: Any, columns: list[str] | None = None) -> Any:
    """The table; `data` itself if it is neither a list nor a dict. `columns` selects columns, and sets their order."""
    if isinstance(data, Mapping):
        rows = list(data.items())
    elif isinstance(data, (list, tuple)):
        rows = list(enumerate(data))
    else:
        return data
    cells = [(name, dict(_cells(value))) for name, value in rows]
    if columns is None:
        columns = list(dict.fromkeys(column for _, row in cells for column in row if column != VALUES))
        if any(VALUES in row for _, row in cells):
            columns.append(VALUES)
    lines = [[INDEX, *columns], *([str(name), *(row.get(column, "") for column in columns)] for name, row in cells)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))]
    head, *body = (
        "│ " + " │ ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " │" for line in lines
    )
    return "\n".join([_rule("┌┬┐", widths), head, _rule("├┼┤", widths), *body, _rule("└┴┘", widths)])


def _cells(value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, Mapping):
        return ((str(name), repr(cell)) for name, cell in value.items())
    if isinstance(value, (list, tuple)):
        return ((str(place), repr(cell)) for place, cell in enumerate(value))
    return [(VALUES, repr(value))]


def _rule(corners: str, widths: list[int]) -> str:
    return corners[0] + corners[1].join("─" * (width + 2) for width in widths) + corners[2]
