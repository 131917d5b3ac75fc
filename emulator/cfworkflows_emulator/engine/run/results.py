"""The stored result of a step: as the code gets it, and as it is shown to others."""

import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from operator import attrgetter
from typing import Any

from cfworkflows.caller import warn
from cfworkflows.errors import PayloadValidationError, WorkflowInternalError
from cfworkflows.http import ReplayStream
from cfworkflows.typed import coerce, type_name
from cfworkflows.values import UnresolvedClassWarning, decode
from cfworkflows_emulator.engine.journal.state import StepState
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.engine.journal.streams import StoredStream

REDACTED = "[REDACTED]"
"""What stands for the output of a step with `sensitive: "output"`, wherever it can be seen from outside."""


def result_of(store: InstanceStore, key: int, step: str, state: StepState, returns: Any) -> Any:
    """What `step.do` returns: rebuilt as `returns`, where that is known.

    Raises PayloadValidationError if it does not fit. Errors and warnings show nothing of a sensitive value.
    """
    if state.stream is not None:
        return open_stream(store, key, step, state.stream)
    if state.value is None:
        return None
    if not is_sensitive(state.config):
        return _rebuilt(state.value, returns)
    with _discreet(step, returns):
        return _rebuilt(state.value, returns)


def open_stream(store: InstanceStore, key: int, step: str, stream: StoredStream) -> ReplayStream:
    """The stored output of a step, to be read from its start. Raises WorkflowInternalError where it is not there."""
    return ReplayStream(lambda: _StoredChunks(store, key, step, stream))


class _StoredChunks:
    """Not a generator: a generator that is cancelled while it reads would be at its end."""

    def __init__(self, store: InstanceStore, key: int, step: str, stream: StoredStream) -> None:
        self._store = store
        self._key = key
        self._step = step
        self._stream = stream
        self._next = 0

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._next == self._stream.chunks:
            raise StopAsyncIteration
        if not self._next:
            await self._store.flushed()
        data = await self._store.streams.read(self._key, self._step, self._stream, self._next)
        if data is None:
            raise WorkflowInternalError(
                f"Stored output for {self._step} is corrupt or incomplete. Chunk {self._next + 1} of "
                f"{self._stream.chunks} is not there: the instance was restarted or deleted, or the state was changed "
                "from outside. Read the output of the instance as it is now."
            )
        self._next += 1
        return data


def is_sensitive(config: dict[str, Any]) -> bool:
    """Whether a stored configuration of a step hides its output."""
    return "sensitive" in config


def shown_output(
    value: str | None,
    stream: StoredStream | None,
    *,
    sensitive: bool,
    stream_of: Callable[[StoredStream], object] = attrgetter("preview"),
) -> Any:
    """The stored output of a step, as it is shown outside of the code: `[REDACTED]` if it is `sensitive`, None if there
    is none.

    `stream_of` returns what stands for an output that is a stream: by default its start.
    """
    if value is None and stream is None:
        return None
    if sensitive:
        return REDACTED
    return stream_of(stream) if stream is not None else decode(str(value))


def _rebuilt(text: str, returns: Any) -> Any:
    value = decode(text)
    return coerce(returns, value) if returns is not None else value


@contextmanager
def _discreet(step: str, returns: Any) -> Iterator[None]:
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
    except PayloadValidationError:
        raise PayloadValidationError(
            f"The output of step {step} does not fit {type_name(returns)}. What does not fit is not shown, because the "
            "output is sensitive."
        ) from None
    if caught:
        warn(
            f"The output of step {step} is read as plain data in part. Why is not shown, because it is sensitive.",
            UnresolvedClassWarning,
        )
