"""What is in the file of a database, for who compares two of them."""

import sqlite3

_TABLES = (
    "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\' "
    "AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
)


def described(connection: sqlite3.Connection) -> dict[str, str]:
    """The tables, with the numbers of their rows. See `KeptFolder`."""
    found = {}
    for name, sql in connection.execute(_TABLES).fetchall():
        quoted = name.replace('"', '""')
        try:
            [rows] = connection.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()  # noqa: S608 - quoted
        except sqlite3.OperationalError as error:  # a virtual table of a module that this library lacks
            found[name] = f"cannot be read: {error}"
            continue
        columns = connection.execute(f'SELECT count(*) FROM pragma_table_info("{quoted}")').fetchone()[0]  # noqa: S608
        found[name] = f"{rows:,} rows, {columns} columns" if sql else f"{rows:,} rows"
    return found
