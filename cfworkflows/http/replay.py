"""A stream whose content is stored and can be read again: the output of a step."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

from cfworkflows.caller import warn
from cfworkflows.errors import PortabilityWarning
from cfworkflows.http.streams import ReadableStream, ReadableStreamReader


class ReplayStream(ReadableStream):
    """A ReadableStream that starts again where any other would be locked or at its end.

    `source` returns its content from the start, each time it is called. Read once, it is like any other stream, also
    when a reader is released and another one continues. But when it is held by a reader, was read to its end, was the
    body of a message, or when an `async for` over it was left, the next reader starts from the beginning; the first
    time with a PortabilityWarning, because on Cloudflare a stream is read once.
    """

    __slots__ = ("_open", "_reading", "_spent", "_warned")

    def __init__(self, source: Callable[[], AsyncIterator[bytes]]) -> None:
        super().__init__(b"")
        self._open = source
        self._reading = ReadableStream(source())
        self._spent = False
        self._warned = False

    @property
    def locked(self) -> bool:
        return self._reading.locked

    @property
    def disturbed(self) -> bool:
        return self._reading.disturbed

    def get_reader(self, options: Mapping[str, Any] | None = None) -> ReadableStreamReader:
        return self._readable().get_reader(options)

    async def cancel(self, reason: object = None) -> None:
        await self._reading.cancel(reason)

    def tee(self) -> tuple[ReadableStream, ReadableStream]:
        """Two streams with the same content, each read on its own."""
        reading = self._readable()
        self._spent = True
        if reading.disturbed:
            return reading.tee()
        return reading, ReadableStream(self._open())

    def __aiter__(self) -> AsyncIterator[bytes]:
        reading = self._readable()
        self._spent = True
        return aiter(reading)

    def _as_body(self) -> ReadableStream:
        reading = self._readable()
        if reading.disturbed:
            reading = self._replay()
        self._spent = True
        return reading

    def _readable(self) -> ReadableStream:
        reading = self._reading
        return self._replay() if self._spent or reading.locked or reading._source is None else reading

    def _replay(self) -> ReadableStream:
        if not self._warned:
            self._warned = True
            warn(
                "The output stream of a step is read again. That works here; on Cloudflare a stream is read once: use "
                "tee() for two readers, and read it in the step that needs it.",
                PortabilityWarning,
            )
        self._reading, self._spent = ReadableStream(self._open()), False
        return self._reading

    getReader = get_reader  # noqa: N815 - the platform's name
