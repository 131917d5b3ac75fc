"""The data of a D1 database: a SQLite file, and who may use it when."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cfworkflows_bindings.d1 import Answer, Formed, Query, StatementError
from cfworkflows_emulator.clock import Clock, monotonic
from cfworkflows_emulator.storage import Durability
from cfworkflows_emulator.storage.latefile import LateFile
from cfworkflows_emulator.storage.names import file_name

if TYPE_CHECKING:
    import apsw

    from cfworkflows_emulator.stores.d1.transaction import Transactions

T = TypeVar("T")

FOLDER = "d1"
"""The folder, in the state folder, with a file for each database."""

TIME_LIMIT_S = 30.0
"""How long a call may take, as on the platform."""

# SQLite asks after so many instructions whether to go on; in place, a call may take so many of these turns. That is
# some milliseconds, for which the event loop can wait.
_TURN_STEPS = 1000
_TURNS_IN_PLACE = 50


def file_of(state: Path, database: str) -> Path:
    """The file of a database in a state folder."""
    return state / FOLDER / f"{file_name(database)}.sqlite"


class _TooLongError(Exception):
    """A call takes longer than the event loop can wait."""


class D1Store:
    """A database in a file, or in memory where `path` is None. The file is opened when it is first used.

    A call is tried in place, which is fastest for what most of them do. One that takes longer than some milliseconds is
    interrupted, so that its transaction is undone, and done again in a thread; who comes meanwhile waits. There it ends
    after `time_limit_s` seconds of the machine's own time; the virtual clock of a test waits for it.
    """

    def __init__(
        self,
        path: Path | None,
        database: str,
        clock: Clock,
        durability: Durability = "normal",
        *,
        time_limit_s: float = TIME_LIMIT_S,
    ) -> None:
        self.path = path
        self.database = database
        self._clock = clock
        self._time_limit_s = time_limit_s
        self._image: bytes | None = None
        self._file = LateFile(path, SCHEMA, durability, f"The D1 database {database}")
        self._transactions: Transactions | None = None
        self._turn = asyncio.Lock()  # whose turn it is: in the order in which they came
        self._turns: int | None = None  # how many are left, where the event loop waits
        self._end = 0.0
        self._timed_out = False
        self._closing = False
        self._generation = 0
        self._answered = 0
        self._lacking: Callable[[D1Store], Awaitable[str | None]] | None = None

    @asynccontextmanager
    async def open(self) -> AsyncIterator["D1Store"]:
        """Itself, closed at the end of the block."""
        try:
            yield self
        finally:
            await self.close()

    async def close(self) -> None:
        """Close the file. What is being executed is interrupted, and undone."""
        self._closing = True
        async with self._turn:
            self._transactions = None
            self._file.close()

    @property
    def file(self) -> LateFile:
        return self._file

    @asynccontextmanager
    async def frozen(self) -> AsyncIterator[None]:
        """See `Kept`."""
        async with self._turn:
            yield

    @property
    def is_used(self) -> bool:
        """Whether it has content already, or was opened."""
        return self._transactions is not None or self._image is not None

    def load(self, image: bytes) -> None:
        """Begin with the content of another database, in memory, as `image` gives it. Nothing was executed yet."""
        if self._transactions is not None or self.path is not None:
            raise RuntimeError("Only a database in memory that nobody has used begins with an image.")
        self._image = image

    def explain(self, lacking: "Callable[[D1Store], Awaitable[str | None]]") -> None:
        """From now on, an error of a table or a column that is not there has what `lacking` says as its hint."""
        self._lacking = lacking

    async def run(self, queries: Sequence[Query], formed: Formed, /) -> list[Answer]:
        try:
            answers = await self.use(lambda transactions: transactions.run(queries, formed))
        except StatementError as error:
            if self._lacking is not None and error.is_of_schema:
                error.hint = await self._lacking(self) or error.hint
            raise
        self._answered += 1
        return answers

    async def use(self, function: "Callable[[Transactions], T]", *, in_place: bool = True, limited: bool = True) -> T:
        """What `function` gives. It is called in place and, if that takes long, once more in a thread: all that it
        does has to be in transactions, which are undone when a statement is interrupted.

        Raises StatementError if it is not over within the time limit.
        """
        await self._turn.acquire()
        using: asyncio.Future[T] | None = None
        try:
            file = self._file.open()
            transactions = self._opened(file.sqlite)
            if in_place and not file.waits_for_disk:
                self._turns = _TURNS_IN_PLACE
                try:
                    return file.run(lambda _: self._interruptible(function, transactions))
                except _TooLongError:
                    pass
                finally:
                    self._turns = None
            self._end = monotonic() + self._time_limit_s if limited else float("inf")
            using = asyncio.get_running_loop().run_in_executor(
                None, lambda: file.run(lambda _: self._interruptible(function, transactions))
            )
            self._clock.hold()
            using.add_done_callback(self._used)
        finally:
            if using is None:
                self._turn.release()
        # Who is cancelled meanwhile does not wait; the others do, and the file stays open.
        return await asyncio.shield(using)

    async def bookmark(self) -> str:
        if not self._generation:
            # Counted from the last opening on, so that it grows whatever became of the process.
            [[self._generation]] = await self.use(lambda transactions: transactions.own(_NEXT_GENERATION))
        return f"{self._generation:08x}-{self._answered:08x}-{0:08x}-{0:032x}"

    def _opened(self, sqlite: "apsw.Connection") -> "Transactions":
        if self._transactions is None:
            from cfworkflows_emulator.stores.d1.transaction import Transactions

            if self._image is not None:
                sqlite.deserialize("main", self._image)
                self._image = None
            self._transactions = Transactions(sqlite)
            sqlite.set_progress_handler(self._must_end, _TURN_STEPS)
        return self._transactions

    def _interruptible(self, function: "Callable[[Transactions], T]", transactions: "Transactions") -> T:
        from cfworkflows_emulator.stores.d1 import errors

        self._timed_out = False
        try:
            return function(transactions)
        except Exception as error:
            if not self._timed_out:
                raise
            if self._turns is not None:
                raise _TooLongError from error
            hint = f"It took longer than {self._time_limit_s:g} s, which is the platform's limit."
            sql, index = (error.sql, error.index) if isinstance(error, StatementError) else ("", 0)
            raise StatementError(errors.TIMED_OUT, index, sql, hint=hint) from error

    def _must_end(self) -> bool:
        """SQLite asks, after each turn. It is asked in an undo as well, which has to be finished."""
        if self._turns is not None:
            self._turns -= 1
            self._timed_out = self._timed_out or self._turns < 0
        else:
            self._timed_out = self._timed_out or self._closing or monotonic() > self._end
        return self._timed_out

    def _used(self, using: "asyncio.Future[Any]") -> None:
        self._turn.release()
        self._clock.release()
        if not using.cancelled():
            using.exception()


def _metadata(sqlite: "apsw.Connection") -> None:
    sqlite.execute("CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value)")


SCHEMA = (_metadata,)
"""What a file has before anything of the user's."""

_NEXT_GENERATION = (
    "INSERT INTO _cf_METADATA (key, value) VALUES (2, 1) ON CONFLICT (key) DO UPDATE SET value = value + 1 "
    "RETURNING value"
)
