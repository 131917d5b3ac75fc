"""What is in the database of an engine, for who compares two of them."""

import sqlite3

_INSTANCES = (
    "SELECT workflow, id, status, (SELECT count(*) FROM journal WHERE instance = key AND type LIKE 'step_completed') "
    "FROM instances"
)


def described(connection: sqlite3.Connection) -> dict[str, str]:
    """The instances. See `KeptFolder`."""
    rows = connection.execute(_INSTANCES)
    return {f"{workflow}/{id}": f"{status}, {steps} steps" for workflow, id, status, steps in rows}
