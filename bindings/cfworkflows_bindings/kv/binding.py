"""The binding of a KV namespace."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from cfworkflows import types
from cfworkflows.errors import KVError
from cfworkflows.http import ReadableStream
from cfworkflows.values import JsDict
from cfworkflows_bindings.kv import options as given
from cfworkflows_bindings.kv.store import Entry, KVStore, Listed

_from_json = json.JSONDecoder(object_hook=JsDict).decode


class KVBinding:
    """`env.MY_KV`: text and bytes by key."""

    def __init__(self, store: KVStore, id: str) -> None:
        self._store = store
        self._id = id

    def __repr__(self) -> str:
        return f"<KV Namespace {self._id}>"

    async def get(self, key: Any, type_or_options: str | Mapping[str, Any] | None = None, /, **keywords: Any) -> Any:
        """The value of a key, None if there is none; or of up to 100 keys, as a dict with each of them.

            await env.MY_KV.get("a")
            await env.MY_KV.get("a", "json")
            await env.MY_KV.get(["a", "b"], {"type": "json"})

        `type` is `text` by default; `json`, `arrayBuffer` (bytes) and `stream` are the others, the last two for one key
        only. Raises KVError for what the platform's store refuses, TypeError for wrong arguments, and
        json.JSONDecodeError for a value that is not JSON.
        """
        options = given.read_options("get", type_or_options, keywords)
        if isinstance(key, (list, tuple)):
            entries = await self._many(key, options)
            return {key: None if entry is None else entry["value"] for key, entry in entries.items()}
        entry, wanted = await self._one(key, options)
        return None if entry is None else _value(key, entry.value, wanted)

    async def get_with_metadata(
        self, key: Any, type_or_options: str | Mapping[str, Any] | None = None, /, **keywords: Any
    ) -> Any:
        """As `get`, with the metadata: `{"value", "metadata", "cacheStatus"}`, also for a key that is not there.

        Of many keys it is a dict with `{"value", "metadata"}` for each, None for one that is not there.
        """
        options = given.read_options("get_with_metadata", type_or_options, keywords)
        if isinstance(key, (list, tuple)):
            return await self._many(key, options)
        entry, wanted = await self._one(key, options)
        if entry is None:
            return types.KVGetWithMetadataResult(value=None, metadata=None, cacheStatus=None)
        value = _value(key, entry.value, wanted)
        return types.KVGetWithMetadataResult(value=value, metadata=_metadata(entry), cacheStatus=None)

    getWithMetadata = get_with_metadata  # noqa: N815 - the platform's name

    async def put(
        self, key: str, value: types.KVValue, options: Mapping[str, Any] | None = None, /, **keywords: Any
    ) -> None:
        """Store a value: text, bytes, or a stream of up to 25 MiB. What was there is replaced, with its metadata.

            await env.MY_KV.put("a", "1", {"expirationTtl": 60, "metadata": {"by": "me"}})
            await env.MY_KV.put("a", "1", expiration_ttl=60, metadata={"by": "me"})

        `expirationTtl` is in seconds, `expiration` in seconds since the epoch, both by the clock of the project.
        Raises KVError for what the platform's store refuses, and TypeError for wrong arguments.
        """
        read = given.PUT.read("put()", options, keywords)
        name = given.key_of("PUT", key)
        expiration = given.expiration_of(read, self._store.now())
        metadata = given.metadata_of(read)
        await self._store.put(name, Entry(await given.value_of(value), expiration, metadata))

    async def delete(self, key: str, /) -> None:
        """Delete a key. It is no error if it is not there."""
        await self._store.delete(given.key_of("DELETE", key))

    async def list(self, options: Mapping[str, Any] | None = None, /, **keywords: Any) -> types.KVListResult[Any]:
        """The keys, in the order of their bytes as UTF-8, without values.

            page = await env.MY_KV.list({"prefix": "user:", "limit": 100})
            names = [key["name"] for key in page["keys"]]

        A page has up to 1,000 keys. Unless it is `list_complete`, its `cursor` is an option for the next one.
        """
        read = given.LIST.read("list()", options, keywords)
        prefix, limit = given.text_of(read, "prefix"), given.limit_of(read)
        given.check_length("GET", prefix)
        after = given.key_of_cursor(given.text_of(read, "cursor"))
        page = await self._store.list(prefix, after, limit)
        result = types.KVListResult(keys=[_key(each) for each in page.entries], list_complete=page.complete)
        if not page.complete:
            result["cursor"] = given.cursor_after(page.entries[-1].name)
        result["cacheStatus"] = None
        return result

    async def _one(self, key: object, options: dict[str, Any]) -> tuple[Entry | None, str]:
        name = given.key_of("GET", key)
        wanted = given.type_of(options)
        given.check_cache_ttl("GET", options)
        return await self._store.get(name), wanted

    async def _many(
        self, keys: Sequence[Any], options: dict[str, Any]
    ) -> dict[str, types.KVValueWithMetadata[Any, Any] | None]:
        names = given.keys_of(keys)
        wanted = given.bulk_type_of(options)
        given.check_cache_ttl("GET_BULK", options)
        found = await self._store.get_many(names)
        if sum(len(entry.value) for entry in found.values()) > given.MAX_VALUE_BYTES:
            given.refuse("GET_BULK", 413, "Total size of request exceeds the limit of 25MB")
        return {name: _bulk_value(name, found[name], wanted) if name in found else None for name in names}


def _value(key: object, data: bytes, wanted: str) -> Any:
    if wanted == "arrayBuffer":
        return data
    if wanted == "stream":
        return ReadableStream(data)
    text = data.decode("utf-8", "replace")
    if wanted == "text":
        return text
    try:
        return _from_json(text)
    except json.JSONDecodeError as error:
        message = f"The value of the key {key!r} is not JSON: {error.msg}"
        raise json.JSONDecodeError(message, error.doc, error.pos) from None


def _bulk_value(key: str, entry: Entry, wanted: str) -> types.KVValueWithMetadata[Any, Any]:
    try:
        value = _value(key, entry.value, wanted)
    except json.JSONDecodeError as error:
        text = "KV GET_BULK failed: 400 At least one of the requested keys corresponds to a non-json value"
        refused = KVError(text, status=400)
        refused.add_note(str(error))
        raise refused from None
    return types.KVValueWithMetadata(value=value, metadata=_metadata(entry))


def _metadata(entry: Entry | Listed) -> Any:
    return None if entry.metadata is None else _from_json(entry.metadata)


def _key(entry: Listed) -> types.KVListKey[Any]:
    key: types.KVListKey[Any] = types.KVListKey(name=entry.name)
    if entry.expiration is not None:
        key["expiration"] = entry.expiration
    if entry.metadata is not None:
        key["metadata"] = _metadata(entry)
    return key
