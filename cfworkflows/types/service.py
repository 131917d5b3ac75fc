"""A service binding: another Worker."""

from typing import Protocol, Unpack

from cfworkflows.http import Request, RequestInit, Response


class Fetcher(Protocol):
    """`env.OTHER`: its `fetch` calls the fetch handler of another Worker."""

    async def fetch(
        self, resource: str | Request, init: RequestInit | Request | None = None, /, **options: Unpack[RequestInit]
    ) -> Response: ...
