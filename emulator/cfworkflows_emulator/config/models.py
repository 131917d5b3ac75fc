"""The keys that this version acts on, as the rest of the emulator sees them; `kinds` has those of bindings.

Their values are checked in `validation`: by type, and by the markers beside it in `Annotated`.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, Literal

from cfworkflows.cron import CronExpression
from cfworkflows.errors import CronError
from cfworkflows_emulator.config.markers import Bounds, Rule, Section

DEFAULT_NAME = "worker"


def _date(value: object) -> str:
    if isinstance(value, str) and ("\N{EN DASH}" in value or "\N{EM DASH}" in value):
        raise ValueError("should use hyphens (-) rather than en dashes or em dashes")
    try:
        if isinstance(value, str) and len(value) == len("YYYY-MM-DD"):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise ValueError("should be a valid ISO-8601 date (YYYY-MM-DD)")


def _cron(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("should be a cron expression")
    try:
        return CronExpression.parse(value).text
    except CronError as error:
        raise ValueError(f"should be a cron expression. {error}") from error


Date = Annotated[str, Rule(_date)]
Cron = Annotated[str, Rule(_cron)]
Port = Annotated[int, Bounds(ge=0, le=65535)]


@dataclass(frozen=True, slots=True)
class Secrets(Section):
    """`secrets`. `required` are the names that `.dev.vars`, `.env` or the process environment must supply."""

    required: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Triggers(Section):
    """`triggers`. `crons` are the cron expressions that fire the Worker's `scheduled` handler."""

    crons: list[Cron] = field(default_factory=list)
    events: list[Any] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Dev(Section):
    """`dev`: how the local server listens. This version acts on `ip` and `port`; None is 8787, or the next free one."""

    ip: str = "localhost"
    port: Port | None = None
    inspector_port: int | None = None
    inspector_ip: str | None = None
    local_protocol: Literal["http", "https"] = "http"
    upstream_protocol: Literal["http", "https"] | None = None
    host: str | None = None
    enable_containers: bool | None = None
    container_engine: Any = None
    generate_types: bool | None = None


@dataclass(frozen=True, slots=True)
class WorkerConfig(Section):
    """A Worker, with the values of its environment. `main` is as it is in the file, relative to the file.

    `name` is `worker` when the file has none, as on the platform's local server.
    """

    name: str = DEFAULT_NAME
    main: str | None = None
    compatibility_date: Date | None = None
    compatibility_flags: list[str] = field(default_factory=list)
    vars: dict[str, Any] = field(default_factory=dict)
    secrets: Secrets | None = None
    triggers: Triggers = Triggers()
    dev: Dev = Dev()
