"""The buckets of a running `cfwf dev`, by the Local Explorer API."""

import json
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any, BinaryIO
from urllib.parse import quote, urlencode, urlsplit

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator import EXPLORER_API
from cfworkflows_emulator.cli.r2.client import CHUNK, Listed


class ServedBuckets:
    """The server at `origin`; `by_folder` says that it was found by its state folder, so that it is on this machine."""

    def __init__(self, origin: str, *, by_folder: bool = False) -> None:
        self.where = f"the server at {origin}"
        url = urlsplit(origin)
        self._host, self._port = url.hostname or "localhost", url.port
        self._headers = {"host": f"localhost:{self._port}"} if by_folder else {}

    def names(self) -> list[str]:
        return [each["name"] for each in self._json("GET", "/r2/buckets")["result"]["buckets"]]

    def put(self, bucket: str, key: str, file: BinaryIO, size: int, headers: Mapping[str, str]) -> None:
        self._json("PUT", _path(bucket, key), file, {**headers, "content-length": str(size)})

    def get(self, bucket: str, key: str) -> Iterator[bytes] | None:
        response = self._asked("GET", _path(bucket, key), None, {})
        if response.status == 404 and b"10007" in (text := response.read()):
            return None
        if response.status != 200:
            raise CfworkflowsError(_message(text if response.status == 404 else response.read()))
        return iter(lambda: response.read(CHUNK), b"")

    def delete(self, bucket: str, key: str) -> None:
        self._json("DELETE", _path(bucket, key))

    def list(self, bucket: str, prefix: str) -> Iterator[Listed]:
        query = {"prefix": prefix}
        while True:
            page = self._json("GET", f"/r2/buckets/{quote(bucket, safe='')}/objects?{urlencode(query)}")
            yield from (Listed(each["key"], each["size"], each["etag"]) for each in page["result"])
            if "cursor" not in page["result_info"]:
                return
            query["cursor"] = page["result_info"]["cursor"]

    def _json(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        with self._asked(method, path, body, headers or {}) as response:
            data = response.read()
        if response.status != 200:
            raise CfworkflowsError(_message(data))
        return json.loads(data)

    def _asked(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> HTTPResponse:
        connection = HTTPConnection(self._host, self._port, blocksize=CHUNK)
        try:
            # The response is then the only owner of the connection, and closes it at its end.
            connection.request(method, EXPLORER_API + path, body, {**self._headers, **headers, "connection": "close"})
            return connection.getresponse()
        except (OSError, HTTPException) as error:
            raise CfworkflowsError(f"{self.where} cannot be reached: {error}.") from error


def _path(bucket: str, key: str) -> str:
    return f"/r2/buckets/{quote(bucket, safe='')}/objects/{quote(key, safe='')}"


def _message(data: bytes) -> str:
    try:
        envelope = json.loads(data)
        return "\n".join(each["message"] for each in (*envelope["errors"], *envelope["messages"]))
    except (ValueError, KeyError, TypeError):
        return data.decode("utf-8", "replace")[:200]
