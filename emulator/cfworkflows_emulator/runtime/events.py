"""The arguments of the handlers `scheduled` and `queue`."""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

log = logging.getLogger("cfworkflows.worker")


class ScheduledController:
    """The first argument of `scheduled`: `cron`, and `scheduledTime` in ms since the epoch."""

    type = "scheduled"

    def __init__(self, cron: str, scheduled_time: int) -> None:
        self.cron = cron
        self.scheduled_time = scheduled_time
        self.retried = True

    @property
    def scheduledTime(self) -> int:  # noqa: N802 - the platform's name
        return self.scheduled_time

    def no_retry(self) -> None:
        """Ask that a failure of this firing is not followed by another try. A test sees it in `retried`."""
        self.retried = False

    noRetry = no_retry  # noqa: N815 - the platform's name


class Message:
    """A message of a batch. The first call of `ack` or `retry` counts; `outcome` says which, None until then."""

    def __init__(self, body: Any, *, id: str | None = None, timestamp: datetime | None = None, attempts: int = 1):
        self.body = body
        self.id = id
        self.timestamp = timestamp
        self.attempts = attempts
        self.outcome: str | None = None
        self.retry_delay_s: float | None = None

    def __repr__(self) -> str:
        return f"<Message {self.id}: {self.outcome or 'no outcome'}>"

    def ack(self) -> None:
        """The message is dealt with, whatever becomes of the others."""
        self._decide("ack")

    def retry(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> None:
        """Deliver the message again, after `delaySeconds` (or `delay_seconds`)."""
        delay = _delay(options, keywords)
        if self._decide("retry"):
            self.retry_delay_s = delay

    def _decide(self, outcome: str) -> bool:
        if self.outcome is not None:
            if self.outcome != outcome:
                log.warning(
                    "Received a call to %s() on message %s after %s() was already called. Calling %s() on a message "
                    "after calling %s() has no effect.", outcome, self.id, self.outcome, outcome, self.outcome,
                )  # fmt: skip
            return False
        self.outcome = outcome
        return True


class MessageBatch:
    """The argument of `queue`. `acked` and `retried` are its messages by their outcome, once the handler is over.

    As on Cloudflare, a call on a message counts before a call on the batch, and a message without any call is
    acknowledged.
    """

    def __init__(self, queue: str, messages: Sequence[Message]) -> None:
        self.queue = queue
        self.messages = list(messages)
        self._outcome: str | None = None
        self._delay_s: float | None = None

    def ack_all(self) -> None:
        """All messages are dealt with."""
        self._outcome = self._outcome or "ack"

    def retry_all(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> None:
        """Deliver all messages again, after `delaySeconds` (or `delay_seconds`)."""
        delay = _delay(options, keywords)
        if self._outcome is None:
            self._outcome, self._delay_s = "retry", delay

    ackAll = ack_all  # noqa: N815 - the platform's name
    retryAll = retry_all  # noqa: N815 - the platform's name

    @property
    def acked(self) -> list[Message]:
        return [message for message in self.messages if self._outcome_of(message) == "ack"]

    @property
    def retried(self) -> list[Message]:
        return [message for message in self.messages if self._outcome_of(message) == "retry"]

    def delay_of(self, message: Message) -> float | None:
        """After how many seconds `message` is delivered again, None if the consumer's setting says it."""
        return message.retry_delay_s if message.retry_delay_s is not None else self._delay_s

    def _outcome_of(self, message: Message) -> str:
        return message.outcome or self._outcome or "ack"


def _delay(options: Mapping[str, Any] | None, keywords: Mapping[str, Any]) -> float | None:
    given = {**(options or {}), **keywords}
    if unknown := given.keys() - {"delaySeconds", "delay_seconds"}:
        raise TypeError(f"retry does not know {', '.join(sorted(unknown))}; it takes delaySeconds")
    delay: float | None = given.get("delaySeconds", given.get("delay_seconds"))
    return delay
