"""Whether an execution only waits, and what it waits for. As long as it does not, it holds the clock."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Set

from cfworkflows_emulator.actors import Latch
from cfworkflows_emulator.engine.journal.entries import Entry
from cfworkflows_emulator.engine.run.caller import Callback, enclosing_callback
from cfworkflows_emulator.engine.run.host import Host
from cfworkflows_emulator.turns import SETTLE_TURNS


class Stillness(ABC):
    """Calls `settled` when `is_still` has held for SETTLE_TURNS turns of the event loop, and `activity` was not raised
    meanwhile.
    """

    __slots__ = ("_loop", "activity")

    def __init__(self) -> None:
        self.activity = 0
        self._loop = asyncio.get_running_loop()

    @abstractmethod
    def is_still(self) -> bool: ...

    @abstractmethod
    def settled(self) -> None: ...

    def consider(self) -> None:
        """It may hold now."""
        if self.is_still():
            self._settle(self.activity, SETTLE_TURNS)

    def consider_soon(self) -> None:
        """See `consider`, in the next turn."""
        self._loop.call_soon(self.consider)

    def _settle(self, activity: int, turns: int) -> None:
        if activity != self.activity or not self.is_still():
            return
        if turns:
            self._loop.call_soon(self._settle, activity, turns - 1)
        else:
            self.settled()


class Parking(Stillness):
    """The operations of an execution, as far as it matters whether they wait.

    It is *parked* when each of them waits for a time or an event, or, in a callback, for operations that it called.
    Then `parked` is called, with the first of the times.
    """

    __slots__ = (
        "_clock", "_holds_clock", "_host", "_nested", "_operations", "_parked", "_passed_over", "_until", "_waiting",
        "closed",
    )  # fmt: skip

    def __init__(self, host: Host, parked: Callable[[float], None]) -> None:
        super().__init__()
        self.closed = False
        self._host = host
        self._clock = host.clock
        self._parked = parked
        self._operations = 0
        self._until: dict[Latch[None], float] = {}
        self._waiting: dict[str, Callable[[], None]] = {}
        self._passed_over: Set[str] = frozenset()
        self._nested: dict[Callback, int] = {}
        self._holds_clock = False

    # What is active

    def active(self) -> None:
        """Something is active: time must not pass, if the instance may run."""
        self.activity += 1
        if not self._holds_clock and not self.closed and self._host.woken():
            self._holds_clock = True
            self._clock.hold()

    def called(self) -> None:
        """A verb is called. It may neither end nor wait: it was done before, or is refused."""
        self.active()
        if self._until:
            self.consider_soon()

    def leave_queue(self) -> None:
        """Try to leave the queue: the instance has got a slot, or may get one now."""
        if self._holds_clock:  # it was queued in the midst of its work
            self._host.woken()
        self.active()
        self.consider_soon()  # it may have nothing to do but to wait

    def begin(self) -> Callback | None:
        """An operation begins. Returns the callback that it was called in, which is for `end`."""
        self._operations += 1
        callback = enclosing_callback()
        if callback is not None and callback.owner is self and not callback.over:
            self._nested[callback] = self._nested.get(callback, 0) + 1
        return callback

    def end(self, callback: Callback | None) -> None:
        """An operation has ended."""
        self._operations -= 1
        if callback is not None and callback in self._nested:
            self._nested[callback] -= 1
            if not self._nested[callback]:
                del self._nested[callback]

    def close(self) -> None:
        """The execution is over: it holds the clock no longer, whatever is still under way."""
        self._parked = _ignore  # what is notified may hold this: without the cycle, both go at once
        self._release_clock()

    def _release_clock(self) -> None:
        if self._holds_clock:
            self._holds_clock = False
            self._clock.release()

    # Callbacks

    def callback_of(self, step: str) -> Callback:
        """A call of the callback of `step`: it distinguishes the steps that the callback calls from others."""
        return Callback(self, step)

    def inside(self) -> str | None:
        """The step whose callback is calling, None outside of callbacks."""
        callback = enclosing_callback()
        return callback.step if callback is not None and callback.owner is self else None

    def forget(self, callback: Callback) -> None:
        """A callback is over: what it called and did not await is as if `run()` had called it."""
        self._nested.pop(callback, None)

    # What waits

    async def wait(self, until: float, event_for: str | None) -> None:
        """Wait until `until`, in ms, or until there is an event for the wait `event_for`."""
        woken: Latch[None] = Latch()

        def wake() -> None:
            if not woken.is_open:
                self.active()
                woken.open(None)

        timer = self._clock.call_at(until, wake)
        self._until[woken] = until
        if event_for is not None:
            self._waiting[event_for] = wake
        self.consider()
        try:
            await woken
        finally:
            timer.cancel()
            del self._until[woken]
            if event_for is not None:
                del self._waiting[event_for]

    def look_again(self) -> None:
        """Have all that waits for a time look whether it has come: the journal may have another time now."""
        for woken in list(self._until):
            if not woken.is_open:
                self.active()
                woken.open(None)

    def expect(self, step: str) -> None:
        """The wait `step` is called: it may get an event."""
        self._passed_over -= {step}

    def event_for(self, step: str) -> Entry | None:
        """The buffered event that the wait `step` gets, if there is one."""
        return self._host.state.event_for(step, self._passed_over)

    def hand_over_events(self, event_type: str | None = None) -> bool:
        """Wake the waits that have got an event, of one type or of any; whether there were any."""
        mailbox = self._host.state.mailbox
        types = mailbox.types if event_type is None else [event_type]
        claims = [step for each in types for step in mailbox.claims(each, self._passed_over)]
        ready = [self._waiting[step] for step in claims if step in self._waiting]
        for wake in ready:
            wake()
        return bool(ready)

    def is_still(self) -> bool:
        waits = len(self._until)
        return waits > 0 and waits + len(self._nested) == self._operations and not self.closed and self._holds_clock

    def settled(self) -> None:
        # A wait that the journal knows, and that was not called again although all is quiet, is no longer in the code:
        # it keeps no event from the others.
        waits = self._host.state.waits.items()
        self._passed_over = {step for step, wait in waits if not wait.done} - self._waiting.keys()
        if self.hand_over_events():
            return
        if not self._nested:
            self._parked(min(self._until.values()))
        self._release_clock()


def _ignore(until: float) -> None:
    """There is nothing more to notify."""
