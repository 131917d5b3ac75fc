"""A D1 database, its statements and its results."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypedDict

from cfworkflows.values import ClosedJsDict

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    Row = TypeVar("Row", default=Any)
else:
    from typing import TypeVar

    Row = TypeVar("Row")

D1Value = str | float | bool | bytes | bytearray | memoryview | Sequence[int] | None
"""What can be bound. As on the platform, every number is bound as a REAL, and an int beyond 2**53 is refused."""


class D1Timings(ClosedJsDict):
    """How long SQLite took, in ms."""

    sql_duration_ms: float


class D1Meta(ClosedJsDict):
    """What is known of a statement that was executed. `duration` is in ms, `size_after` in bytes."""

    served_by: str
    served_by_primary: bool
    total_attempts: int
    timings: D1Timings
    duration: float
    changes: int
    last_row_id: int
    changed_db: bool
    size_after: int
    rows_read: int
    rows_written: int


class D1Result(ClosedJsDict, Generic[Row]):
    """The rows of a statement, as attributes and as items: `result.results` is `result["results"]`."""

    success: Literal[True]
    meta: D1Meta
    results: list[Row]


class D1ExecResult(ClosedJsDict):
    """How many lines `exec` has executed, and how long it took in ms."""

    count: int
    duration: float


class D1RawOptions(TypedDict, total=False):
    """The options of `raw`: whether the first row has the names of the columns."""

    columnNames: bool
    column_names: bool


class D1PreparedStatement(Protocol):
    """A statement of SQL, with the values that are bound to it."""

    def bind(self, *values: D1Value) -> "D1PreparedStatement":
        """A new statement with these values for its parameters."""
        ...

    async def first(self, column: str | None = None, /) -> Any:
        """The first row, or its value of a column; None if there is no row."""
        ...

    async def run(self) -> D1Result[Any]:
        """Execute it."""
        ...

    async def all(self) -> D1Result[Any]:
        """The same as `run`."""
        ...

    async def raw(
        self,
        options: D1RawOptions | None = None,
        /,
        *,
        columnNames: bool = ...,  # noqa: N803 - the platform's name
        column_names: bool = ...,
    ) -> list[list[Any]]:
        """The rows as lists."""
        ...


class D1DatabaseSession(Protocol):
    """What sees its own writes."""

    def prepare(self, query: str, /) -> D1PreparedStatement: ...

    async def batch(self, statements: Sequence[D1PreparedStatement], /) -> list[D1Result[Any]]: ...

    def get_bookmark(self) -> str | None:
        """Where the session stands; None before its first answer."""
        ...

    def getBookmark(self) -> str | None: ...  # noqa: N802 - the platform's name


class D1Database(Protocol):
    """`env.DB`: a SQLite database."""

    def prepare(self, query: str, /) -> D1PreparedStatement:
        """A statement. Nothing is checked before it is executed."""
        ...

    async def batch(self, statements: Sequence[D1PreparedStatement], /) -> list[D1Result[Any]]:
        """Execute statements in one transaction: all of them, or none."""
        ...

    async def exec(self, query: str, /) -> D1ExecResult:
        """Execute each line of a text as a statement, all in one transaction."""
        ...

    async def dump(self) -> bytes:
        """Deprecated by the platform, for which it always fails."""
        ...

    def with_session(self, constraint_or_bookmark: str | None = None, /) -> D1DatabaseSession:
        """A session that begins at a bookmark, or anywhere."""
        ...

    def withSession(  # noqa: N802 - the platform's name
        self, constraint_or_bookmark: str | None = None, /
    ) -> D1DatabaseSession: ...
