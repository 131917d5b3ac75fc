"""Routes about KV namespaces: their list, their keys, and values."""

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from cfworkflows.errors import KVError, SerializationError
from cfworkflows.http import File, Request, Response
from cfworkflows_bindings import KVBinding
from cfworkflows_bindings.kv import Entry
from cfworkflows_bindings.kv import options as given
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.routing.envelope import ApiError, success
from cfworkflows_emulator.api.routing.routes import Call, Route
from cfworkflows_emulator.api.routing.validation import Form, Query
from cfworkflows_emulator.api.workflows import Workflows
from cfworkflows_emulator.config import KV_NAMESPACES
from cfworkflows_emulator.runtime import kv_store
from cfworkflows_emulator.stores.kv import KVStore

MOST_CHANGED = 10_000
"""How many keys one request may change."""

INVALID = 10001
REFUSED = 10000
NO_KEY = 10009
NO_NAMESPACE = 10013


class NamespacesQuery(Query):
    """The order of the namespaces."""

    order: Literal["id", "title"] = "id"
    direction: Literal["asc", "desc"] = "asc"


class KeysQuery(Query):
    """Which keys of a namespace. `cursor` is `result_info.cursor` of the previous page."""

    limit: Annotated[float, Field(ge=10, le=1000)] = 1000
    prefix: str = ""
    cursor: str = ""


class PutQuery(Query):
    """When the key expires: a time to live in seconds, or a time in seconds since the epoch."""

    expiration: Annotated[int, Field(strict=False)] | None = None
    expiration_ttl: Annotated[int, Field(strict=False)] | None = None


class BulkGet(Form):
    """Keys whose values are wanted, as text or as JSON."""

    keys: list[str]
    type: Literal["text", "json"] = "text"
    with_metadata: bool = Field(default=False, alias="withMetadata")

    @model_validator(mode="before")
    @classmethod
    def _has_keys(cls, value: Any) -> Any:
        if isinstance(value, dict) and "keys" not in value:
            raise ValueError("keys: Invalid input: expected array, received undefined")
        return value


class Pair(Form):
    """A key and its value; with `base64` the value is that of bytes."""

    key: str
    value: str
    base64: bool = False
    expiration: int | None = None
    expiration_ttl: int | None = None
    metadata: Any = None


Pairs = Annotated[list[Pair], Field(max_length=MOST_CHANGED)]
Keys = Annotated[list[str], Field(max_length=MOST_CHANGED)]


class KVRoutes:
    """`/storage/kv/…`. A namespace that no Worker is bound to is refused, so that a wrong id makes no new one."""

    def __init__(self, workflows: Workflows) -> None:
        self._project = workflows.project

    def routes(self) -> list[Route]:
        namespaces = "/storage/kv/namespaces"
        one = f"{namespaces}/{{namespace}}"
        value = f"{one}/values/{{key}}"
        changed = results.KVChanged
        return [
            Route("GET", namespaces, self._list, "List namespaces.", NamespacesQuery, result=list[results.KVNamespace]),
            Route("GET", f"{one}/keys", self._keys, "List keys.", KeysQuery, result=list[results.KVKey]),
            Route("GET", value, self._get, "The value of a key."),
            Route("PUT", value, self._put, "Store a value; the body is the value.", PutQuery, result=dict[str, Any]),
            Route("DELETE", value, self._delete, "Delete a key.", result=dict[str, Any]),
            Route("POST", f"{one}/bulk/get", self._get_many, "Get values.", body=BulkGet, result=results.KVValues),
            Route("PUT", f"{one}/bulk", self._put_many, "Store values: all, or none.", body=Pairs, result=changed),
            Route("POST", f"{one}/bulk/delete", self._delete_many, "Delete keys.", body=Keys, result=changed),
        ]

    def _titles(self) -> dict[str, str]:
        """The first binding of each namespace."""
        sections = [section for loaded in self._project.configs for section in loaded.sections(KV_NAMESPACES)]
        return {section.namespace: section.binding for section in reversed(sections)}

    async def _store(self, call: Call) -> KVStore:
        id = call.names["namespace"]
        known = self._titles()
        if id not in known:
            there = ", ".join(sorted(known)) or "none"
            raise ApiError(404, NO_NAMESPACE, "namespace not found", detail=f"There is no {id!r}, but: {there}.")
        return await kv_store(id, self._project.resources)

    async def _binding(self, call: Call) -> KVBinding:
        return KVBinding(await self._store(call), call.names["namespace"])

    async def _list(self, call: Call) -> Response:
        query: NamespacesQuery = call.query
        found = [{"id": id, "title": title} for id, title in self._titles().items()]
        found.sort(key=lambda each: each[query.order], reverse=query.direction == "desc")
        return success(found, {"count": len(found)})

    async def _keys(self, call: Call) -> Response:
        query: KeysQuery = call.query
        binding = await self._binding(call)
        with _refusals():
            page = await binding.list(limit=int(query.limit), prefix=query.prefix, cursor=query.cursor)
        return success(page["keys"], {"count": len(page["keys"]), "cursor": page.get("cursor", "")})

    async def _get(self, call: Call) -> Response:
        store = await self._store(call)
        with _refusals():
            entry = await store.get(given.key_of("GET", call.names["key"]))
        if entry is None:
            raise ApiError(404, NO_KEY, "Not Found")
        # As on the platform's local server the value has no type: it must not be taken for a page.
        response = Response(entry.value, {"headers": {"x-content-type-options": "nosniff"}})
        if entry.expiration is not None:
            response.headers.set("expiration", str(entry.expiration))
        return response

    async def _put(self, call: Call) -> Response:
        query: PutQuery = call.query
        binding = await self._binding(call)
        with _refusals():
            value, metadata = await _content(call.request)
            options = {"metadata": metadata, **query.model_dump(exclude_none=True)}
            await binding.put(call.names["key"], value, **options)
        return success({})

    async def _delete(self, call: Call) -> Response:
        binding = await self._binding(call)
        with _refusals():
            await binding.delete(call.names["key"])
        return success({})

    async def _get_many(self, call: Call) -> Response:
        body: BulkGet = call.body
        binding = await self._binding(call)
        with _refusals():
            method = binding.get_with_metadata if body.with_metadata else binding.get
            return success({"values": await method(body.keys, type=body.type)})

    async def _put_many(self, call: Call) -> Response:
        store = await self._store(call)
        pairs: list[Pair] = call.body
        with _refusals():
            await store.put_many([await _entry(pair, store.now()) for pair in pairs])
        return success({"successful_key_count": len(pairs), "unsuccessful_keys": []})

    async def _delete_many(self, call: Call) -> Response:
        store = await self._store(call)
        with _refusals():
            await store.delete_many([given.key_of("DELETE", key) for key in call.body])
        return success({"successful_key_count": len(call.body), "unsuccessful_keys": []})


async def _content(request: Request) -> tuple[Any, Any]:
    """The value of a request, and its metadata, which only a form has."""
    if not (request.headers.get("content-type") or "").lower().startswith("multipart/form-data"):
        return await request.bytes(), None
    form = await request.form_data()
    value, metadata = form.get("value"), form.get("metadata")
    if value is None:
        raise ValueError('value: the form has no field "value"')
    if isinstance(metadata, File):
        metadata = await metadata.text()
    content = await value.bytes() if isinstance(value, File) else value
    return content, None if metadata is None else json.loads(metadata)


async def _entry(pair: Pair, now_ms: int) -> tuple[str, Entry]:
    options = pair.model_dump(include={"expiration", "expiration_ttl", "metadata"}, exclude_none=True)
    try:
        value = base64.b64decode(pair.value, validate=True) if pair.base64 else pair.value
    except binascii.Error as error:
        raise ValueError(f"The value of {pair.key!r} is not base64: {error}.") from None
    expiration, metadata = given.expiration_of(options, now_ms), given.metadata_of(options)
    return given.key_of("PUT", pair.key), Entry(await given.value_of(value), expiration, metadata)


@contextmanager
def _refusals() -> Iterator[None]:
    """What a namespace refuses is an error of the API."""
    try:
        yield
    except KVError as error:
        status = error.status or 400
        raise ApiError(status, REFUSED, str(error).partition(f"failed: {status} ")[2] or str(error)) from error
    except (TypeError, ValueError, SerializationError) as error:
        raise ApiError(400, INVALID, str(error)) from error
