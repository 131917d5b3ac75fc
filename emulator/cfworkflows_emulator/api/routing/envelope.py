"""The envelope of every answer of the platform's API."""

from typing import Any

from cfworkflows.http import Response


class ApiError(Exception):
    """A request that is refused: the HTTP status, the platform's code and message, and what to do about it.

    `problems` are further messages of the same code, where there is more than one.
    """

    def __init__(
        self, status: int, code: int, message: str, *, detail: str = "", problems: tuple[str, ...] = ()
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.messages = (message, *problems)
        self.detail = detail


def success(result: Any, info: dict[str, Any] | None = None, *, note: str = "") -> Response:
    """`{success, errors, messages, result}`, with `result_info` if there is any. `note` is for people to read."""
    messages = [{"code": 0, "message": note}] if note else []
    envelope: dict[str, Any] = {"success": True, "errors": [], "messages": messages, "result": result}
    if info is not None:
        envelope["result_info"] = info
    return Response.json(envelope)


def failure(error: ApiError) -> Response:
    """The same for an error, with its status. A header says to clients that a retry would not help."""
    envelope = {
        "success": False,
        "errors": [{"code": error.code, "message": message} for message in error.messages],
        "messages": [{"code": error.code, "message": error.detail}] if error.detail else [],
        "result": None,
    }
    headers = {"x-should-retry": "false"} if error.status < 500 else None
    return Response.json(envelope, {"status": error.status, "headers": headers})
