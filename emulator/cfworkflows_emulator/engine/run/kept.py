"""What is told when code that has changed asks for another sleep or wait than the one that its journal has begun.

What is stored counts: the time at which a sleep or a wait ends, and the type that is waited for, are never taken again.
"""

import logging

from cfworkflows_emulator.engine.journal.state import SleepState, WaitState
from cfworkflows_emulator.engine.run.host import Host

log = logging.getLogger("cfworkflows.engine")


def tell_of_sleep(host: Host, step: str, sleep: SleepState, duration_ms: float) -> None:
    """`run()` asks again for a sleep that is not over."""
    if sleep.duration_ms != duration_ms:
        log.info(
            "%s: sleep %s lasts %g s in the code now, and lasted %g s when it began. The stored deadline is kept.",
            host, step, duration_ms / 1000, sleep.duration_ms / 1000,
        )  # fmt: skip


def tell_of_wait(host: Host, step: str, wait: WaitState, event_type: str, timeout_ms: float) -> None:
    """`run()` asks again for an event that has not come."""
    if wait.event_type != event_type:
        log.warning(
            '%s: wait %s is for an event "%s" in the code now, and was for "%s" when it began. That is kept.',
            host, step, event_type, wait.event_type,
        )  # fmt: skip
    if wait.timeout_ms != timeout_ms:
        log.info(
            "%s: wait %s times out after %g s in the code now, and after %g s when it began. "
            "The stored deadline is kept.",
            host, step, timeout_ms / 1000, wait.timeout_ms / 1000,
        )  # fmt: skip
