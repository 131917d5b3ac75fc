"""`run()` once more, as far as the journal goes, aside from its instance: nothing of it gets into the journal."""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Mapping, Set
from functools import partial
from typing import Any, TypeVar

from cfworkflows.errors import text_of
from cfworkflows.event import WorkflowStepEvent
from cfworkflows.step import StepCall
from cfworkflows_emulator.actors import Operation
from cfworkflows_emulator.engine.journal.entries import StepKey, StepKind
from cfworkflows_emulator.engine.journal.state import Verb
from cfworkflows_emulator.engine.run import step_do, step_sleep, step_wait
from cfworkflows_emulator.engine.run.caller import run_as
from cfworkflows_emulator.engine.run.code import Code
from cfworkflows_emulator.engine.run.driver import Calls
from cfworkflows_emulator.engine.run.execution import settled
from cfworkflows_emulator.engine.run.host import Journalled
from cfworkflows_emulator.engine.run.parking import Stillness
from cfworkflows_emulator.engine.run.tasks import Tasks
from cfworkflows_emulator.tracebacks import context_of_caller

T = TypeVar("T")
log = logging.getLogger("cfworkflows.engine")

Called = Callable[[StepKind, str, Mapping[str, Any], bool, object], None]
"""Notified of each call that is not refused: the kind and the identity of the step, its arguments, as in a journal,
whether `run()`'s own task made it, and the callback of a `step.do`, None of others.
"""


def _nothing(kind: StepKind, step: str, given: Mapping[str, Any], by_main: bool, callback: object) -> None:
    """The calls are of no interest."""


class Replay(Stillness):
    """The StepDriver of a replay. A step that is done returns its stored result; a step that is not done never ends,
    and no callback is called. Nor does one end that is in `unended`, though it is done.

    `over` is set when `run()` ends, or when all of it waits; `ended` is then what `run()` returned and what it raised,
    None if it waits. `handlers` are the calls with a rollback handler that it made, by step.
    """

    def __init__(self, host: Journalled, called: Called = _nothing, unended: Set[StepKey] = frozenset()) -> None:
        super().__init__()
        self.over = asyncio.Event()
        self.ended: tuple[Any, BaseException | None] | None = None
        self.handlers: dict[str, StepCall] = {}
        self._host = host
        self._called = called
        self._unended = unended
        self._closed = False
        self._tasks = Tasks(host)
        self._code = Code(host, self._tasks)
        self._calls = Calls(host, self.handlers)
        self._pending: set[asyncio.Future[Any]] = set()
        self._main: Operation | None = None

    def start(self, context: contextvars.Context) -> None:
        run_as(self._host, self._tasks, context)
        self._main = Operation(self._execute(), str(self._host), self._executed, context)
        self._main.start()

    def close(self) -> None:
        """End it where it waits."""
        self._closed = True
        stays = self._tasks.end()
        if self._main is not None:
            self._main.cancel()
        for future in self._pending if not stays else ():
            future.cancel()

    async def _execute(self) -> None:
        output, error = await self._code.outcome(self)
        if error is not None:
            if self._closed or self._host.process_ends:
                return
            log.debug("%s ended again, in a replay: %s", self._host, text_of(error))
        self.ended = (output, error)
        self.over.set()

    def _executed(self, _: None, error: BaseException | None) -> None:
        self._main = None
        if error is not None and not isinstance(error, asyncio.CancelledError):
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"{self._host} could not be replayed.", "exception": error}
            )

    def do(self, call: StepCall) -> asyncio.Future[Any]:
        if self._closed:
            return self._refused(call.name)
        step = self._allot("do", call.name)
        self._calls.count(step, call)
        undo = {"rollback": call.rollback.config.as_dict()} if call.rollback is not None else {}
        self._note("do", step, {"config": call.config.as_dict(), **undo}, call.callback)
        return self._future(
            "do", step, self._host.state.steps.get(step), partial(step_do.outcome, self._host, step, call)
        )

    def sleep(self, name: str, duration_ms: float) -> asyncio.Future[None]:
        if self._closed:
            return self._refused(name)
        step = self._allot("sleep", name)
        sleep = self._host.state.sleeps.get(step)
        if sleep is None:
            step_sleep.check(step, duration_ms)
        self._note("sleep", step, {"durationMs": duration_ms})
        return self._future("sleep", step, sleep, step_sleep.outcome)

    def sleep_until(self, name: str, timestamp_ms: float) -> asyncio.Future[None]:
        if self._closed:
            return self._refused(name)
        step = self._allot("sleep", name)
        sleep = self._host.state.sleeps.get(step)
        if sleep is None:
            now = self._host.clock.now()
            if timestamp_ms < now:
                return settled(step_sleep.refuse_past)
            step_sleep.check(step, timestamp_ms - now)
        self._note("sleep", step, {"until": timestamp_ms})
        return self._future("sleep", step, sleep, step_sleep.outcome)

    def wait_for_event(
        self, name: str, event_type: str, timeout_ms: float, returns: Any
    ) -> asyncio.Future[WorkflowStepEvent[Any]]:
        if self._closed:
            return self._refused(name)
        step = self._allot("wait", name)
        wait = self._host.state.waits.get(step)
        if wait is None:
            step_wait.check(step, event_type, timeout_ms)
        self._note("wait", step, {"eventType": event_type, "timeoutMs": timeout_ms})
        return self._future("wait", step, wait, partial(step_wait.outcome, self._host, step, returns))

    def task(self, work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
        return self._tasks.start(work, None, context_of_caller())

    def _allot(self, kind: StepKind, name: str) -> str:
        step = self._calls.allot(kind, name, None)
        self.activity += 1
        if self._pending:  # the call may not wait: it was done before, or is refused
            self.consider_soon()
        return step

    def _refused(self, name: str) -> asyncio.Future[Any]:
        self._calls.refuse(name)
        return self._code.strand()

    def _note(self, kind: StepKind, step: str, given: Mapping[str, Any], callback: object = None) -> None:
        self._called(kind, step, given, self._code.calls, callback)

    def _future(self, kind: StepKind, step: str, known: Verb | None, outcome: Callable[[], T]) -> asyncio.Future[T]:
        if known is not None and known.done and (kind, step) not in self._unended:
            return settled(outcome)
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._pending.add(future)
        self.consider()
        return future

    def is_still(self) -> bool:
        return bool(self._pending) and not self._closed

    def settled(self) -> None:
        self.over.set()
