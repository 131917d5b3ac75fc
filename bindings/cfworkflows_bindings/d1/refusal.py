"""Errors of a database as the code gets them: the platform's text first, and beneath it what helps a person."""

import sys

from cfworkflows.caller import line_of, users_frame
from cfworkflows.errors import D1Error
from cfworkflows_bindings.d1.store import Query, StatementError

_WIDEST = 100  # characters shown of a line of SQL
_MOST = 20  # parameters whose types are shown


def refused(
    error: StatementError, queries: list[Query], prefix: str = "D1_ERROR", reason: str | None = None
) -> D1Error:
    """The error that the code gets for `error`: `prefix`, and the reason if it is not the error's own text."""
    reason = str(error) if reason is None else reason
    made = D1Error(f"{prefix}: {reason}")
    made.__cause__ = Exception(reason)
    for line in _notes(error, queries):
        made.add_note(line)
    return made


def _notes(error: StatementError, queries: list[Query]) -> list[str]:
    """Lines for people. They show no values: those may be secret."""
    notes = pointed(error.sql, error.offset) if error.sql else []
    query = queries[error.index] if error.index < len(queries) else None
    if query is not None and query.values:
        types = [_SQL_TYPES[type(value)] for value in query.values]
        notes.append(f"parameters: {', '.join(types[:_MOST] + ['…'] * (len(types) > _MOST))}")
    if len(queries) > 1:
        notes.append(f"statement {error.index + 1} of {len(queries)}; nothing of the others was kept")
    if error.hint:
        notes.append(error.hint)
    frame = users_frame(sys._getframe(1))
    if frame is not None:
        notes.append(f"called at {line_of(frame)}")
    return notes


def pointed(sql: str, offset: int | None) -> list[str]:
    """The line of a statement that is wrong, with a caret below the character at `offset`; else its first line."""
    if offset is None or offset > len(sql):
        first, _, rest = sql.strip().partition("\n")
        return [f"  {first[:_WIDEST]}{' …' if rest or len(first) > _WIDEST else ''}"]
    start = sql.rfind("\n", 0, offset) + 1
    end = sql.find("\n", offset)
    line = sql[start : end if end >= 0 else len(sql)].replace("\t", " ")
    column = offset - start
    cut = max(0, column - _WIDEST // 2) if len(line) > _WIDEST else 0
    shown, ahead = line[cut : cut + _WIDEST], "… " if cut else ""
    behind = " …" if cut + _WIDEST < len(line) else ""
    return [f"  {ahead}{shown}{behind}", f"  {' ' * (len(ahead) + column - cut)}^"]


_SQL_TYPES: dict[type, str] = {str: "TEXT", float: "REAL", bytes: "BLOB", type(None): "NULL"}
