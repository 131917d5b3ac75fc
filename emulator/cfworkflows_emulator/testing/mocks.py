"""What a test asks for the steps of an instance: mocked results and errors, forced timeouts, waits left out."""

from collections.abc import AsyncIterator, Awaitable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cfworkflows.errors import CfworkflowsError, ErrorRecord, WorkflowTimeoutError
from cfworkflows.http import ReadableStream
from cfworkflows.values import encode
from cfworkflows_emulator.engine import check_event_type, encoded, is_stream
from cfworkflows_emulator.engine.probe import MockedEvent, StandIn
from cfworkflows_emulator.views import shown

StepSelector = str | Mapping[str, Any]
"""A step: its name, or `{"name": …, "index": …}`, where index is its occurrence, from 1, the default."""

_FAILURES = ("mock_step_error", "force_step_timeout")


class IntrospectionError(CfworkflowsError):
    """An introspector or a modifier was used wrongly, or what it was to wait for cannot come any more."""


@dataclass(slots=True, eq=False)
class Mock:
    """One call of a modifier, for one step. `attempts` are those it is for, None for all of them.

    `step` is `name-index`, or the type of an event; None means every step. `used` tells that a step has met it.
    """

    call: str
    step: str | None
    stand_in: StandIn | None = None
    attempts: range | None = None
    event: MockedEvent | None = None
    used: bool = False

    def __str__(self) -> str:
        return f'{self.call} of {"event" if self.event is not None else "step"} "{self.step}"'


class Mocks:
    """All that is asked for one instance. What it shares with others, `modify_all` has asked for."""

    def __init__(self, mocks: Iterable[Mock] = ()) -> None:
        self.all = list(mocks)

    @property
    def events(self) -> Sequence[MockedEvent]:
        return [mock.event for mock in self.all if mock.event is not None]

    def stand_in(self, step: str, attempt: int) -> StandIn | None:
        failures = [mock for call in _FAILURES for mock in self.of(call, step)]
        limited = [mock for mock in failures if mock.attempts is not None and attempt in mock.attempts]
        unlimited = [mock for mock in failures if mock.attempts is None]
        for mock in (*limited, *unlimited, *self.of("mock_step_result", step)):
            mock.used = True
            return mock.stand_in
        return None

    def skips_sleep(self, step: str) -> bool:
        return self._meets("disable_sleeps", step)

    def skips_delay(self, step: str) -> bool:
        return self._meets("disable_retry_delays", step)

    def times_out(self, step: str) -> bool:
        return self._meets("force_event_timeout", step)

    def of(self, call: str, step: str | None) -> list[Mock]:
        return [mock for mock in self.all if mock.call == call and mock.step == step]

    def took(self, indices: Iterable[int]) -> None:
        """Waits got those of the events."""
        events = [mock for mock in self.all if mock.event is not None]
        for index in indices:
            events[index].used = True

    @property
    def unused(self) -> list[Mock]:
        return [mock for mock in self.all if not mock.used and mock.step is not None]

    def _meets(self, call: str, step: str) -> bool:
        met = self.of(call, None) + self.of(call, step)
        for mock in met:
            mock.used = True
        return bool(met)


class Modifier:
    """What the callback of `modify` gets. Each call counts at once; to await it, as TypeScript does, is allowed."""

    def __init__(self, mocks: Mocks) -> None:
        self._mocks = mocks
        self._streams: list[tuple[Mock, str, Any]] = []

    def disable_sleeps(self, steps: Iterable[StepSelector] | None = None) -> Awaitable[None]:
        """Let `step.sleep` and `step.sleep_until` end as they begin: those of `steps`, by default all of them."""
        return self._add_all("disable_sleeps", steps)

    def disable_retry_delays(self, steps: Iterable[StepSelector] | None = None) -> Awaitable[None]:
        """Let failed attempts of `steps`, by default of all, be repeated at once."""
        return self._add_all("disable_retry_delays", steps)

    def mock_step_result(self, step: StepSelector, result: Any = None) -> Awaitable[None]:
        """Give `result` in place of calling the step's callback: any value that a step may give, None among them.

        Raises IntrospectionError if the step has a mocked result already, SerializationError for what cannot be stored.
        """
        key, name = selected(step)
        if self._mocks.of("mock_step_result", key):
            raise IntrospectionError(f"[WorkflowIntrospector] Trying to mock step '{name}' multiple times!")
        mock = Mock("mock_step_result", key)
        if is_stream(result):
            self._streams.append((mock, name, result))
        else:
            encode(result)

            async def give(*_: Any) -> Any:
                return result

            mock.stand_in = give
        return self._add(mock)

    def mock_step_error(self, step: StepSelector, error: Exception, times: int | None = None) -> Awaitable[None]:
        """Raise `error` in place of calling the step's callback, in its next `times` attempts, or in every one.

        Its name and message are what counts. Calls add up: those with `times` take one attempt after the other, a
        mocked result has what is left. Raises IntrospectionError after `mock_step_result` for the same step.
        """
        key, name = selected(step)
        if not isinstance(error, Exception):
            raise TypeError(f"mock_step_error() takes an exception, not {shown(error)}")
        if self._mocks.of("mock_step_result", key):
            raise IntrospectionError(
                f"[WorkflowIntrospector] Trying to mock error on step '{name}' after mocking its result!"
            )
        record = ErrorRecord.of(error)

        async def fail(*_: Any) -> None:
            raise record.rebuild()

        return self._add(Mock("mock_step_error", key, fail, self._next_attempts(key, name, times)))

    def force_step_timeout(self, step: StepSelector, times: int | None = None) -> Awaitable[None]:
        """Let the next `times` attempts, or every one, time out at once: `Execution timed out after 0ms`.

        The callback is not called. Raises IntrospectionError after `mock_step_result` for the same step.
        """
        key, name = selected(step)
        if self._mocks.of("mock_step_result", key):
            raise IntrospectionError(
                f"[WorkflowIntrospector] Trying to force timeout on step '{name}' after mocking its result!"
            )

        async def time_out(*_: Any) -> None:
            raise WorkflowTimeoutError("Execution timed out after 0ms")

        return self._add(Mock("force_step_timeout", key, time_out, self._next_attempts(key, name, times)))

    def mock_event(self, event: Mapping[str, Any] | None = None, /, **keywords: Any) -> Awaitable[None]:
        """Have an event ready, `{"type": …, "payload": …}` or keywords, as if it had been sent at the start.

        A restart does not lose it. Raises WorkflowError for a type that is none and for a payload over 1 MiB.
        """
        given = {**(event or {}), **keywords}
        if "type" not in given or given.keys() - {"type", "payload"}:
            raise TypeError(f"mock_event() takes the type and the payload of an event, not {shown(given)}")
        check_event_type(given["type"])
        mocked = MockedEvent(given["type"], encoded(given.get("payload"), "payload"))
        return self._add(Mock("mock_event", mocked.event_type, event=mocked))

    def force_event_timeout(self, step: StepSelector) -> Awaitable[None]:
        """Let `step.wait_for_event` time out at once. Its error tells the timeout that the code gives."""
        return self._add(Mock("force_event_timeout", selected(step)[0]))

    disableSleeps = disable_sleeps  # noqa: N815 - the platform's names
    disableRetryDelays = disable_retry_delays  # noqa: N815
    mockStepResult = mock_step_result  # noqa: N815
    mockStepError = mock_step_error  # noqa: N815
    forceStepTimeout = force_step_timeout  # noqa: N815
    mockEvent = mock_event  # noqa: N815
    forceEventTimeout = force_event_timeout  # noqa: N815

    async def read_streams(self) -> None:
        """Read the streams among the results, so that every attempt can be given one."""
        for mock, name, stream in self._streams:
            mock.stand_in = _streaming(await _chunks(name, stream))
        self._streams.clear()

    def _add(self, mock: Mock) -> Awaitable[None]:
        self._mocks.all.append(mock)
        return _Done()

    def _add_all(self, call: str, steps: Iterable[StepSelector] | None) -> Awaitable[None]:
        if isinstance(steps, (str, Mapping)):
            raise TypeError(f"{call}() takes a list of steps: [{steps!r}]")
        keys = [None] if steps is None else [selected(step)[0] for step in steps]
        self._mocks.all += [Mock(call, key) for key in keys]
        return _Done()

    def _next_attempts(self, key: str, name: str, times: int | None) -> range | None:
        earlier = [mock for call in _FAILURES for mock in self._mocks.of(call, key)]
        if times is None:
            if any(mock.attempts is None for mock in earlier):
                raise IntrospectionError(f"[WorkflowIntrospector] Every attempt of step '{name}' fails already.")
            return None
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise ValueError(f"times is how many attempts fail, 1 or more, not {times!r}")
        first = max((mock.attempts.stop for mock in earlier if mock.attempts is not None), default=1)
        return range(first, first + times)


class _Done:
    def __await__(self) -> Generator[Any, None, None]:
        return iter(())  # type: ignore[return-value]  # nothing is ever sent into it


def selected(step: StepSelector) -> tuple[str, str]:
    """The identity of a step, and its name."""
    given = {"name": step} if isinstance(step, str) else step
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str) or given.keys() - {"name", "index"}:
        raise TypeError(f'A step is its name, or {{"name": …, "index": …}}, not {step!r}')
    index = given.get("index", 1)
    if isinstance(index, bool) or not isinstance(index, int) or index < 1:
        raise ValueError(f"The index of step {given['name']!r} is its occurrence, from 1, not {index!r}")
    return f"{given['name']}-{index}", given["name"]


async def _chunks(name: str, stream: Any) -> list[bytes]:
    if isinstance(stream, ReadableStream) and (stream.locked or stream.disturbed):
        raise IntrospectionError(
            f"Workflow mockStepResult() received a locked or unreadable ReadableStream. It was for step '{name}'."
        )
    chunks = []
    async for chunk in stream:
        if not isinstance(chunk, (bytes, bytearray, memoryview)):
            raise IntrospectionError(
                "Workflow mockStepResult() ReadableStream chunks must be ArrayBuffer or TypedArray values. In Python "
                f"these are bytes, bytearray and memoryview; one for step '{name}' was a {type(chunk).__name__}."
            )
        chunks.append(bytes(chunk))
    return chunks


def _streaming(chunks: list[bytes]) -> StandIn:
    async def stream() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    async def give(*_: Any) -> AsyncIterator[bytes]:
        return stream()

    return give
