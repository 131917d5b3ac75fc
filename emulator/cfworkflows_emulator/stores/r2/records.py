"""What the store of a bucket gives: objects, uploads, parts, and pieces of lists."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

FIELDS = "http, custom, storage_class, ssec_md5"
OBJECT = f"key, version, size, etag, uploaded, checksums, {FIELDS}"

_EMPTY: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object. `uploaded` is in ms since the epoch, `checksums` are hexadecimal."""

    key: str
    version: str
    size: int
    etag: str
    uploaded: int
    checksums: Mapping[str, str]
    http: Mapping[str, Any]
    custom: Mapping[str, str]
    storage_class: str
    ssec_md5: str | None

    @classmethod
    def of(cls, row: Sequence[Any]) -> "StoredObject":
        """From the columns OBJECT."""
        key, version, size, etag, uploaded, checksums, http, custom, storage_class, ssec_md5 = row
        return cls(
            key, version, size, etag, uploaded, _read(checksums), _read(http), _read(custom), storage_class, ssec_md5
        )


class Place(NamedTuple):
    """Where the bytes of an object are: one of them is set."""

    upload: str | None
    blob: str | None
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Upload:
    """A multipart upload: `state` is open, complete or aborted."""

    id: str
    key: str
    state: str
    created: int
    fields: Mapping[str, Any]

    @classmethod
    def of(cls, row: Sequence[Any]) -> "Upload":
        """From `id, key, state, created` and the columns FIELDS."""
        id, key, state, created, http, custom, storage_class, ssec_md5 = row
        fields = {
            "http": _read(http),
            "custom": _read(custom),
            "storage_class": storage_class,
            "ssec_md5": ssec_md5,
        }
        return cls(id, key, state, created, fields)


@dataclass(frozen=True, slots=True)
class Part:
    """A part that was uploaded."""

    number: int
    size: int
    etag: str
    md5: str
    uploaded: int


@dataclass(frozen=True, slots=True)
class Rows:
    """A piece of a list; `after` is where the next one begins, None at the end."""

    objects: list[StoredObject]
    prefixes: list[str]
    after: str | None


def written(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    """The columns FIELDS of fields."""
    return as_json(fields["http"]), as_json(fields["custom"]), fields["storage_class"], fields["ssec_md5"]


def as_json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) if value else "{}"


def _read(text: str) -> Mapping[str, Any]:
    if text == "{}":
        return _EMPTY
    found: Mapping[str, Any] = json.loads(text)
    return found
