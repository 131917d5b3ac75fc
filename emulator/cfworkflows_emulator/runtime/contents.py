"""What two states hold that differs."""

import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from cfworkflows_emulator.runtime.kept import schemas
from cfworkflows_emulator.storage import StateError
from cfworkflows_emulator.storage.kept import KeptFolder
from cfworkflows_emulator.storage.names import identifier_of


class Difference(NamedTuple):
    """An item that two states do not have alike: `before` and `after` describe it, None where it is not there."""

    place: str
    item: str
    before: str | None
    after: str | None


def differences(before: Path, after: Path) -> Iterator[Difference]:
    """What changed from one state folder to another: a server may use either. Raises StateError."""
    known = schemas()
    places = sorted({place for state in (before, after) for place in _databases(state, known)})
    for place in places:
        left, right = (_contents(state / place, known[Path(place).parts[0]]) for state in (before, after))
        for item in sorted({*left, *right}):
            if left.get(item) != right.get(item):
                yield Difference(_shown(place), item, left.get(item), right.get(item))


def _databases(state: Path, known: Mapping[str, KeptFolder]) -> Iterator[str]:
    for place in known:
        if (state / place).is_file():
            yield place
        elif (state / place).is_dir():
            yield from (str(path.relative_to(state)) for path in (state / place).glob("*.sqlite"))


def _contents(path: Path, kind: KeptFolder) -> Mapping[str, str]:
    if not path.exists():
        return {}
    try:
        # A file that nobody has open has no log, and is not to get one from being looked at.
        alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
        connection = sqlite3.connect(f"file:{quote(str(path))}?mode=ro{alone}", uri=True)
        try:
            # A file that was opened and never written has no tables yet.
            return kind.described(connection) if connection.execute("PRAGMA user_version").fetchone()[0] else {}
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise StateError(f"{path} cannot be read: {error}.") from error


def _shown(place: str) -> str:
    """`kv/CACHE` for `kv/%43…sqlite`, `workflows` for the database of the instances."""
    path = Path(place)
    name = identifier_of(path.stem) or path.stem
    return str(path.parent / name) if path.parent != Path() else name
