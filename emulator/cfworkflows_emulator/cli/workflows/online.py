"""The client of a running `cfwf dev`, with the standard library: HTTP libraries take longer to import than to ask."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlencode, urlsplit

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator import EXPLORER_API
from cfworkflows_emulator.cli.workflows.client import NOTHING, Answer, RefusedError, SupportsRead

PATIENCE_S = 60.0
"""How long an answer may take, in seconds. While the server reloads it is silent."""

LAST = ("workflow_completed", "workflow_errored", "workflow_terminated")


class ServerClient:
    """The server at `origin`. `by_folder` says that it was found by its state folder, so that it is on this machine."""

    is_served = True

    def __init__(self, origin: str, *, by_folder: bool = False) -> None:
        self._origin = origin
        self.where = f"the server at {origin}"
        try:
            url = urlsplit(origin)
        except ValueError as error:
            raise CfworkflowsError(f"{origin} is not the address of a server: {error}.") from None
        self._host, self._port = url.hostname or "localhost", url.port
        # Such a server may listen on an address that its APIs do not accept as a host name.
        self._headers = {"host": f"localhost:{self._port}"} if by_folder else {}

    def request(self, method: str, path: str, *, query: Mapping[str, Any] | None = None, body: Any = NOTHING) -> Answer:
        headers = dict(self._headers)
        text = None
        if body is not NOTHING:
            headers["content-type"] = "application/json"
            text = json.dumps(body)
        with self._connected(PATIENCE_S) as connection:
            asked = f"?{urlencode(query)}" if query else ""
            response = self._asked(connection, method, f"{path}{asked}", text, headers)
            return self._answer(response)

    def content(self, path: str) -> bytes:
        with self._connected(PATIENCE_S) as connection:
            response = self._asked(connection, "GET", path, None, dict(self._headers))
            if response.status != 200:
                self._answer(response)
            return response.read()

    def upload(self, path: str, body: SupportsRead, *, query: Mapping[str, Any] | None = None) -> Answer:
        with self._connected(None) as connection:
            asked = f"?{urlencode(query)}" if query else ""
            headers = {**self._headers, "content-type": "application/octet-stream"}
            return self._answer(self._asked(connection, "POST", f"{path}{asked}", body, headers))

    def events(self, path: str) -> Iterator[dict[str, Any]]:
        last_id = "0"
        while True:  # a reload of the server ends the stream, and not the instance
            with self._connected(None) as connection:
                response = self._asked(connection, "GET", path, None, {**self._headers, "last-event-id": last_id})
                if response.status == 204:
                    return
                if response.status != 200:
                    self._answer(response)
                for event in _messages(response):
                    last_id = str(event["eventId"])
                    yield event
                    if event["type"] in LAST:
                        return

    def _connected(self, timeout: float | None) -> "closing[HTTPConnection]":
        return closing(HTTPConnection(self._host, self._port, timeout=timeout))

    def _asked(
        self,
        connection: HTTPConnection,
        method: str,
        path: str,
        body: str | SupportsRead | None,
        headers: dict[str, str],
    ) -> HTTPResponse:
        try:
            connection.request(method, EXPLORER_API + path, body, headers)
            return connection.getresponse()
        except TimeoutError:
            raise CfworkflowsError(f"{self._origin} did not answer within {PATIENCE_S:g} seconds.") from None
        except (OSError, HTTPException, ValueError) as error:  # the last for what no host can be called
            raise CfworkflowsError(
                f"Could not connect to {self._origin}: {error}. Make sure that `cfwf dev` is running there; without "
                "--port and --host the server of this folder is asked or, if there is none, its state."
            ) from error

    def _answer(self, response: HTTPResponse) -> Answer:
        text = response.read().decode("utf-8", "replace")
        try:
            envelope = json.loads(text)
            messages = [each["message"] for each in envelope["errors"]]
        except (ValueError, KeyError, TypeError):
            lines = text.strip().split("\n")
            if response.status == 500 and not text.startswith(("<", "{")) and text.strip():
                # The last line of a traceback says what is wrong.
                raise RefusedError(500, f"The Worker at {self._origin} does not load: {lines[-1][:200]}") from None
            shown = lines[0][:200] if response.status == 403 else "Is that another server?"
            raise RefusedError(
                response.status, f"{self._origin} answered {response.status}, and not as `cfwf dev` does. {shown}"
            ) from None
        if response.status >= 400 or not envelope["success"]:
            details = [each["message"] for each in envelope["messages"]]
            raise RefusedError(response.status, "\n".join([*messages, *details]))
        return Answer(envelope["result"], envelope.get("result_info") or {})


def _messages(response: HTTPResponse) -> Iterator[dict[str, Any]]:
    """The data of server-sent events, until the stream ends, however it does."""
    try:
        for line in response:
            if line.startswith(b"data: "):
                yield json.loads(line[6:])
    except (OSError, HTTPException):
        return
