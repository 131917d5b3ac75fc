"""What `wrangler dev` keeps on disk, in `.wrangler/state/v3`, as far as it is taken over."""

import hashlib
import hmac
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from cfworkflows_emulator.storage.connection import StateError

_UNSAFE = re.compile(r"\.{2,}|[?<>*\"'^/\\:|\x00-\x1f\x80-\x9f]")


class Taken(NamedTuple):
    """What was taken over of a kind: `number` items of `items`."""

    place: str
    items: str
    number: int


class Left(NamedTuple):
    """What was not taken over, and why."""

    place: str
    why: str


class Peer:
    """The state at `root`, a folder that has `v3`, or is it. Nothing in it is changed. Raises StateError."""

    def __init__(self, root: Path) -> None:
        self.root = root / "v3" if (root / "v3").is_dir() else root
        if not any((self.root / kind).is_dir() for kind in ("kv", "d1", "r2", "do", "cache", "workflows")):
            raise StateError(
                f"{root} is no state of wrangler: there is no `v3` in it. It is `.wrangler/state` by default."
            )
        self._used: set[Path] = set()
        self._left: list[Left] = []

    def file(self, kind: str, object_class: str, name: str) -> Path | None:
        """The database of a resource, None if it was never used."""
        path = self.root / kind / object_class / f"{object_id(object_class, name)}.sqlite"
        self._used.add(path)
        return path if path.is_file() else None

    def blob(self, kind: str, name: str, id: str) -> Path:
        """The file with a value."""
        return self.root / kind / _UNSAFE.sub("_", name)[:255] / "blobs" / id

    def leave(self, place: str, why: str) -> None:
        """Note what is not taken over of a resource that is."""
        self._left.append(Left(place, why))

    def left(self) -> Iterator[Left]:
        """What was noted, and what nobody has asked for."""
        yield from self._left
        for path in sorted(self.root.rglob("*.sqlite")):
            if path in self._used or path.name == "metadata.sqlite":
                continue
            place = path.relative_to(self.root)
            known = place.parts[0] in ("kv", "d1", "r2")
            why = "no binding of the configuration has it" if known else f"{place.parts[0]} is not taken over"
            yield Left(str(place), why)


def object_id(unique_key: str, name: str) -> str:
    """The id that the platform's runtime derives from the name of an object."""
    key = hashlib.sha256(unique_key.encode()).digest()
    base = hmac.new(key, name.encode(), "sha256").digest()[:16]
    return (base + hmac.new(key, base, "sha256").digest()[:16]).hex()


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of a database, with what is in its log only. Raises StateError."""
    with TemporaryDirectory() as folder:
        for suffix in ("", "-wal"):
            if (source := path.with_name(path.name + suffix)).exists():
                shutil.copyfile(source, Path(folder) / f"copy{suffix}")
        try:
            with closing(sqlite3.connect(Path(folder) / "copy")) as connection:
                yield connection
        except sqlite3.Error as error:
            raise StateError(f"{path} cannot be taken over: {error}.") from error
