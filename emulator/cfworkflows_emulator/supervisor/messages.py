"""The messages between a supervisor and its worker."""

from dataclasses import dataclass, field
from typing import NamedTuple

BLOCKED = 75
"""The exit code of a worker that ends itself since code of the user has blocked its event loop for too long."""


class Connection(NamedTuple):
    """A connection without a request under way: its descriptor, which is the receiver's, and what was read."""

    descriptor: int
    unread: bytes


@dataclass(frozen=True, slots=True)
class Connections:
    """From a worker that stops: connections for the next one. To a worker: connections to serve."""

    connections: list[Connection]


# To a worker


@dataclass(frozen=True, slots=True)
class Go:
    """Start to serve.

    `reason` is why the worker before this one does not serve any more, None for the first one; `since` when that came
    up, by `time.perf_counter`. `paths` have changed since that one was made. What is saved from `looked_ns` on, in ns
    since the epoch, may be read by halves. `failure` is a text to serve in place of the code. `loaded_before` says that
    a worker before this one could load the code, `deaths` how many workers died in a row before this one.
    """

    reason: str | None = None
    since: float = 0.0
    paths: list[str] = field(default_factory=list)
    looked_ns: int = 0
    failure: str | None = None
    loaded_before: bool = False
    deaths: int = 0


@dataclass(frozen=True, slots=True)
class Stop:
    """End in order: within `grace_s` seconds, of which callbacks of steps get `callbacks_s`.

    With `hand_over` another worker serves next. `cause` says in words what cut off the rest.
    """

    grace_s: float
    callbacks_s: float
    hand_over: bool
    cause: str


@dataclass(frozen=True, slots=True)
class Lent:
    """The terminal is its own to read, until it sends `Returned`."""


# From a worker


@dataclass(frozen=True, slots=True)
class Loaded:
    """The code is there, and instances run from now on. With `found`, one of them has killed the worker before this."""

    found: bool


@dataclass(frozen=True, slots=True)
class Serving:
    """It answers requests; with `failed`, all of them with an error."""

    failed: bool


@dataclass(frozen=True, slots=True)
class MadeFrom:
    """The sources that it was made from, as in `Sources`.

    `needed` are modules to import in the supervisor, so that the workers that are forked from now on have them.
    """

    digests: dict[str, str]
    roots: list[str]
    needed: list[str]


@dataclass(frozen=True, slots=True)
class Stopping:
    """It has received `Stop`: its event loop is not blocked."""


@dataclass(frozen=True, slots=True)
class Released:
    """It does not use the state any more, so the next worker may open it. `needed` as in `MadeFrom`."""

    needed: list[str]


@dataclass(frozen=True, slots=True)
class Renew:
    """Another worker is to take its place."""

    reason: str


@dataclass(frozen=True, slots=True)
class Outdated:
    """It ends without having served: `paths` were saved while it loaded, so that it may have read half of them."""

    paths: list[str]


@dataclass(frozen=True, slots=True)
class Hopeless:
    """It cannot start, and has said why."""


@dataclass(frozen=True, slots=True)
class Borrow:
    """A debugger in it wants to read the terminal."""


@dataclass(frozen=True, slots=True)
class Returned:
    """The debugger has read what it wanted, and the program continues."""


@dataclass(frozen=True, slots=True)
class Halted:
    """A debugger that needs no terminal has halted it: it answers nothing, and is not to be replaced."""


@dataclass(frozen=True, slots=True)
class Continued:
    """It is no longer halted."""


ToWorker = Connections | Go | Stop | Lent
FromWorker = (
    Connections | Loaded | Serving | MadeFrom | Stopping | Released | Renew | Outdated | Hopeless
    | Borrow | Returned | Halted | Continued
)  # fmt: skip
Message = ToWorker | FromWorker
