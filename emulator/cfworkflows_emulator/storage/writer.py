"""The one writer of a database: whatever is handed over in one turn of the event loop is one transaction."""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

from cfworkflows_emulator.storage.database import Database, DiskError, StateError

log = logging.getLogger("cfworkflows.storage")

Operation = Callable[[sqlite3.Connection], object]
Row = tuple[Any, ...]
Rows = dict[int, Row]
Batch = list[Operation | Row | Rows]
Told = Callable[[BaseException | None], None]
"""Called once what it waited for is durable, with None; or with the error that says why it may not be."""
Waiters = list[Told]

# Turns of the event loop that something may stay in memory when nobody waits for it to be durable: what an instance
# does next mostly follows within them, and is then part of the same transaction.
LINGER_TURNS = 10

# What is written weighs 1, and 1 more for each page of 4 KiB. A batch that weighs more than this is written by the
# thread, while the loop goes on.
HEAVIEST_IN_PLACE = 2_000

# The log of the database is folded into its file by the thread, since the sync to disk would stop the loop; whoever
# wants to write waits for it all the same. So it is done when nobody does, or when the log gets too long.
CHECKPOINT_AFTER = 16_000
CHECKPOINT_WHEN_IDLE_AFTER = 1_000
IDLE_S = 0.1


class Writer:
    """Writes in groups. Rows are added with the statement `insert`; those that have a key are brought up to date with
    `update`, by the last of them in a group. Anything else is a function of the connection.

    After a failed commit nothing more is written, and every waiter gets a StateError. `written` is told each batch
    that is durable.
    """

    def __init__(self, database: Database, insert: str, update: str, written: Callable[[Batch], None]) -> None:
        self.failure: StateError | None = None
        self.failed = asyncio.Event()
        self._database = database
        self._apply = partial(_apply, insert, update)
        self._written = written
        self._pending: Batch = []
        self._updates: Rows | None = None
        self._weight = 0
        self._waiters: Waiters = []
        self._served: Waiters = []
        self._scheduled: asyncio.Handle | None = None
        self._serving = False
        self.abandoned = False
        self._writing: asyncio.Task[None] | None = None
        self._since_checkpoint = 0
        self._commits = 0
        self._idle: asyncio.TimerHandle | None = None

    def write(self, operation: Operation | Row | Rows, size: int = 0) -> None:
        """Hand over a row or an operation, which writes `size` bytes. Returns at once; see `flushed`."""
        if self.failure is not None or self.abandoned:
            return
        self._pending.append(operation)
        if callable(operation):
            self._updates = None  # it comes after those, and before what comes now
        self._weight += 1 + size // 4096
        if self._scheduled is None:
            self._schedule(LINGER_TURNS)

    def update(self, key: int, row: Row) -> None:
        """Hand over the row of `key` as it is from now on. Returns at once."""
        if self._updates is None:
            self._updates = {}
            self.write(self._updates)
        else:
            self._weight += 1
        self._updates[key] = row

    def flushed(self) -> asyncio.Future[None]:
        """Done when everything handed over so far is durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def settle(error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(None)
            elif isinstance(error, asyncio.CancelledError):
                future.cancel()
            else:
                future.set_exception(error)
                future.exception()  # not every waiter is awaited

        self.when_durable(settle)
        return future

    def when_durable(self, then: Told) -> None:
        """Call `then` when everything handed over so far is durable: at once if it is, else as soon as it is."""
        if self.abandoned:
            return
        if self.failure is not None:
            then(self._failed())
        elif not self._pending and self._writing is None:
            then(None)
        else:
            self._waiters.append(then)
            self._schedule(0)

    def write_behind(self) -> None:
        """Write what is pending after all that the loop has to do now: who was just woken may have more to write."""
        if self._scheduled is not None and not self._waiters:
            self._scheduled.cancel()
            self._scheduled = None
            self._schedule(LINGER_TURNS)

    def abandon(self) -> None:
        """Forget what is pending, and write nothing more; nobody is told."""
        self._pending, self._waiters, self._updates = [], [], None
        self.abandoned = True
        self.close()

    def close(self) -> None:
        """Do nothing more by itself. What is pending is written all the same if somebody waits for it."""
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _schedule(self, turns: int) -> None:
        """Write at the end of a turn of the loop, with what the rest of it hands over: after `turns` at the latest."""
        if self._scheduled is None and self._writing is None and not self._serving:
            self._scheduled = asyncio.get_running_loop().call_soon(self._turn, turns)

    def _turn(self, turns: int) -> None:
        if turns and self._pending and not self._waiters:
            self._scheduled = asyncio.get_running_loop().call_soon(self._turn, turns - 1)
            return
        self._scheduled = None
        if (self._pending or self._waiters) and self._writing is None:  # else it goes on when that is done
            self._flush()

    def _flush(self) -> None:
        if self._weight > HEAVIEST_IN_PLACE or not self._database.commits_in_place:
            self._start_writing()
            return
        batch = self._take()
        try:
            self._database.transact(partial(self._apply, batch))
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of the batch is durable
            self._fail(error)
            return
        self._serve(batch)
        if self._since_checkpoint >= CHECKPOINT_AFTER:
            self._start_writing()
        elif self._since_checkpoint >= CHECKPOINT_WHEN_IDLE_AFTER and self._idle is None:
            self._await_idleness()

    def _await_idleness(self) -> None:
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._look_whether_idle, self._commits)

    def _look_whether_idle(self, commits: int) -> None:
        self._idle = None
        if self._commits != commits:
            self._await_idleness()
        elif self._writing is None and self.failure is None:
            self._start_writing(fold=True)

    def _start_writing(self, *, fold: bool = False) -> None:
        self._writing = asyncio.get_running_loop().create_task(self._write_in_thread(fold))
        self._writing.add_done_callback(self._stopped_writing)

    async def _write_in_thread(self, fold: bool) -> None:
        batch = self._take()
        try:
            if batch:
                await self._database.transaction(partial(self._apply, batch))
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of the batch is durable
            self._fail(error)
            return
        self._serve(batch)
        if fold or self._since_checkpoint >= CHECKPOINT_AFTER:
            self._since_checkpoint = 0
            try:
                await self._database.checkpoint()
            except Exception as error:  # noqa: BLE001 - what cannot be folded now is not going to be later
                self._fail(error)

    def _take(self) -> Batch:
        batch, self._pending = self._pending, []
        self._updates = None
        self._commits += bool(batch)
        self._since_checkpoint += self._weight
        self._weight = 0
        self._served, self._waiters = self._waiters, []
        return batch

    def _serve(self, batch: Batch) -> None:
        self._written(batch)
        served, self._served = self._served, []
        self._serving = True
        try:
            for waiter in served:
                waiter(None)
        finally:
            self._serving = False
        # Behind those whom it has woken: what they hand over now is the next transaction.
        if self._pending or self._waiters:
            self._schedule(LINGER_TURNS)

    def _stopped_writing(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        if task.cancelled():  # the process ends: whether it was written, nobody can tell
            served, self._served = self._served, []
            for waiter in served:
                waiter(asyncio.CancelledError())
        if self._pending or self._waiters:
            self._schedule(LINGER_TURNS)

    def _fail(self, error: Exception) -> None:
        text = f"The state cannot be written: {str(error).rstrip('.')}. What was stored before is safe, "
        if isinstance(error, DiskError):
            self.failure = DiskError(f"{text}nothing is stored until it can be written again.")
        else:
            self.failure = StateError(f"{text}nothing is stored from here on: see to the file, then start again.")
        self.failed.set()
        self.failure.__cause__ = error
        log.critical("%s", self.failure, exc_info=None if isinstance(error, StateError) else error)
        waiters = self._served + self._waiters
        self._pending, self._served, self._waiters, self._updates = [], [], [], None
        for waiter in waiters:
            waiter(self._failed())
        self._written([])

    def _failed(self) -> StateError:
        """The failure, once more: each one that is raised collects the frames that it passes."""
        assert self.failure is not None
        return type(self.failure)(str(self.failure))


def _apply(insert: str, update: str, batch: Batch, connection: sqlite3.Connection) -> None:
    added: list[Row] = []
    updated: Rows = {}

    def write_rows() -> None:
        if added:
            connection.executemany(insert, added)
            added.clear()
        if updated:
            connection.executemany(update, updated.values())
            updated.clear()

    for operation in batch:
        if isinstance(operation, tuple):
            added.append(operation)
        elif isinstance(operation, dict):
            updated.update(operation)
        else:
            write_rows()
            operation(connection)
    write_rows()
