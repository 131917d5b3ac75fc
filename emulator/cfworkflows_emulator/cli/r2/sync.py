"""A folder and a bucket that are made to have the same."""

import hashlib
import mimetypes
from collections.abc import Iterator
from pathlib import Path

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.cli.r2.client import Buckets, Listed


def synchronised(buckets: Buckets, folder: Path, bucket: str, prefix: str, *, down: bool) -> Iterator[str]:
    """Copy what differs. The keys of what was copied."""
    prefix = f"{prefix.rstrip('/')}/" if prefix else ""
    there = {each.key: each for each in buckets.list(bucket, prefix)}
    if down:
        yield from _fetched(buckets, folder, bucket, prefix, there)
        return
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = prefix + file.relative_to(folder).as_posix()
        if not _is_same(file, there.get(key)):
            kind, encoding = mimetypes.guess_type(file.name)
            headers = {"content-type": kind} if kind is not None and encoding is None else {}
            with file.open("rb") as opened:
                buckets.put(bucket, key, opened, file.stat().st_size, headers)
            yield key


def _fetched(buckets: Buckets, folder: Path, bucket: str, prefix: str, there: dict[str, Listed]) -> Iterator[str]:
    root = folder.resolve()
    for key, listed in there.items():
        path = (root / key.removeprefix(prefix)).resolve()
        if not path.is_relative_to(root) or path == root or key.endswith("/"):
            raise CfworkflowsError(f"The object {key!r} would be no file in {folder}: nothing was written for it.")
        if _is_same(path, listed):
            continue
        content = buckets.get(bucket, key)
        if content is not None:  # it was deleted meanwhile
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as opened:
                for chunk in content:
                    opened.write(chunk)
            yield key


def _is_same(file: Path, listed: Listed | None) -> bool:
    """Whether a file has the content of an object. What came in parts has no checksum: it counts as changed."""
    if listed is None or not file.is_file() or file.stat().st_size != listed.size:
        return False
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "md5").hexdigest() == listed.etag
