"""The configuration of a step: retries, timeout, sensitivity, with the platform's defaults and limits."""

import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Required, TypedDict

from cfworkflows.durations import Duration, parse_duration
from cfworkflows.errors import DurationError, WorkflowFatalError
from cfworkflows.step.context import DelayRequest

Backoff = Literal["constant", "linear", "exponential"]
DelayFunction = Callable[[DelayRequest], Duration | Awaitable[Duration]]
"""Called with an object that has `ctx` (the step context) and `error`; returns the delay before the next attempt."""

BACKOFFS = ("constant", "linear", "exponential")
DEFAULT_LIMIT = 5
DEFAULT_DELAY: Duration = 10_000
DEFAULT_BACKOFF: Backoff = "exponential"
DEFAULT_TIMEOUT: Duration = "10 minutes"
MAX_RETRIES = 10_000
DYNAMIC_DELAY = "[dynamic]"

REMEDY = 'As in {"retries": {"limit": 3, "delay": "1 second", "backoff": "exponential"}, "timeout": "30 seconds"}.'
"""What to do about any of these: the second line of the note."""

_ELSEWHERE = {
    "retries": ("retry", "retrypolicy", "attempts", "maxattempts", "maxretries"),
    "limit": ("count", "max", "times", "attempts", "maxattempts", "maxretries", "retries"),
    "delay": ("wait", "interval", "initialinterval", "initialdelay", "backoffdelay"),
    "backoff": ("strategy", "backofftype", "type"),
    "timeout": ("timeoutms", "timeoutseconds", "starttoclosetimeout"),
}
"""The names of the keys in other libraries, in lower case."""

_SEE = "https://developers.cloudflare.com/workflows/build/sleeping-and-retrying/"


class WorkflowRetryConfig(TypedDict, total=False):
    """How often, and how soon, a failed attempt is repeated: a dict, or `WorkflowRetryConfig(limit=…, delay=…)`.

    limit: retries after the first attempt, 0 to 10,000 (`math.inf` means 10,000).
    delay: a duration, or a function of `{ctx, error}` that returns one within 5 seconds.
    backoff: `constant` d, d, d; `linear` d, 2d, 3d; `exponential`, the default, d, 2d, 4d. No jitter and no cap.
    """

    limit: Required[int | float]
    delay: Required[Duration | DelayFunction]
    backoff: Backoff


class WorkflowStepConfig(TypedDict, total=False):
    """The options of a `step.do`: a dict, or `WorkflowStepConfig(timeout=…)`. What is left out has the platform's
    default.

    retries: default `{"limit": 5, "delay": 10_000, "backoff": "exponential"}`; `limit` and `delay` go together.
    timeout: of each attempt, default `"10 minutes"`.
    sensitive: `"output"` hides the result everywhere outside of the Workflow's code, except in the state folder.
    """

    retries: WorkflowRetryConfig
    timeout: Duration
    sensitive: Literal["output"]


WorkflowRetryOptions = WorkflowRetryConfig
WorkflowStepOptions = WorkflowStepConfig
"""Older names of the two."""


@dataclass(frozen=True, slots=True)
class ResolvedConfig:
    """A step's configuration with every default filled in: what is stored, and what `ctx.config` shows."""

    limit: int = DEFAULT_LIMIT
    delay: Duration | DelayFunction = DEFAULT_DELAY
    backoff: Backoff = DEFAULT_BACKOFF
    timeout: Duration = DEFAULT_TIMEOUT
    sensitive: bool = False

    @property
    def timeout_ms(self) -> float:
        return parse_duration(self.timeout)

    def as_dict(self) -> dict[str, Any]:
        """The platform's shape, `{"retries": {…}, "timeout": …}`, with `"[dynamic]"` for a delay function."""
        retries = {"limit": self.limit, "delay": _plain(self.delay), "backoff": self.backoff}
        config: dict[str, Any] = {"retries": retries, "timeout": _plain(self.timeout)}
        if self.sensitive:
            config["sensitive"] = "output"
        return config

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "ResolvedConfig":
        """The inverse of `as_dict`, for a configuration read back from the journal."""
        retries = config["retries"]
        return cls(
            limit=retries["limit"],
            delay=retries["delay"],
            backoff=retries["backoff"],
            timeout=config["timeout"],
            sensitive=config.get("sensitive") == "output",
        )


def _plain(value: Duration | DelayFunction) -> str | int | float:
    if isinstance(value, timedelta):
        return value / timedelta(milliseconds=1)
    return DYNAMIC_DELAY if callable(value) else value


def invalid(kind: str, name: str, reason: str) -> WorkflowFatalError:
    """The platform's error for a bad configuration. Its text stays the same: the reason and the remedy are a note."""
    error = WorkflowFatalError(f'{kind} for "{name}" is in a invalid format. See {_SEE}')
    error.add_note(f"{reason}\n{REMEDY}")
    return error


def resolve(name: str, config: Mapping[str, object] | None, *, kind: str = "Step config") -> ResolvedConfig:
    """Check the configuration of step `name` and fill in the defaults.

    Raises WorkflowFatalError for unknown keys, a missing limit or delay, and values out of range; a note says which.
    """
    if config is None:
        return _DEFAULT
    options = _options(config, WorkflowStepConfig)
    if isinstance(options, str):
        raise invalid(kind, name, options)
    resolved: dict[str, Any] = {}
    try:
        if "retries" in options:
            resolved |= _retries(options["retries"])
        if "timeout" in options:
            if _milliseconds("timeout", options["timeout"]) <= 0:
                raise ValueError("timeout: must be more than 0.")
            resolved["timeout"] = options["timeout"]
        if "sensitive" in options:
            if options["sensitive"] != "output":
                raise ValueError(f'sensitive: must be "output", not {options["sensitive"]!r}.')
            resolved["sensitive"] = True
    except ValueError as error:
        raise invalid(kind, name, str(error)) from None
    return ResolvedConfig(**resolved)


def _retries(value: object) -> dict[str, Any]:
    options = _options(value, WorkflowRetryConfig)
    if isinstance(options, str):
        raise ValueError(f"retries: {options}")
    for key in ("limit", "delay"):
        if key not in options:
            raise ValueError(f"retries.{key}: is missing; retries takes limit and delay together.")
    limit = MAX_RETRIES if options["limit"] == math.inf else options["limit"]
    if isinstance(limit, bool) or not isinstance(limit, int) or not 0 <= limit <= MAX_RETRIES:
        raise ValueError(f"retries.limit: must be a whole number from 0 to {MAX_RETRIES:,}, not {limit!r}.")
    if not callable(options["delay"]):
        _milliseconds("retries.delay", options["delay"])
    backoff = options.get("backoff", DEFAULT_BACKOFF)
    if backoff not in BACKOFFS:
        raise ValueError(f"retries.backoff: must be one of {', '.join(BACKOFFS)}, not {backoff!r}.")
    return {"limit": limit, "delay": options["delay"], "backoff": backoff}


def _milliseconds(key: str, value: Duration) -> float:
    try:
        return parse_duration(value)
    except DurationError as error:
        raise DurationError(f"{key}: {error}") from None


def _options(value: object, shape: type) -> dict[str, Any] | str:
    """`value` as a dict of the options it sets, or what is wrong with it."""
    known = list(shape.__annotations__)
    if not isinstance(value, Mapping):
        return f"expected an object with {', '.join(known)}, got {value!r}."
    unknown = [str(key) for key in value if key not in known]
    if unknown:
        meant = next((key for name in unknown if (key := _meant(name, known)) is not None), None)
        hint = f" Did you mean {meant}?" if meant is not None else ""
        return f"unknown key {', '.join(unknown)}; the keys are {', '.join(known)}.{hint}"
    return dict(value)


def _meant(name: str, known: list[str]) -> str | None:
    """The key that is called `name` in another library, or nearly."""
    from difflib import get_close_matches

    plain = name.lower().replace("_", "")
    close = get_close_matches(plain, known, 1)
    return next((key for key in known if plain in _ELSEWHERE.get(key, ())), close[0] if close else None)


_DEFAULT = ResolvedConfig()
