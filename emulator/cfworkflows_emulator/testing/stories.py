"""What instances did and wait for, as the reports of tests tell it: whatever code and values of the user's say.

An error here would be one of pytest's own, and end the whole session.
"""

from collections.abc import Callable, Iterator, Sequence

from cfworkflows.errors import ErrorRecord
from cfworkflows_emulator.clock import SystemClock
from cfworkflows_emulator.engine import Entry
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.views import History, moment, timeline, waits_for

FIRST_LINES, LAST_LINES = 100, 100
NEAR_MS = 31 * 86_400_000
_MACHINE = SystemClock()


def story(entries: Sequence[Entry], failure: BaseException | None = None) -> str:
    """The timeline of an instance. `failure` is the assertion that stopped it."""
    return _guarded(lambda: "\n".join([*_shortened(timeline(History.of(entries), failure)), *_of_other_clock(entries)]))


def waiting(entries: Sequence[Entry]) -> list[str]:
    """What an instance that has not ended waits for, and what is odd about it."""
    return _guarded(lambda: "\n".join([*waits_for(History.of(entries)), *_of_other_clock(entries)])).splitlines()


def _shortened(text: str) -> Iterator[str]:
    lines = text.splitlines()
    left_out = len(lines) - FIRST_LINES - LAST_LINES
    if left_out <= 0:
        yield from lines
        return
    yield from lines[:FIRST_LINES]
    yield f"{'…':>16}  {left_out} lines are left out"
    yield from lines[-LAST_LINES:]


def _guarded(tell: Callable[[], str]) -> str:
    try:
        return tell()
    except Exception as error:  # noqa: BLE001 - classes of the user's are rebuilt and asked for their repr
        record = ErrorRecord.of(error)
        return f"(this cannot be told: {record.name}: {record.message})"


def _of_other_clock(entries: Sequence[Entry]) -> Iterator[str]:
    """Sleeps until a time that was read from the machine's clock."""
    machine = _MACHINE.now()
    for entry in entries:
        if entry.type != EntryType.SLEEP_STARTED:
            continue
        until, now = entry.data["until"], entry.time
        # A duration is added to the virtual time, and is hardly ever an odd number of milliseconds.
        if abs(until - machine) < NEAR_MS < abs(now - machine) and (until - now) % 1000:
            yield (
                f'note: "{entry.step}" sleeps until {moment(until)}, which looks like the machine\'s time; the '
                f"clock of the test said {moment(now)}. datetime.now() and time.time() are not on that clock: freeze "
                "them with freezegun or time-machine, or let the clock begin at the machine's time (`start`)."
            )
