"""A world of its own for one test: an engine in memory, its clock, and the bindings over both."""

import asyncio
from collections.abc import Callable
from typing import Any

from cfworkflows_bindings import Environment
from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.runtime import Worker
from cfworkflows_emulator.testing.clock import Clock
from cfworkflows_emulator.testing.idling import Idling
from cfworkflows_emulator.testing.probe import KitProbe
from cfworkflows_emulator.testing.stand_ins import TestedEnvironment
from cfworkflows_emulator.testing.stories import story

Timelines = Callable[[], list[tuple[str, str]]]
"""Gives a title and a text for each instance."""

INSTANCES_SHOWN = 10


class World:
    """What a test stands on. `env` is what it uses: the Worker's bindings, each as it is `seen` by tests."""

    def __init__(
        self,
        engine: Engine,
        worker: Worker,
        clock: Clock,
        probe: KitProbe,
        seen: "Callable[[Any, World], Any]" = lambda binding, world: binding,
    ) -> None:
        self.engine = engine
        self.worker = worker
        self.clock = clock
        self.failures = probe.failures
        self.introspections = probe.introspections
        self.loop = asyncio.get_running_loop()
        self.told = False
        self.idling = Idling(engine, clock)
        self.env: Environment = TestedEnvironment(worker.env, lambda binding: seen(binding, self))

    def check(self) -> None:
        """A test calls. Raises RuntimeError if its environment is gone, or if it calls from another event loop."""
        __tracebackhide__ = True
        self.clock.check()
        self.idling.called()

    async def timelines(self) -> Timelines:
        """What happened so far, to be put into words when it is needed."""
        rows = [(workflow, row) for workflow in self.engine.definitions for row in await self.engine.list(workflow)]
        rows.sort(key=lambda each: each[1].key)
        read = [(workflow, *await self.engine.history(workflow, row.id)) for workflow, row in rows[:INSTANCES_SHOWN]]

        def tell() -> list[tuple[str, str]]:
            told = [
                (
                    f"{workflow}/{row.id} ({row.status})",
                    story(entries, self.failures.stopped.get((workflow, row.id))),
                )
                for workflow, row, entries in read
            ]
            return told + ([("more", f"{more} more instances")] if (more := len(rows) - len(read)) else [])

        return tell
