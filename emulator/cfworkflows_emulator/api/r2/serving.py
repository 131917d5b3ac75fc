"""An object as an answer of HTTP: whole or a range, under the conditions of the request."""

from dataclasses import replace
from email.utils import format_datetime

from cfworkflows.errors import R2Error
from cfworkflows.http import Request, Response
from cfworkflows_bindings import R2Binding, R2Object, R2ObjectBody
from cfworkflows_bindings.r2.codes import INVALID_RANGE
from cfworkflows_bindings.r2.conditions import of_headers
from cfworkflows_bindings.r2.ranges import WHOLE, of_header


async def served(bucket: R2Binding, key: str, request: Request) -> Response | None:
    """The answer to a GET or HEAD, with status 200, 206, 304, 412 or 416; None if there is no such object.

    Raises R2Error for a key that is none, and for a header that is no ETag.
    """
    headers = request.headers
    condition = of_headers(headers)
    wanted = of_header(headers.get("range"))
    found: R2Object | None = await bucket.head(key)
    if found is None:
        return None
    if not condition.hold(found.stored):
        is_changed = not replace(condition, does_not_match=None, after=None).hold(found.stored)
        return _answer(found, 412 if is_changed else 304)
    try:
        start, length = wanted.within(found.size)
    except R2Error as error:
        if error.code != INVALID_RANGE:
            raise
        refused = _answer(found, 416)
        refused.headers.set("content-range", f"bytes */{found.size}")
        return refused
    status = 200 if wanted == WHOLE else 206
    if request.method == "HEAD":
        answer = _answer(found, status)
    else:
        body = await bucket.get(key, {} if wanted == WHOLE else {"range": {"offset": start, "length": length}})
        assert isinstance(body, R2ObjectBody)  # nothing was awaited since it was there
        answer = _answer(body, status, body)
    answer.headers.set("content-length", str(length))
    if status == 206:
        answer.headers.set("content-range", f"bytes {start}-{start + length - 1}/{found.size}")
    return answer


def _answer(found: R2Object, status: int, body: R2ObjectBody | None = None) -> Response:
    answer = Response(body.body if body is not None else None, {"status": status})
    found.write_http_metadata(answer.headers)
    answer.headers.set("etag", found.http_etag)
    answer.headers.set("last-modified", format_datetime(found.uploaded, usegmt=True))
    answer.headers.set("accept-ranges", "bytes")
    return answer
