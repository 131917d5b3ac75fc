"""SQL of any length as one transaction: SQLite itself takes it apart, block by block, so that memory stays flat."""

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, NamedTuple

import apsw

from cfworkflows_bindings.d1 import StatementError
from cfworkflows_emulator.storage.sandbox import MAX_SQL_BYTES
from cfworkflows_emulator.stores.d1 import errors
from cfworkflows_emulator.stores.d1.scripts import ScriptError, described
from cfworkflows_emulator.stores.d1.statements import Statement, split
from cfworkflows_emulator.stores.d1.transaction import Transactions

LONGEST_STATEMENT = 10_000_000
"""Bytes of a statement that is imported: a row of the longest values that there may be."""

_PART = 32 * 1024  # a block that is much longer has a statement that is
_CANDIDATES = 50
_KEYS_OFF = re.compile(r"^\s*PRAGMA\s+foreign_keys\s*=\s*(OFF|0|false|no)\b", re.IGNORECASE | re.MULTILINE)


class Imported(NamedTuple):
    """How many statements were executed, and what of the text the platform would refuse."""

    statements: int
    notes: list[str]


def load(transactions: Transactions, chunks: Iterable[str], name: str) -> Imported:
    """Execute all statements of a text that comes in chunks, called `name`, in one transaction.

    What SQLite's own `.dump` writes is understood: its BEGIN and COMMIT do nothing, and with its foreign keys turned
    off they are checked at the end. Raises ScriptError, and nothing happened.
    """
    sqlite, sandbox = transactions.sqlite, transactions.sandbox
    blocks = _blocks(chunks)
    first = next(blocks, ("", 1))
    is_unchecked = _KEYS_OFF.search(first[0]) is not None
    if is_unchecked:  # within a transaction this has no effect
        transactions.own("PRAGMA foreign_keys = OFF /* cfworkflows */")
    transactions.begin()
    try:
        with _tolerant(transactions):
            loading = _Loading(sqlite)
            for block, line in chain([first], blocks):
                loading.execute(transactions, block, line, name)
            if not loading.count:
                raise ScriptError(f"{errors.NO_STATEMENT}\n  in {name}")
            if is_unchecked:
                _check_keys(transactions, name)
            try:
                transactions.commit()
            except StatementError as error:
                raise _refused(error, name) from error
            return Imported(loading.count, [*loading.notes, *_notes(sandbox.tolerated)])
    except BaseException:
        transactions.roll_back()
        raise
    finally:
        if is_unchecked:
            transactions.own("PRAGMA foreign_keys = ON /* cfworkflows */")


def _check_keys(transactions: Transactions, name: str) -> None:
    for table, _, parent, _ in transactions.own("PRAGMA foreign_key_check /* cfworkflows */"):
        text = f"FOREIGN KEY constraint failed: a row of {table} has no row in {parent}"
        raise ScriptError(f"{text}\n  in {name}\nNothing of it was kept.")


class _Loading:
    """Executes blocks of whole statements."""

    def __init__(self, sqlite: apsw.Connection) -> None:
        self.count = 0
        self.notes: list[str] = []
        self._in_block = 0
        self._cursor = sqlite.cursor()
        self._cursor.exec_trace = self._seen

    def execute(self, transactions: Transactions, block: str, line: int, name: str) -> None:
        self._in_block = 0
        if len(block) > MAX_SQL_BYTES:
            self._note_long(block, line, name)
        try:
            for _ in self._cursor.execute(block, can_cache=False):
                pass
        except apsw.Error as error:
            statement = self._failed(transactions, block, str(error))
            refused = errors.statement_error(error, transactions.sandbox, statement.text, self.count)
            if isinstance(refused, StatementError):
                refused.line = line + statement.line - 1
                if statement.text.count("?") and isinstance(error, apsw.BindingsError):
                    refused.hint = "A file has no values for parameters."
            raise _refused(refused, name) from error
        self.count += self._in_block

    def _seen(self, cursor: apsw.Cursor, sql: str, values: Any) -> bool:
        self._in_block += cursor.has_vdbe
        return True

    def _failed(self, transactions: Transactions, block: str, text: str) -> Statement:
        """The statement that failed: the last that was begun, or the next one, if it could not be compiled."""
        statements = [each for each in split(block) if not each.is_empty]
        following = statements[self._in_block : self._in_block + 1]
        begun = statements[max(self._in_block - 1, 0) :][:1]
        for each in following:
            try:
                transactions.sqlite.execute(f"EXPLAIN {each.text}", can_cache=False).fetchall()
            except apsw.Error as error:
                if str(error) == text or isinstance(error, apsw.BindingsError):
                    return each
        return next(iter(begun), Statement(block[:MAX_SQL_BYTES], 1))

    def _note_long(self, block: str, line: int, name: str) -> None:
        for each in split(block):
            if len(each.text) > MAX_SQL_BYTES and not self.notes:
                self.notes.append(
                    f"The platform takes statements of up to {MAX_SQL_BYTES:,} bytes; that of {name}:"
                    f"{line + each.line - 1} has {len(each.text):,} characters."
                )


@contextmanager
def _tolerant(transactions: Transactions) -> Iterator[None]:
    """Let a text through that this machine can take, and the platform cannot."""
    sandbox, sqlite = transactions.sandbox, transactions.sqlite
    before = sqlite.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, LONGEST_STATEMENT)
    sandbox.tolerates, sandbox.tolerated = True, {}
    try:
        yield
    finally:
        sandbox.tolerates = False
        sqlite.limit(apsw.SQLITE_LIMIT_SQL_LENGTH, before)


def _blocks(chunks: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Blocks of whole statements, with the number of their first line. The last one may lack its semicolon."""
    buffer, line = "", 1
    for part in (chunk[at : at + _PART] for chunk in chunks for at in range(0, len(chunk), _PART)):
        buffer += part
        end = _boundary(buffer)
        if end:
            block, buffer = buffer[:end], buffer[end:]
            yield block, line
            line += block.count("\n")
        elif len(buffer) > LONGEST_STATEMENT:
            break  # SQLite says that it is too long
    if buffer.strip():
        yield buffer, line


def _boundary(text: str) -> int:
    """Where the last whole statement ends that can be found quickly; 0 if none is found."""
    at = len(text)
    for _ in range(_CANDIDATES):
        at = text.rfind(";", 0, at)
        if at < 0:
            return 0
        if apsw.complete(text[: at + 1]):
            return at + 1
    return 0


def _refused(error: Exception, name: str) -> Exception:
    if not isinstance(error, StatementError):
        return error
    where = described(error, name) if error.sql else [f"  in {name}"]
    return ScriptError("\n".join([str(error), *where, "Nothing of it was kept."]))


def _notes(tolerated: dict[str, int]) -> list[str]:
    if not tolerated:
        return []
    passed_over = ", ".join(f"{what} ({count} times)" if count > 1 else what for what, count in tolerated.items())
    return [f"Passed over, for the platform refuses it: {passed_over}."]
