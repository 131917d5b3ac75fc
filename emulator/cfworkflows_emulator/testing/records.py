"""What the kit knows of the test that runs: its settings, the worlds it opened, and what happened in them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfworkflows_emulator.testing.world import Timelines, World


@dataclass(frozen=True, slots=True)
class Settings:
    """What the ini file and the marker `cfworkflows` say.

    `patience_s` is how many real seconds a callback may run while the test waits for it. With `unfinished`, an
    instance that has not ended when the test ends is an error; with `leaks`, tasks and files that are left are.
    With `determinism`, every step of every instance is followed by a replay. `start` is the first time of the clock, in
    ms since the epoch. `evict_after_ms` is how long an instance that waits stays in memory; None is for ever, so that
    nothing is replayed.
    """

    patience_s: float = 60
    unfinished: bool = False
    leaks: bool = True
    determinism: bool = False
    start: int = 1_767_225_600_000  # 2026-01-01T00:00:00Z
    evict_after_ms: float | None = None


@dataclass(slots=True)
class Record:
    """One test. `timelines` are those of worlds that are closed already; `failed` says that nobody needs leaks.

    `sections` are titles and texts for its report. `histories` is the folder of its golden histories, which are written
    if it is `recording`, with paths relative to `root`; both None outside of pytest.
    """

    settings: Settings = field(default_factory=Settings)
    worlds: "list[World]" = field(default_factory=list)
    sections: list[tuple[str, str]] = field(default_factory=list)
    histories: Path | None = None
    recording: bool = False
    root: Path | None = None
    timelines: "list[Timelines]" = field(default_factory=list)
    failed: bool = False

    def undelivered(self) -> BaseException | None:
        """A failed assertion in a workflow that the test has not seen yet; from now on it has."""
        for world in self.worlds:
            if (failure := world.failures.take()) is not None:
                return failure
        return None

    def stalled(self) -> BaseException | None:
        """Why a test was ended that waited for ever, once."""
        for world in self.worlds:
            if (error := world.idling.error) is not None:
                world.idling.error = None
                return error
        return None


_running: list[Record] = []


def running() -> Record:
    """The record of the test that runs; a new one outside of pytest."""
    return _running[-1] if _running else Record()


@contextmanager
def recording(record: Record) -> Iterator[Record]:
    _running.append(record)
    try:
        yield record
    finally:
        _running.remove(record)
