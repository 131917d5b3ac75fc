"""Routes as a table: what answers a request, and what the API's own description says of it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from cfworkflows.errors import (
    CfworkflowsError,
    DurationError,
    PayloadValidationError,
    SerializationError,
    WorkflowError,
)
from cfworkflows.http import Request, Response
from cfworkflows_emulator.api.routing.envelope import ApiError, failure
from cfworkflows_emulator.api.routing.validation import InvalidError, Query, checked_body, checked_query, read_json
from cfworkflows_emulator.storage import StateError

REFUSALS = (WorkflowError, SerializationError, PayloadValidationError, DurationError, StateError)
"""What the engine raises for a mistake of its caller, or because nothing can be stored."""

ANY_JSON = Any
"""The body of a route that takes any JSON, or none."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request on a route: the names in its path, its query, and its body as the route's types say."""

    names: dict[str, str]
    query: Any
    body: Any
    request: Request


Handler = Callable[[Call], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Route:
    """`path` has its names in braces; an `{instance}` may have slashes in it, as the ids have that schedules make.

    `body` is the type of the JSON that it takes, None if it takes none; a model may be left out if all its fields may.
    `result` is the type of its result, None for an answer that is not in the envelope.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    query: type[Query] = Query
    body: Any = None
    result: Any = None


@dataclass(frozen=True, slots=True)
class Dialect:
    """How an API words its refusals: of an unknown path, of a method, of wrong input, and of what the engine refuses.

    `refused` gets the names in the path too.
    """

    no_route: int
    no_method: int
    invalid: Callable[[tuple[str, ...]], ApiError]
    refused: Callable[[CfworkflowsError, Mapping[str, str]], ApiError]


class Router:
    """Finds the route of a request. Of several that fit, the first one."""

    def __init__(self, routes: Sequence[Route], dialect: Dialect) -> None:
        self.routes = tuple(routes)
        self._dialect = dialect
        self._patterns = [(route, _pattern(route.path)) for route in routes]

    async def answer(self, request: Request, path: str, query: str) -> Response:
        """The answer of the route, or what is wrong with the request."""
        try:
            return await self._answer(request, path, query)
        except ApiError as error:
            return failure(error)

    async def _answer(self, request: Request, path: str, query: str) -> Response:
        method = "GET" if request.method == "HEAD" else request.method
        allowed = []
        for route, pattern in self._patterns:
            if (match := pattern.fullmatch(path)) is None:
                continue
            if route.method != method:
                allowed.append(route.method)
                continue
            names = {name: unquote(value) for name, value in match.groupdict().items()}
            try:
                return await route.handler(await _call(route, names, query, request))
            except InvalidError as error:
                raise self._dialect.invalid(error.problems) from error
            except REFUSALS as error:
                raise self._dialect.refused(error, names) from error
        if allowed:
            options = ", ".join(dict.fromkeys(allowed))
            text = f"{request.method} is not available for {path}, only {options}."
            raise ApiError(405, self._dialect.no_method, text)
        raise ApiError(404, self._dialect.no_route, f"There is no {path}.")


async def _call(route: Route, names: dict[str, str], query: str, request: Request) -> Call:
    asked = checked_query(route.query, dict(parse_qsl(query, keep_blank_values=True)))
    if route.body is None:
        return Call(names, asked, None, request)
    body = await read_json(request)
    if route.body is not ANY_JSON:
        body = checked_body(route.body, {} if body is None else body)
    return Call(names, asked, body, request)


def _pattern(path: str) -> re.Pattern[str]:
    pattern = re.sub(r"\{(\w+)\}", lambda name: rf"(?P<{name[1]}>{'.+' if name[1] == 'instance' else '[^/]+'})", path)
    return re.compile(pattern + "/?")
