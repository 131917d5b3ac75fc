"""The buckets of a state folder that no server uses."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from cfworkflows.errors import CfworkflowsError
from cfworkflows.http import Headers, ReadableStream
from cfworkflows_bindings import R2Binding
from cfworkflows_emulator.cli.r2.client import CHUNK, Listed
from cfworkflows_emulator.runtime import ProjectTime
from cfworkflows_emulator.storage import StateFolder
from cfworkflows_emulator.stores.r2 import R2Store, file_of

STORAGE_CLASS = "cf-r2-storage-class"


@contextmanager
def folder_buckets(state: Path, names: Sequence[str]) -> Iterator["FolderBuckets"]:
    """The buckets in the state folder `state`, which nobody else uses meanwhile. Raises StateError."""
    with StateFolder(state), asyncio.Runner() as runner:
        buckets = FolderBuckets(state, names, runner)
        try:
            yield buckets
        finally:
            buckets.close()


class FolderBuckets:
    """Those that the configuration names."""

    def __init__(self, state: Path, names: Sequence[str], runner: asyncio.Runner) -> None:
        self.where = f"the state folder {state}"
        self._state = state
        self._names = names
        self._runner = runner
        self._clock = ProjectTime(state, 1).clock
        self._stores: dict[str, R2Store] = {}

    def names(self) -> list[str]:
        return sorted(set(self._names))

    def put(self, bucket: str, key: str, file: BinaryIO, size: int, headers: Mapping[str, str]) -> None:
        given = dict(headers)
        options = {"storageClass": given.pop(STORAGE_CLASS, None), "httpMetadata": Headers(given)}
        self._runner.run(self._bucket(bucket).put(key, ReadableStream(_Chunks(file, size)), options))

    def get(self, bucket: str, key: str) -> Iterator[bytes] | None:
        found = self._runner.run(self._bucket(bucket).get(key))
        return None if found is None else self._chunks(found.body)

    def _chunks(self, stream: ReadableStream) -> Iterator[bytes]:
        reader = stream.get_reader()
        while (chunk := self._runner.run(reader.read()).value) is not None:
            yield chunk

    def delete(self, bucket: str, key: str) -> None:
        self._runner.run(self._bucket(bucket).delete(key))

    def list(self, bucket: str, prefix: str) -> Iterator[Listed]:
        cursor = None
        while True:
            page = self._runner.run(self._bucket(bucket).list(prefix=prefix, cursor=cursor))
            yield from (Listed(each.key, each.size, each.etag) for each in page["objects"])
            if not page["truncated"]:
                return
            cursor = page["cursor"]

    def close(self) -> None:
        for store in self._stores.values():
            store.close()

    def _bucket(self, name: str) -> R2Binding:
        if name not in self._names:
            known = ", ".join(self.names()) or "none"
            raise CfworkflowsError(f"The configuration has no bucket {name}; it has: {known}.")
        if name not in self._stores:
            self._stores[name] = R2Store(file_of(self._state, name), name, self._clock)
        return R2Binding(self._stores[name], name)


class _Chunks:
    """A file as a stream of known length."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.known_length = size
        self._file = file

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while chunk := self._file.read(CHUNK):
            yield chunk
