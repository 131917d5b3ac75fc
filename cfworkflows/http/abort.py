"""`AbortController` and `AbortSignal`: a way to abort a `fetch`, or anything else that listens."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NoReturn

from cfworkflows.errors import DOMException

ABORTED = "The operation was aborted"
TIMED_OUT = "The operation was aborted due to timeout"

Listener = Callable[["AbortEvent"], object]


class TimedOut(DOMException, TimeoutError):
    """The DOMException called `"TimeoutError"`, which `except TimeoutError` catches too."""


class AbortEvent:
    """What a listener is called with: `type` is `"abort"`, `target` the signal."""

    __slots__ = ("target", "type")

    def __init__(self, target: "AbortSignal") -> None:
        self.type = "abort"
        self.target = target


class AbortSignal:
    """Says whether something was aborted, and notifies its listeners. Passed to `fetch(url, {"signal": signal})`.

    Made by an AbortController, or by `AbortSignal.abort()`, `.timeout(ms)` and `.any(signals)`.
    """

    __slots__ = ("__weakref__", "_listeners", "_reason", "aborted", "onabort")

    def __init__(self) -> None:
        raise TypeError("An AbortSignal is made by AbortController().signal, AbortSignal.timeout(ms) or .any([…]).")

    @classmethod
    def _open(cls) -> "AbortSignal":
        signal = cls.__new__(cls)
        signal.aborted = False
        """Whether it was aborted."""
        signal.onabort = None
        """A listener that is set like an attribute, or None."""
        signal._reason = None
        signal._listeners = {}
        return signal

    aborted: bool
    onabort: Listener | None
    _reason: Any
    _listeners: dict[Listener, bool]  # whether it is called once only

    @classmethod
    def abort(cls, reason: Any = None) -> "AbortSignal":
        """A signal that is aborted already. `reason` as in `AbortController.abort`."""
        signal = cls._open()
        signal._abort(reason)
        return signal

    @classmethod
    def timeout(cls, ms: float) -> "AbortSignal":
        """A signal that is aborted in `ms` milliseconds, with a DOMException called `TimeoutError`.

        By the clock of the project: under the test kit it is the virtual one.
        """
        if not isinstance(ms, (int, float)) or not ms >= 0:
            raise TypeError(f"AbortSignal.timeout takes a number of milliseconds, not {ms!r}.")
        from cfworkflows.timers import call_later

        signal = cls._open()
        call_later(ms, lambda: signal._abort(TimedOut(TIMED_OUT, "TimeoutError")))
        return signal

    @classmethod
    def any(cls, signals: Iterable["AbortSignal"]) -> "AbortSignal":
        """A signal that is aborted with the first of these, for the same reason."""
        signals = list(signals)
        signal = cls._open()
        for source in signals:
            if source.aborted:
                signal._abort(source._reason)
                return signal
        for source in signals:
            source.add_event_listener("abort", lambda event: signal._abort(event.target._reason))
        return signal

    @property
    def reason(self) -> Any:
        """Why it was aborted: the `reason` of `abort(reason)`, or a DOMException. None if it was not."""
        return self._reason

    def throw_if_aborted(self) -> None:
        """Raise the reason if it was aborted; a reason that is no exception becomes the text of an AbortError."""
        if self.aborted:
            self._throw()

    def add_event_listener(
        self, type: str, listener: Listener, options: Mapping[str, Any] | bool | None = None
    ) -> None:
        """Call `listener(event)` when it is aborted. `type` is `"abort"`: nothing else happens to a signal."""
        if not callable(listener) or inspect.iscoroutinefunction(listener):
            raise TypeError(f"A listener is a plain function that takes the event, not {listener!r}.")
        if type == "abort":
            self._listeners.setdefault(listener, isinstance(options, Mapping) and bool(options.get("once")))

    def remove_event_listener(self, type: str, listener: Listener, options: object = None) -> None:
        """Remove a listener, if it is there."""
        if type == "abort":
            self._listeners.pop(listener, None)

    def _abort(self, reason: Any) -> None:
        if self.aborted:
            return
        self.aborted = True
        self._reason = DOMException(ABORTED, "AbortError") if reason is None else reason
        event = AbortEvent(self)
        listeners = list(self._listeners)
        self._listeners.clear()  # each is called once: a signal is aborted only once
        for listener in [*listeners, self.onabort]:
            if listener is not None:
                _call(listener, event)

    def _throw(self) -> NoReturn:
        if isinstance(self._reason, Exception):
            raise self._reason
        raise DOMException(str(self._reason), "AbortError")

    def __repr__(self) -> str:
        return f"<AbortSignal, aborted: {self._reason!r}>" if self.aborted else "<AbortSignal>"

    throwIfAborted = throw_if_aborted  # noqa: N815 - the platform's name
    addEventListener = add_event_listener  # noqa: N815 - the platform's name
    removeEventListener = remove_event_listener  # noqa: N815 - the platform's name


class AbortController:
    """Aborts what its `signal` was passed to."""

    __slots__ = ("signal",)

    def __init__(self) -> None:
        self.signal = AbortSignal._open()

    def abort(self, reason: Any = None) -> None:
        """Abort. What is aborted raises `reason`: an exception, or by default a DOMException `AbortError`."""
        self.signal._abort(reason)


def open_signal() -> AbortSignal:
    """A signal that is never aborted."""
    return AbortSignal._open()


def _call(listener: Listener, event: AbortEvent) -> None:
    try:
        listener(event)
    except Exception:  # the other listeners are called all the same
        import logging

        logging.getLogger("cfworkflows.worker").exception("Uncaught error in a listener of an AbortSignal")
