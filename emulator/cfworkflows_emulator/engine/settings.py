"""How an engine keeps and checks its instances."""

from dataclasses import dataclass

from cfworkflows_emulator.actors import AHEAD_MS
from cfworkflows_emulator.storage import Durability


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """`evict_after_ms` is how long an instance that waits stays in memory, in ms; None is for ever.

    With `check_determinism`, `run()` is replayed after every step, whenever an instance waits or has ended: what
    differs is logged, and part of its `diagnosis`. `durability` is that of the database that is opened for the engine.
    """

    evict_after_ms: float | None = 10_000
    check_determinism: bool = False
    durability: Durability = "normal"

    @property
    def ahead_ms(self) -> float:
        """How early one of a crowd is woken, in ms: it must not leave memory again before its time has come."""
        return AHEAD_MS if self.evict_after_ms is None else min(AHEAD_MS, self.evict_after_ms / 2)


DEFAULTS = EngineSettings()
