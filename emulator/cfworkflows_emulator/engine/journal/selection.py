"""Which instances of a workflow a list is about."""

from collections.abc import Sequence
from typing import Any, NamedTuple


class Selection(NamedTuple):
    """Some instances of a workflow: those in one of `statuses`, created from `since` to `until`.

    Without statuses, instances in any status. The times are in ms, and part of the range. With `after`, the
    `(created_at, key)` of an instance, only those behind it in the order of the list. `search` is a part of their ids.
    """

    statuses: Sequence[str] = ()
    since: int | None = None
    until: int | None = None
    oldest_first: bool = False
    after: tuple[int, int] | None = None
    search: str = ""


EVERY = Selection()


def where(workflow: str, selection: Selection) -> tuple[str, tuple[Any, ...]]:
    """The WHERE of a query on the rows of instances, with its parameters."""
    conditions, parameters = ["workflow = ?"], [workflow, *selection.statuses]
    if selection.statuses:
        conditions.append(f"status IN ({', '.join('?' * len(selection.statuses))})")
    bounds: list[tuple[str, Any]] = [("created_at >= ?", selection.since), ("created_at <= ?", selection.until)]
    after = ("(created_at, key) > (?, ?)" if selection.oldest_first else "(created_at, key) < (?, ?)", selection.after)
    given: list[Any] = []
    for condition, value in (*bounds, after):
        if value is not None:
            conditions.append(condition)
            given += value if isinstance(value, tuple) else (value,)
    if selection.search:
        conditions.append("instr(id, ?) > 0")
        given.append(selection.search)
    return f"WHERE {' AND '.join(conditions)}", (*parameters, *given)
