"""When a failed attempt is repeated."""

import warnings

from cfworkflows.errors import (
    NON_RETRYABLE_IN_GROUP,
    NonRetryableError,
    PortabilityWarning,
    is_a,
    leaves_of,
    name_of,
    retried_all_the_same,
)
from cfworkflows.step.config import Backoff
from cfworkflows_emulator.tracebacks import trace_of

# Milliseconds count as whole numbers up to here: some 285,000 years. The database takes 1,000 times that.
LONGEST_DELAY_MS = 2.0**53


def retry_delay(delay_ms: float, backoff: Backoff, attempt: int) -> float:
    """The wait in ms after failed attempt `attempt` (from 1): d; d·n; or d·2^(n-1). No jitter, no cap in practice."""
    factor = {"constant": 1.0, "linear": float(attempt), "exponential": 2.0 ** min(attempt - 1, 1000)}[backoff]
    return min(delay_ms * factor, LONGEST_DELAY_MS)


def may_retry(limit: int, attempt: int, *, interrupted: bool) -> bool:
    """Whether failed attempt `attempt` (from 1) is followed by another; `limit` retries make `limit + 1` attempts.

    An attempt that was interrupted, because the process died, says nothing about the callback, so even the last attempt
    is repeated once; a callback that kills the process every time still runs out of attempts.
    """
    return attempt <= limit + 1 if interrupted else attempt <= limit


# By the `id` of a class, as a metaclass may have another idea of what it is equal to, with the class, which keeps its
# `id` from becoming that of another one; or by line.
_warned: dict[object, object] = {}


def warn_of_retry(error: Exception) -> None:
    """Say that `error`, which is retried, was not meant to be: once for each class, or each line of groups, at the line
    that raised it.
    """
    cls = type(error)
    if is_a(error, BaseExceptionGroup):
        inside = next((each for each in leaves_of(error) if type(each) is NonRetryableError), None)
        if inside is not None:
            _warn(NON_RETRYABLE_IN_GROUP, inside)
    elif cls is not NonRetryableError and is_a(error, NonRetryableError):
        _warn(retried_all_the_same(name_of(cls)), error, id(cls))


def _warn(texts: tuple[str, str], error: BaseException, about: object = None) -> None:
    trace = trace_of(error)
    if trace is None:
        return
    while trace.tb_next is not None:
        trace = trace.tb_next
    filename, line = trace.tb_frame.f_code.co_filename, trace.tb_lineno
    about = (filename, line) if about is None else about
    if about not in _warned:
        _warned[about] = type(error)
        warnings.warn_explicit(" ".join(texts), PortabilityWarning, filename, line)


class FinalError(Exception):
    """Carries the error of an attempt that is not repeated, whatever the configuration says."""

    def __init__(self, error: Exception) -> None:
        super().__init__(error)
        self.error = error
