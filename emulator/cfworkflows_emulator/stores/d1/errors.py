"""Errors of SQLite in the platform's words."""

import apsw

from cfworkflows_bindings.d1 import StatementError
from cfworkflows_emulator.storage.sandbox import MAX_SQL_BYTES, MAX_VALUE_BYTES, Sandbox

TIMED_OUT = "D1 DB storage operation exceeded timeout which caused object to be reset."
NO_STATEMENT = "No SQL statements detected."
NO_LAST_STATEMENT = "SQL code did not contain a statement."
ONLY_LAST = "When executing multiple SQL statements in a single call, only the last statement can have parameters."
WRONG_COUNT = "Wrong number of parameter bindings for SQL query."
RESERVED_NAME = "Names that begin with _cf_ are the platform's own."

# What is the fault of the file or of the disk is no error of the statement.
_FAULTS = (
    apsw.SQLITE_CORRUPT,
    apsw.SQLITE_NOTADB,
    apsw.SQLITE_FULL,
    apsw.SQLITE_IOERR,
    apsw.SQLITE_READONLY,
    apsw.SQLITE_CANTOPEN,
)


def statement_error(error: apsw.Error, sandbox: Sandbox, sql: str, index: int) -> Exception:
    """What an error of SQLite's is to the code; itself if the statement has no part in it."""
    refusal, sandbox.refusal = sandbox.refusal, None
    if isinstance(error, apsw.BindingsError):
        return StatementError(WRONG_COUNT, index, sql)
    code: int = getattr(error, "result", 0)
    if code in _FAULTS:
        return error
    if refusal is not None and code == apsw.SQLITE_AUTH:
        return StatementError(refusal, index, sql, hint="In D1, `batch()` executes statements in one transaction.")
    place: int = getattr(error, "error_offset", -1)
    offset = place if place >= 0 else None
    text = str(error) if offset is None or code == apsw.SQLITE_TOOBIG else f"{error} at offset {offset}"
    name, extended = apsw.mapping_result_codes[code], int(getattr(error, "extendedresult", code))
    text = f"{text}: {name}"
    if extended != code:
        text += f" (extended: {apsw.mapping_extended_result_codes.get(extended, extended)})"
    return StatementError(text, index, sql, _character(sql, offset), _hint(str(error), code))


def has_nul(sql: str, index: int) -> StatementError:
    """A statement with a character that ends it for SQLite, whatever follows."""
    offset = sql.index("\0")
    text = f'unrecognized token: "\\0" at offset {len(sql[:offset].encode())}: SQLITE_ERROR'
    return StatementError(text, index, sql, offset, "SQL has no NUL characters; write char(0), or bind the value.")


def too_long(sql: str, index: int) -> StatementError:
    """A statement that is longer than the platform takes."""
    hint = f"A statement may have {MAX_SQL_BYTES:,} bytes; bind long values instead of writing them into it."
    return StatementError("statement too long: SQLITE_TOOBIG", index, sql, hint=hint)


def _character(sql: str, offset: int | None) -> int | None:
    """The place of a byte of the text as UTF-8."""
    if offset is None or sql.isascii():
        return offset
    return len(sql.encode("utf-8", "replace")[:offset].decode("utf-8", "ignore"))


def _hint(text: str, code: int) -> str | None:
    if code == apsw.SQLITE_TOOBIG:
        return f"A value, and a row, may have {MAX_VALUE_BYTES:,} bytes on the platform."
    if code == apsw.SQLITE_AUTH:
        return "The platform does not allow that in SQL."
    if text.startswith("too many SQL variables"):
        return "A statement may have 100 parameters on the platform: split it, or pass a list as JSON to json_each(?)."
    if text == "incomplete input":
        return "exec() takes each line for a statement: write it on one line, or use prepare()."
    return None
