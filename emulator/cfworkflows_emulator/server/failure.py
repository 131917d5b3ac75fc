"""What a client gets to see of an error that a Worker did not catch."""

from types import TracebackType

from cfworkflows.errors import CfworkflowsError, is_a
from cfworkflows.http import Request, Response
from cfworkflows_emulator.server.page import error_page
from cfworkflows_emulator.shown import shown
from cfworkflows_emulator.tracebacks import format_error, format_error_only, has_others, trace_of, user_frames


class Failure:
    """Answers every request with what is wrong with the code or the configuration."""

    def __init__(self, error: BaseException) -> None:
        if is_a(error, CfworkflowsError):  # one of ours, whose text says where the mistake is
            error.__traceback__ = error.__cause__ = error.__context__ = None
        self._error = error

    def response(self, request: Request, script: str = "") -> Response:
        if is_a(self._error, CfworkflowsError) and not _wants_page(request):
            return Response(f"{shown(self._error)}\n", {"status": 500})
        return failure_response(self._error, request, script)


def closed_response() -> Response:
    """A 500 for those who may not see what is in the code of the Worker."""
    return Response("Internal Server Error\n", {"status": 500})


def failure_response(error: BaseException, request: Request, script: str = "") -> Response:
    """A 500: a page for browsers, with `script` in it, and the traceback as text for other clients and for curl."""
    if _wants_page(request):
        page = error_page(error, worker_frames(error), request, script)
        return Response(page, {"status": 500, "headers": {"content-type": "text/html;charset=utf-8"}})
    return Response(shown(describe(error)) + "\n", {"status": 500})


def worker_frames(error: BaseException) -> TracebackType | None:
    """The frames of the Worker's code in `error`, None if there are none: the error is about what it returned."""
    trace = trace_of(error)
    trimmed = user_frames(trace)
    return None if trimmed is trace else trimmed


def describe(error: BaseException) -> str:
    """The traceback, trimmed to the Worker's code; the error alone where no code of the Worker is in it."""
    if worker_frames(error) is None and not has_others(error):
        return format_error_only(error)
    return format_error(error)


def _wants_page(request: Request) -> bool:
    headers = request.headers
    accept = headers.get("accept") or ""
    is_curl = (headers.get("user-agent") or "").startswith("curl/")
    return not is_curl and any(kind in accept for kind in ("text/html", "*/*", "text/*"))
