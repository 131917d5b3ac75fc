"""A service binding: the handlers of another Worker."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NoReturn, Unpack

from cfworkflows.http import Request, RequestInit, Response
from cfworkflows.http.departure import departs
from cfworkflows.permit import permitted


class ServiceBinding:
    """`env.OTHER`: its `fetch` calls the fetch handler of the Worker `service`, without a socket.

    `call` delivers the request. Methods of the other Worker (RPC) are not supported yet and raise AttributeError.
    """

    def __init__(self, call: Callable[[Request], Awaitable[Response]], service: str) -> None:
        self._call = call
        self._service = service

    def __repr__(self) -> str:
        return f"<Service {self._service}>"

    async def fetch(
        self, resource: str | Request, init: RequestInit | Request | None = None, /, **options: Unpack[RequestInit]
    ) -> Response:
        """Send a request: an absolute URL, or a Request, with the options of `Request`.

            response = await env.OTHER.fetch("https://other/orders", {"method": "POST", "body": "…"})

        The other Worker receives the URL unchanged. Raises what its handler raises.
        """
        await permitted(f"fetch() on {self._service}")
        request = Request(resource, init, **options)
        await departs()
        return await self._call(request)

    def _refuse(self, name: str) -> NoReturn:
        if name.startswith("_"):  # asked for by copy, inspect and the like
            raise AttributeError(name)
        raise AttributeError(
            f"{name} is no method of a service binding here: of the Worker {self._service} only `fetch` can be called, "
            "its other methods (RPC) are not supported yet."
        )

    if not TYPE_CHECKING:  # a type checker refuses what is not there
        __getattr__ = _refuse
