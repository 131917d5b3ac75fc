"""`FakeEnv`: an environment of Workflow classes and plain values, without a configuration."""

import asyncio
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any

from cfworkflows.durations import Duration, parse_duration
from cfworkflows.entrypoint import WorkflowEntrypoint
from cfworkflows.values import as_objects
from cfworkflows_emulator.testing import kinds
from cfworkflows_emulator.testing.clock import Clock
from cfworkflows_emulator.testing.leaks import LeakError
from cfworkflows_emulator.testing.opening import fake_world
from cfworkflows_emulator.testing.workflow import FakeWorkflow
from cfworkflows_emulator.testing.world import World

_OWN = {"clock", "workflow"}


class FakeEnv:
    """The bindings of a Worker, made for one test: Workflows over the real engine in memory, and plain values.

        async with FakeEnv(ORDERS=OrderWorkflow, API_KEY="x") as env:
            instance = await env.ORDERS.create(params={"n": 1})
            assert await instance.result() == {"n": 2}

    A keyword that is a WorkflowEntrypoint class becomes a Workflow, called as its binding in lower case (`orders`);
    anything else is a plain value. The workflows see the same names in `self.env`, and what is set on `env` later. Time
    is virtual: `env.clock`, which begins at `start`, by default 2026-01-01 in UTC. An instance that waits for longer
    than `evict_after` leaves memory and is replayed; by default none is, unless the setting says so. At the end nothing
    may be left behind (LeakError), and an assertion that failed in a workflow, and that nobody has met yet, is raised.
    """

    def __init__(
        self, *, start: datetime | None = None, evict_after: Duration | timedelta | None = None, **bindings: Any
    ) -> None:
        if reserved := bindings.keys() & _OWN:
            raise TypeError(f"FakeEnv has an attribute {min(reserved)} of its own: give the binding another name.")
        self._start = _milliseconds(start) if start is not None else None
        self._evict_after_ms = parse_duration(evict_after) if evict_after is not None else None
        self._faked = {name: fake for name, value in bindings.items() if (fake := kinds.faked(name, value)) is not None}
        # A list stays the one that the test holds: it may be where a stand-in records.
        self._values = {
            name: as_objects(value) if type(value) is dict else value
            for name, value in bindings.items()
            if name not in self._faked
        }
        for kind in kinds.KINDS:
            kind.check([each.section for each in self._faked.values() if each.kind is kind])
        self._stack = AsyncExitStack()
        self._world: World | None = None

    @staticmethod
    def workflow(cls: type[WorkflowEntrypoint[Any, Any]], **settings: Any) -> FakeWorkflow:
        """A Workflow with settings, as in a wrangler file: `name`, `limits={"steps": 5}`, `schedules=["0 9 * * *"]`."""
        return FakeWorkflow(cls, settings)

    @property
    def clock(self) -> Clock:
        """The virtual clock of this environment."""
        return self._open().clock

    async def __aenter__(self) -> "FakeEnv":
        if self._world is not None:
            raise RuntimeError("A FakeEnv is opened once: make another one.")
        self._world = await self._stack.enter_async_context(
            fake_world(self._faked, self._values, self._start, self._evict_after_ms)
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        __tracebackhide__ = True
        idling = self._open().idling
        if isinstance(error, asyncio.CancelledError) and idling.error is not None:
            stalled, idling.error = idling.error, None
            if (task := asyncio.current_task()) is not None:
                task.uncancel()
            await self._stack.__aexit__(type(stalled), stalled, error.__traceback__)
            raise stalled.with_traceback(error.__traceback__) from None
        failure = self._open().failures.take()
        if failure is not None:
            await self._stack.__aexit__(type(failure), failure, failure.__traceback__)
            raise failure
        try:
            await self._stack.__aexit__(kind, error, traceback)
        except LeakError as leak:
            raise leak.with_traceback(None) from None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._open().env, name)

    def __setattr__(self, name: str, value: Any) -> None:
        """A stand-in, which the workflows see too."""
        if name.startswith("_"):
            super().__setattr__(name, value)
        elif name in _OWN:
            raise AttributeError(f"FakeEnv has an attribute {name} of its own: give the binding another name.")
        else:
            setattr(self._open().env, name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._open().env, name)

    def __repr__(self) -> str:
        return f"<FakeEnv: {', '.join([*self._faked, *self._values]) or 'no bindings'}>"

    def _open(self) -> World:
        if self._world is None:
            raise RuntimeError("The FakeEnv is not open: `async with FakeEnv(…) as env:`.")
        return self._world


def _milliseconds(start: datetime) -> int:
    return round((start if start.tzinfo is not None else start.replace(tzinfo=UTC)).timestamp() * 1000)
