"""Routes about R2 buckets and their objects."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from cfworkflows.errors import R2Error
from cfworkflows.http import Headers, Response
from cfworkflows_bindings import R2Binding, R2Object, R2ObjectBody
from cfworkflows_bindings.r2.codes import INTERNAL, MESSAGES, NO_SUCH_KEY
from cfworkflows_bindings.r2.metadata import HTTP_FIELDS
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.r2.buckets import R2Buckets
from cfworkflows_emulator.api.requests import R2ObjectsQuery
from cfworkflows_emulator.api.routing.envelope import ApiError, success
from cfworkflows_emulator.api.routing.routes import Call, Route
from cfworkflows_emulator.views import iso

METADATA = "cf-r2-custom-metadata"
METADATA_ONLY = "cf-metadata-only"
STORAGE_CLASS = "cf-r2-storage-class"

INVALID = 10001
NO_SUCH_BUCKET = 10006


class R2Routes:
    """`/r2/…`: the buckets that Workers are bound to, and what is in them."""

    def __init__(self, buckets: R2Buckets) -> None:
        self._buckets = buckets

    def routes(self) -> list[Route]:
        objects = "/r2/buckets/{bucket_name}/objects"
        one = f"{objects}/{{object_key}}"
        return [
            Route("GET", "/r2/buckets", self._list_buckets, "List the R2 buckets.", result=results.R2BucketList),
            Route("GET", objects, self._list, "List objects.", R2ObjectsQuery, result=list[results.R2Listed]),
            Route(
                "DELETE", objects, self._delete_some, "Delete objects.", body=list[str], result=list[results.R2Deleted]
            ),
            Route("GET", one, self._get, "An object; with cf-metadata-only what is known of it."),
            Route("PUT", one, self._put, "Store an object; the body is its content.", result=results.R2Stored),
            Route("DELETE", one, self._delete, "Delete an object.", result=results.R2Deleted),
        ]

    async def _bucket(self, call: Call) -> R2Binding:
        name = call.names["bucket_name"]
        bucket = await self._buckets.find(name)
        if bucket is None:
            known = ", ".join(self._buckets.names) or "none"
            raise ApiError(
                404,
                NO_SUCH_BUCKET,
                "The specified bucket does not exist.",
                detail=f"There is no {name!r}, but: {known}.",
            )
        return bucket

    async def _list_buckets(self, call: Call) -> Response:
        names = self._buckets.names
        return success(
            {"buckets": [{"name": name} for name in names]}, {"count": len(names), "total_count": len(names)}
        )

    async def _list(self, call: Call) -> Response:
        query: R2ObjectsQuery = call.query
        bucket = await self._bucket(call)
        with _refusals():
            page = await bucket.list(
                limit=query.per_page,
                prefix=query.prefix,
                delimiter=query.delimiter or None,
                cursor=query.cursor or None,
            )
        found = [_described(each) for each in page["objects"]]
        info: dict[str, Any] = {"delimited": page["delimitedPrefixes"]}
        if page["cursor"] is not None:
            info["cursor"] = page["cursor"]
        return success(found, {**info, "is_truncated": "true" if page["truncated"] else "false"})

    async def _get(self, call: Call) -> Response:
        bucket = await self._bucket(call)
        is_head = call.request.headers.get(METADATA_ONLY) == "true"
        with _refusals():
            key = call.names["object_key"]
            found = await (bucket.head(key) if is_head else bucket.get(key))
        if found is None:
            raise ApiError(404, NO_SUCH_KEY, MESSAGES[NO_SUCH_KEY])
        if not isinstance(found, R2ObjectBody):
            return success(_described(found))
        response = Response(found.body)
        found.write_http_metadata(response.headers)
        response.headers.set("etag", found.http_etag)
        response.headers.set("content-length", str(found.size))
        if "content-type" not in response.headers:
            response.headers.set("content-type", "application/octet-stream")
        return response

    async def _put(self, call: Call) -> Response:
        bucket = await self._bucket(call)
        headers = call.request.headers
        custom = headers.get(METADATA)
        try:
            metadata = {} if custom is None else json.loads(custom)
        except ValueError:
            raise ApiError(400, INVALID, f"The header {METADATA} is no JSON object.") from None
        http = Headers({header: headers[header] for header in (*HTTP_FIELDS.values(), "expires") if header in headers})
        with _refusals():
            stored = await bucket.put(
                call.names["object_key"],
                call.request.body,
                http_metadata=http,
                custom_metadata=metadata,
                storage_class=headers.get(STORAGE_CLASS),
            )
        assert stored is not None  # there is no condition
        return success({"key": stored.key, "etag": stored.etag, "size": stored.size, "version": stored.version})

    async def _delete(self, call: Call) -> Response:
        with _refusals():
            await (await self._bucket(call)).delete(call.names["object_key"])
        return success({"key": call.names["object_key"]})

    async def _delete_some(self, call: Call) -> Response:
        with _refusals():
            await (await self._bucket(call)).delete(call.body)
        return success([{"key": key} for key in call.body])


def _described(found: R2Object) -> dict[str, Any]:
    stored = found.stored
    return {
        "key": stored.key,
        "etag": stored.etag,
        "size": stored.size,
        "last_modified": iso(stored.uploaded),
        "http_metadata": {name: text for name, text in stored.http.items() if isinstance(text, str)},
        "custom_metadata": dict(stored.custom),
    }


@contextmanager
def _refusals() -> Iterator[None]:
    """What a bucket refuses is an error of the API."""
    try:
        yield
    except R2Error as error:
        code = error.code or INVALID
        text = str(error).removesuffix(f" ({error.code})").partition(": ")[2]
        raise ApiError(500 if code == INTERNAL else 400, code, text or str(error)) from error
    except (TypeError, ValueError) as error:
        raise ApiError(400, INVALID, str(error)) from error
