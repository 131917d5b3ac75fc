"""What all instances of an engine share."""

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cfworkflows_emulator.actors import Eviction, Lifeline
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.engine.admission import Admission
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.engine.probe import NO_PROBE, Probe

if TYPE_CHECKING:
    from cfworkflows_emulator.engine.instance import Instance


@dataclass(slots=True)
class World:
    """In a `dormant` one no code of the user's runs: what changes is written down, for the next process to act on.

    `callbacks` are those that run, of ended instances too: one goes on after its timeout, or if nobody awaits it.
    `late` are those of them that timed out. `probe` is a test's.
    """

    clock: Clock
    store: InstanceStore
    threads: Executor
    context: contextvars.Context
    eviction: "Eviction[Instance]"
    unload: Callable[["Instance"], None]
    admission: Admission
    lifeline: Lifeline
    callbacks: set[asyncio.Task[Any]] = field(default_factory=set)
    late: set[asyncio.Task[Any]] = field(default_factory=set)
    probe: Probe = NO_PROBE
    rested: Callable[["Instance"], None] | None = None
    """Told of each instance that waits, or has ended, with all that its code called in its journal."""
    dormant: bool = False
