"""What the interpreter knows of R2 buckets."""

from typing import Any

BINDINGS = ("R2", "R2B")

OPTIONS = {"get": 1, "put": 2, "list": 0, "createMultipartUpload": 1}
"""Where each method takes its options."""

_FIELDS = (
    "key", "version", "size", "etag", "httpEtag", "uploaded", "httpMetadata", "customMetadata", "range", "storageClass",
    "ssecKeyMd5",
)  # fmt: skip


def described(value: Any) -> Any:
    """An object, with or without its content, and an upload, as the recordings have them."""
    from values import describe

    match type(value).__name__:
        case "R2Object" | "R2ObjectBody" as name:
            shown = {field: describe(found) for field in _FIELDS if (found := getattr(value, field)) is not None}
            return {f"${'r2' if name == 'R2Object' else 'r2body'}": {**shown, "checksums": value.checksums.toJSON()}}
        case "R2MultipartUpload":
            return {"$class": "R2MultipartUpload", "fields": {"uploadId": value.uploadId, "key": value.key}}
    return None
