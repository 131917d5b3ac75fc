"""The metadata of an object: what it is served with, what its owner notes of it, and the key it is encrypted by."""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from cfworkflows.errors import R2Error
from cfworkflows.http import Headers
from cfworkflows.values import JsDict
from cfworkflows_bindings.forms import snake_case
from cfworkflows_bindings.r2.codes import LARGEST_METADATA, METADATA_TOO_LARGE, refusal
from cfworkflows_bindings.r2.conditions import http_date, moment

HTTP_FIELDS = {
    "contentType": "content-type",
    "contentLanguage": "content-language",
    "contentDisposition": "content-disposition",
    "contentEncoding": "content-encoding",
    "cacheControl": "cache-control",
}
"""The platform's names, and those of the headers."""

STORAGE_CLASSES = ("Standard", "InfrequentAccess")


def fields_of(action: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the options of `put` and `createMultipartUpload` say of an object, as a store keeps it. Raises R2Error for
    metadata that is too large, and TypeError for what is none.
    """
    storage_class = given.get("storage_class") or "Standard"
    if storage_class not in STORAGE_CLASSES:
        raise R2Error(f"{action}: The storage class is one of {', '.join(STORAGE_CLASSES)}, not {storage_class!r}.")
    return {
        "http": http_metadata(given["http_metadata"]) if given.get("http_metadata") is not None else {},
        "custom": custom_metadata(action, given["custom_metadata"]) if "custom_metadata" in given else {},
        "storage_class": storage_class,
        "ssec_md5": ssec_md5(given.get("ssec_key")),
    }


def http_metadata(value: object) -> dict[str, Any]:
    """`httpMetadata`, an object or Headers, by the platform's names; `cacheExpiry` in ms since the epoch."""
    if isinstance(value, Headers):
        found: dict[str, Any] = {
            name: text for name, header in HTTP_FIELDS.items() if (text := value.get(header)) is not None
        }
        expires = http_date(value.get("expires"))
        return found if expires is None else {**found, "cacheExpiry": expires}
    if not isinstance(value, Mapping):
        raise TypeError(
            "Incorrect type for the 'httpMetadata' field on 'PutOptions': the provided value is not of type "
            "'HttpMetadata or Headers'."
        )
    found = {}
    for name in HTTP_FIELDS:
        text = value.get(name, value.get(snake_case(name)))
        if text is not None:
            found[name] = as_text(text)
    expiry = moment(value.get("cacheExpiry", value.get("cache_expiry")), "cacheExpiry", "HttpMetadata")
    return found if expiry is None else {**found, "cacheExpiry": expiry}


def shown_metadata(http: Mapping[str, Any]) -> JsDict:
    """The same as code sees it, `cacheExpiry` as a datetime in UTC."""
    found = JsDict(http)
    if "cacheExpiry" in found:
        found["cacheExpiry"] = datetime.fromtimestamp(found["cacheExpiry"] / 1000, UTC)
    return found


def header_pairs(http: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The same as headers."""
    found = [(header, http[name]) for name, header in HTTP_FIELDS.items() if name in http]
    if "cacheExpiry" in http:
        expires = datetime.fromtimestamp(http["cacheExpiry"] / 1000, UTC)
        found.append(("expires", format_datetime(expires, usegmt=True)))
    return found


def custom_metadata(action: str, value: object) -> dict[str, str]:
    """`customMetadata`. Raises R2Error if it is too large, TypeError if it is no object."""
    if not isinstance(value, Mapping):
        raise TypeError(
            "Incorrect type for the 'customMetadata' field on 'PutOptions': the provided value is not of type 'object'."
        )
    found = {as_text(name): as_text(text) for name, text in value.items()}
    size = sum(_size(name) + _size(text) for name, text in found.items())
    if size > LARGEST_METADATA:
        note = f"The names and values have {size} bytes, and may have {LARGEST_METADATA}."
        raise refusal(action, METADATA_TOO_LARGE, note)
    return found


def as_text(value: object) -> str:
    """A value as JavaScript writes it into a text."""
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        return str(int(value))
    if isinstance(value, Mapping):
        return "[object Object]"
    if isinstance(value, (list, tuple)):
        return ",".join("" if each is None else as_text(each) for each in value)
    return str(value)


def _size(text: str) -> int:
    """The bytes that count: two for each UTF-16 unit where a character is beyond Latin-1, else one."""
    units = len(text.encode("utf-16-le", "surrogatepass")) // 2
    return units * 2 if any(character > "\xff" for character in text) else units


def ssec_md5(key: object) -> str | None:
    """The MD5 of a key for SSE-C, in hexadecimal. Raises TypeError for what is no key."""
    if key is None:
        return None
    if isinstance(key, str):
        try:
            data = bytes.fromhex(key)
        except ValueError:
            raise TypeError("SSE-C Key has invalid format") from None
    elif isinstance(key, (bytes, bytearray, memoryview)):
        data = bytes(key)
    else:
        raise TypeError(
            "Incorrect type for the 'ssecKey' field on 'PutOptions': the provided value is not of type "
            "'BufferSource or string'."
        )
    if len(data) != 32:
        raise TypeError("SSE-C Key must be 32 bytes in length")
    return hashlib.md5(data, usedforsecurity=False).hexdigest()
