"""The Local Explorer API: `/cdn-cgi/local/explorer/api`, with the older path that some clients still use."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from cfworkflows.errors import WorkflowError
from cfworkflows.http import Request, Response
from cfworkflows_emulator.api.details import describe_instance, iso, without_functions
from cfworkflows_emulator.api.guard import refusal
from cfworkflows_emulator.engine import Engine, Status

PREFIXES = ("/cdn-cgi/local/explorer/api", "/cdn-cgi/explorer/api")
NOT_FOUND = 10501
INVALID = 10001
MAX_PER_PAGE = 100

_LIST = re.compile(r"/workflows/?")
_WORKFLOW = re.compile(r"/workflows/([^/]+)")
_INSTANCES = re.compile(r"/workflows/([^/]+)/instances/?")
_INSTANCE = re.compile(r"/workflows/([^/]+)/instances/(.+)")

Query = Mapping[str, str]


class ExplorerApi:
    """Answers the Explorer's questions about workflows and instances.

    `class_names` and `script_name` are what the configuration says of each workflow.
    """

    def __init__(self, engine: Engine, class_names: Mapping[str, str], script_name: str) -> None:
        self._engine = engine
        self._class_names = class_names
        self._script_name = script_name
        self._routes: list[tuple[re.Pattern[str], Callable[..., Awaitable[Response]]]] = [
            (_LIST, self._workflows),
            (_WORKFLOW, self._workflow),
            (_INSTANCES, self._instances),
            (_INSTANCE, self._instance),
        ]

    @staticmethod
    def owns(path: str) -> bool:
        """Whether a path belongs to this API rather than to the Worker."""
        return path.startswith("/cdn-cgi/") and any(
            path == prefix or path.startswith(prefix + "/") for prefix in PREFIXES
        )

    async def fetch(self, request: Request) -> Response:
        """The answer to a request for a path that `owns` says is ours."""
        if (refused := refusal(request)) is not None:
            return refused
        url = urlsplit(request.url)
        path = next(url.path.removeprefix(prefix) for prefix in PREFIXES if url.path.startswith(prefix))
        for pattern, handler in self._routes:
            if match := pattern.fullmatch(path):
                if request.method not in ("GET", "HEAD"):
                    return _failure(405, INVALID, f"{request.method} {url.path} is not supported yet.")
                return await self._answer(handler, match, dict(parse_qsl(url.query)))
        return _failure(404, INVALID, f"There is no {url.path}.")

    async def _answer(
        self, handler: Callable[..., Awaitable[Response]], match: re.Match[str], query: Query
    ) -> Response:
        names = [unquote(group) for group in match.groups()]
        if names and names[0] not in self._engine.definitions:
            return _failure(404, NOT_FOUND, f"Workflow '{names[0]}' not found.")
        try:
            return await handler(*names, query)
        except WorkflowError as error:
            if error.code == "instance.not_found":
                return _failure(404, NOT_FOUND, f"Workflow instance '{names[1]}' not found.")
            return _failure(400, INVALID, str(error))
        except ValueError as error:
            return _failure(400, INVALID, str(error))

    def _summary(self, workflow: str) -> dict[str, Any]:
        return {"name": workflow, "class_name": self._class_names[workflow], "script_name": self._script_name}

    async def _workflows(self, query: Query) -> Response:
        result = [self._summary(workflow) for workflow in self._engine.definitions]
        return _success(result, count=len(result))

    async def _workflow(self, workflow: str, query: Query) -> Response:
        counts = await self._engine.counts(workflow)
        instances = {str(status): counts.get(status, 0) for status in Status}
        return _success({**self._summary(workflow), "instances": instances})

    async def _instances(self, workflow: str, query: Query) -> Response:
        page = _whole(query, "page", 1, None)
        per_page = _whole(query, "per_page", 25, MAX_PER_PAGE)
        status = query.get("status")
        if status is not None and status not in list(Status):
            options = "|".join(f'"{option}"' for option in Status)
            raise ValueError(f"status: Invalid option: expected one of {options}")
        statuses = (status,) if status is not None else ()
        counts = await self._engine.counts(workflow)
        rows = await self._engine.list(workflow, statuses=statuses, limit=per_page, offset=(page - 1) * per_page)
        total = counts.get(status, 0) if status is not None else sum(counts.values())
        result = [{"id": row.id, "status": row.status, "created_on": iso(row.created_at)} for row in rows]
        return _success(
            result,
            page=page,
            per_page=per_page,
            total_count=total,
            total_pages=-(-total // per_page),
            status_counts=counts,
        )

    async def _instance(self, workflow: str, id: str, query: Query) -> Response:
        _, entries = await self._engine.history(workflow, id)
        return _success(without_functions(describe_instance(entries)))


def _whole(query: Query, key: str, default: int, most: int | None) -> int:
    text = query.get(key, str(default))
    if not text.isascii() or not text.isdigit():
        raise ValueError(f'{key}: Expected query param to be a whole number but received "{text}"')
    if int(text) < 1:
        raise ValueError(f"{key}: Too small: expected number to be >=1")
    if most is not None and int(text) > most:
        raise ValueError(f"{key}: Too big: expected number to be <={most}")
    return int(text)


def _success(result: Any, **info: Any) -> Response:
    envelope = {"success": True, "errors": [], "messages": [], "result": result}
    return Response.json({**envelope, "result_info": info} if info else envelope)


def _failure(status: int, code: int, message: str) -> Response:
    envelope = {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}
    return Response.json(envelope, {"status": status})
