"""What the interpreter knows of D1 databases."""

from typing import Any

BINDINGS = ("DB", "DB2")

OPTIONS = {"raw": 0}
"""Where each method takes its options."""


def _prepared(op: dict[str, Any], database: Any, scope: Any) -> Any:
    statement = database.prepare(op["query"])
    return statement.bind(*_values(op["bind"], scope)) if "bind" in op else statement


def _values(given: list[Any], scope: Any) -> list[Any]:
    """The numbers of JSON are those of JavaScript, which has no others."""
    return [float(value) if type(value) is int else value for value in scope.made(given)]


async def _d1(op: dict[str, Any], scope: Any) -> Any:
    statement = _prepared(op, scope.look(op.get("db", "DB")), scope)
    return await getattr(statement, op["d1"])(*scope.made(op.get("args", [])))


async def _batch(op: dict[str, Any], scope: Any) -> Any:
    database = scope.look(op.get("db", "DB"))
    return await database.batch([_prepared(each, database, scope) for each in op["batch"]])


OPS = {"d1": _d1, "batch": _batch}
