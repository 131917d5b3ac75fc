"""The commits of a database: all that is handed over in one turn of the event loop is one transaction."""

import asyncio
import logging
from collections.abc import Callable, Hashable, Set
from functools import partial
from typing import Generic

from cfworkflows_emulator.storage.batch import Batch, Insert, Key, Row, Write
from cfworkflows_emulator.storage.connection import DiskError, RemovedError, StateError
from cfworkflows_emulator.storage.database import Database
from cfworkflows_emulator.turns import LINGER_TURNS

log = logging.getLogger("cfworkflows.storage")

Then = Callable[[BaseException | None], None]
"""Called once what it waited for is durable, with None; or with the error that says why it may not be."""
Waiters = list[Then]

# Each write weighs 1, and 1 more for each page of 4 KiB. A batch that weighs more than this is written by the thread,
# while the loop continues.
HEAVIEST_IN_PLACE = 2_000

# The log of the database is folded into its file by the thread, since the sync to disk would stop the loop; writes
# still have to wait for it. So it is done when there is nothing to write, or when the log gets too long.
CHECKPOINT_AFTER = 16_000
CHECKPOINT_WHEN_IDLE_AFTER = 1_000
IDLE_S = 0.1


def _called(call: Callable[[], object], error: BaseException | None) -> None:
    if error is None:
        call()


class Commits(Generic[Key]):
    """Writes in groups. What is handed over is a function of the connection, or rows of which there are many.

    Functions keep their place in the order. Rows are gathered between them, so that the rows of a table are one
    statement, and a row that is updated again and again is written once, with its last values.

    `written` is called after each commit with the keys of what it was about. After a failed commit nothing more is
    written, every waiter gets a StateError, and `failed` is called.
    """

    def __init__(self, database: Database, written: Callable[[Set[Key]], None], failed: Callable[[], None]) -> None:
        self.failure: StateError | None = None
        self.abandoned = False
        self._is_over = False
        self._is_closed = False
        self._database = database
        self._written = written
        self._on_failure = failed
        self._has_failed = asyncio.Event()
        self._pending: Batch[Key] = Batch()
        self._waiters: Waiters = []
        self._served: Waiters = []
        self._scheduled: asyncio.Handle | None = None
        self._serving = False
        self._writing: asyncio.Task[None] | None = None
        self._since_checkpoint = 0
        self._count = 0
        self._idle: asyncio.TimerHandle | None = None

    def write(self, write: Write, *, about: Key | None = None, size: int = 0) -> None:
        """Hand over a function, which writes `size` bytes. Returns at once; see `flushed`."""
        if self._is_over:
            return
        batch = self._pending
        batch.then(write)
        if about is not None:
            batch.about.add(about)
        batch.weight += 1 + size // 4096
        if self._scheduled is None:
            self._schedule(LINGER_TURNS)

    def write_row(self, insert: Insert, row: Row, about: Key, size: int = 0) -> None:
        """Hand over a row to be added, which has `size` bytes. Returns at once."""
        if self._is_over:
            return
        batch = self._pending
        batch.added[insert].append(row)
        batch.about.add(about)
        batch.weight += 1 + size // 4096
        if self._scheduled is None:
            self._schedule(LINGER_TURNS)

    def write_latest(self, statement: str, key: Hashable, row: Row) -> None:
        """Hand over the parameters of a statement that updates `key`. Returns at once.

        Of those with the same statement and key that are handed over for one transaction, the last are used.
        """
        if self._is_over:
            return
        batch = self._pending
        batch.latest[statement][key] = row
        batch.weight += 1
        if self._scheduled is None:
            self._schedule(LINGER_TURNS)

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

    def when_durable(self, then: Then) -> None:
        """Call `then` when everything handed over so far is durable: at once if it is, else as soon as it is."""
        if self.abandoned:
            return
        if self.failure is not None:
            then(self._failure_again())
        elif not self._pending.weight and self._writing is None:
            then(None)
        else:
            self._waiters.append(then)
            self._schedule(0)

    def once_written(self, call: Callable[[], object]) -> None:
        """Call `call` when everything handed over so far is durable, and never if it cannot be. It hurries nothing."""
        if self._pending.weight:
            self._pending.then_call.append(call)
        else:
            self.when_durable(partial(_called, call))

    def check(self) -> None:
        """Raises StateError if nothing is written any more."""
        if self.failure is not None:
            raise self._failure_again()

    async def failed(self) -> StateError:
        """Wait until nothing is written any more: why."""
        await self._has_failed.wait()
        assert self.failure is not None
        return self.failure

    def write_behind(self) -> None:
        """Write what is pending after all that the loop has to do now: what was just woken may have more to write."""
        if self._scheduled is not None and not self._waiters:
            self._scheduled.cancel()
            self._scheduled = None
            self._schedule(LINGER_TURNS)

    def abandon(self) -> None:
        """Forget what is pending, and write nothing more; no waiter is called."""
        self._pending, self._waiters = Batch(), []
        self.abandoned = self._is_over = True
        self.close()

    def close(self) -> None:
        """Schedule nothing more. What is pending is still written if something waits for it."""
        self._is_closed = True
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _schedule(self, turns: int) -> None:
        """Write at the end of a turn of the loop, with what the rest of it hands over: after `turns` at the latest."""
        if self._scheduled is None and self._writing is None and not self._serving:
            self._scheduled = asyncio.get_running_loop().call_soon(self._turn, turns)

    def _turn(self, turns: int) -> None:
        if turns and self._pending.weight and not self._waiters:
            self._scheduled = asyncio.get_running_loop().call_soon(self._turn, turns - 1)
            return
        self._scheduled = None
        if (self._pending.weight or self._waiters) and self._writing is None:  # else: when that is done
            self._flush()

    def _flush(self) -> None:
        if self._pending.weight > HEAVIEST_IN_PLACE or not self._database.commits_in_place:
            self._start_writing()
            return
        batch = self._take()
        try:
            if batch.weight:
                self._database.transact(batch, is_atomic=batch.is_one_statement)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of the batch is durable
            self._fail(error)
            return
        self._serve(batch)
        if self._since_checkpoint >= CHECKPOINT_AFTER:
            self._start_writing()
        elif self._since_checkpoint >= CHECKPOINT_WHEN_IDLE_AFTER and self._idle is None:
            self._await_idleness()

    def _await_idleness(self) -> None:
        if self._is_closed:
            return
        self._idle = asyncio.get_running_loop().call_later(IDLE_S, self._look_whether_idle, self._count)

    def _look_whether_idle(self, count: int) -> None:
        self._idle = None
        if self._count != count:
            self._await_idleness()
        elif self._writing is None and self.failure is None:
            self._start_writing(fold=True)

    def _start_writing(self, *, fold: bool = False) -> None:
        self._writing = asyncio.get_running_loop().create_task(self._write_in_thread(fold))
        self._writing.add_done_callback(self._stopped_writing)

    async def _write_in_thread(self, fold: bool) -> None:
        batch = self._take()
        try:
            if batch.weight:
                await self._database.transaction(batch)
        except Exception as error:  # noqa: BLE001 - whatever it was, nothing of the batch is durable
            self._fail(error)
            return
        self._serve(batch)
        if fold or self._since_checkpoint >= CHECKPOINT_AFTER:
            self._since_checkpoint = 0
            try:
                await self._database.checkpoint(shorten=fold)
            except Exception as error:  # noqa: BLE001 - what cannot be folded now is not going to be later
                self._fail(error)
            if not fold and self._idle is None:
                self._await_idleness()  # the file of a long log stays as long as it was

    def _take(self) -> Batch[Key]:
        batch, self._pending = self._pending, Batch()
        self._count += bool(batch.weight)
        self._since_checkpoint += batch.weight
        self._served, self._waiters = self._waiters, []
        return batch

    def _serve(self, batch: Batch[Key]) -> None:
        if batch.about:
            self._written(batch.about)
        for call in batch.then_call:
            call()
        served, self._served = self._served, []
        self._serving = True
        try:
            for waiter in served:
                waiter(None)
        finally:
            self._serving = False
        # Behind the waiters that it has woken: what they hand over now is the next transaction.
        if self._pending.weight or self._waiters:
            self._schedule(LINGER_TURNS)

    def _stopped_writing(self, task: asyncio.Task[None]) -> None:
        self._writing = None
        if task.cancelled():  # the process ends: whether it was written is not known
            served, self._served = self._served, []
            for waiter in served:
                waiter(asyncio.CancelledError())
        if self._pending.weight or self._waiters:
            self._schedule(LINGER_TURNS)

    def _fail(self, error: Exception) -> None:
        text = f"The state cannot be written: {str(error).rstrip('.')}. What was stored before is safe, "
        if isinstance(error, RemovedError):
            text = f"The state cannot be written: {error}. What was stored in it is where it was moved to, or gone; "
            self.failure = DiskError(f"{text}another worker starts with what is there now.")
        elif isinstance(error, DiskError):
            self.failure = DiskError(f"{text}nothing is stored until it can be written again.")
        else:
            self.failure = StateError(f"{text}nothing is stored from here on: see to the file, then start again.")
        self._is_over = True
        self._has_failed.set()
        self.failure.__cause__ = error
        log.critical("%s", self.failure, exc_info=None if isinstance(error, StateError) else error)
        waiters = self._served + self._waiters
        self._pending, self._served, self._waiters = Batch(), [], []
        for waiter in waiters:
            waiter(self._failure_again())
        self._on_failure()

    def _failure_again(self) -> StateError:
        """The failure, once more: each one that is raised collects the frames that it passes."""
        assert self.failure is not None
        return type(self.failure)(str(self.failure))
