"""What all instances of an engine share."""

import contextvars
from collections.abc import Callable
from dataclasses import dataclass, field

from cfworkflows_emulator.actors import Actor, Eviction, Lifeline
from cfworkflows_emulator.clock import Clock
from cfworkflows_emulator.engine.admission import Admission
from cfworkflows_emulator.engine.callbacks import Callbacks
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.engine.probe import Probe


@dataclass(frozen=True, slots=True)
class Shared:
    """`context` is that in which code of the user's begins. `unload` lets an instance leave memory, if it may.

    `rested` is called with the key of each instance that waits, or has ended, with all that its code called in its
    journal; `raced` with that of one in which the loser of a race has ended after all. `probe` is a test's.
    """

    clock: Clock
    store: InstanceStore
    admission: Admission
    eviction: Eviction
    unload: Callable[[Actor[int]], None]
    rested: Callable[[int], None]
    raced: Callable[[int], None]
    probe: Probe
    callbacks: Callbacks = field(default_factory=Callbacks)
    lifeline: Lifeline = field(default_factory=Lifeline)
    context: contextvars.Context = field(default_factory=contextvars.copy_context)
