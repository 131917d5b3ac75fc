"""Files of SQL as one transaction."""

from typing import TYPE_CHECKING

from cfworkflows.errors import CfworkflowsError
from cfworkflows_bindings.d1 import StatementError, pointed

if TYPE_CHECKING:
    from cfworkflows_emulator.stores.d1.transaction import Transactions


class ScriptError(CfworkflowsError):
    """A statement of a file was refused, and nothing of the file was kept. The text says where it is wrong."""


def execute(transactions: "Transactions", sql: str, name: str) -> int:
    """Execute all statements of a text, called `name`, in one transaction. Returns how many. Raises ScriptError."""
    transactions.begin()
    try:
        count = transactions.script(sql)
        transactions.commit()
    except StatementError as error:
        transactions.roll_back()
        raise ScriptError("\n".join([str(error), *described(error, name), "Nothing of it was kept."])) from error
    except BaseException:
        transactions.roll_back()
        raise
    return count


def described(error: StatementError, name: object) -> list[str]:
    """Where a statement of a file is wrong, in lines."""
    at = [f"  at {name}:{error.line + error.sql[: error.offset or 0].count(chr(10))}"]
    return [*at, *(pointed(error.sql, error.offset) if error.sql else []), *([f"  {error.hint}"] if error.hint else [])]
