"""Whose code runs: of which Worker, and for which request or other event, instance and step."""

import contextvars
from typing import Any, NamedTuple

from cfworkflows.http import Request
from cfworkflows_emulator.engine.run.caller import running_in

current_worker: contextvars.ContextVar[str | None] = contextvars.ContextVar("cfworkflows_worker", default=None)
"""The name of the Worker whose code runs, in its task and in what that starts."""

current_event: contextvars.ContextVar[tuple[str, tuple[Any, ...]] | None] = contextvars.ContextVar(
    "cfworkflows_event", default=None
)
"""The event whose handler is called, in its task and in what that starts: its name, and its own arguments."""


class Origin(NamedTuple):
    """Where code belongs. `instance` is `workflow/id`; `step` is None in `run()`, `event` within an instance."""

    worker: str | None
    instance: str | None
    step: str | None
    event: str | None
    request: Request | None

    def label(self, *, with_worker: bool) -> str:
        """`orders/7 charge-1`, `GET /orders`: short, for the start of a line. Empty if nothing is known."""
        request = self.request
        event = f"{request.method} {_path(request.url)}" if request is not None else self.event
        return " ".join(filter(None, (self.worker if with_worker else None, self.instance, self.step, event)))


def origin(context: contextvars.Context | None = None) -> Origin:
    """That of the code that runs in `context`, or of the code that calls this."""
    context = contextvars.copy_context() if context is None else context
    worker = context.get(current_worker)
    instance, step = running_in(context)
    if instance is not None:
        return Origin(worker, str(instance), step, None, None)
    event, own = context.get(current_event) or (None, ())
    request = own[0] if own and isinstance(own[0], Request) else None
    return Origin(worker, None, None, event, request)


def _path(url: str) -> str:
    """`url` from its path on."""
    return "/" + url.partition("://")[2].partition("/")[2]
