"""Copies of state folders: files that share their blocks where the file system can do that."""

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cfworkflows_emulator.storage.connection import APPLICATION_ID, DiskError, StateError
from cfworkflows_emulator.storage.kept import KeptFolder
from cfworkflows_emulator.storage.latefile import CopyFile

BLOBS: Final = "blobs"
"""The name of folders whose files never change once they have their name: a copy is a link to the same file."""

_UNFINISHED = ".part"
_NOT_DATA = frozenset({"lock", "holder.json", "holder.new", "probe", "clock.new"})
_FICLONE = 0x40049409
_CANNOT_CLONE = frozenset({errno.EOPNOTSUPP, errno.ENOTTY, errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EPERM})


def data_of(folder: Path) -> Iterator[Path]:
    """What a state folder holds, but for what belongs to the process that uses it."""
    for path in sorted(folder.iterdir()):
        if path.name not in _NOT_DATA and not path.name.startswith("."):
            yield path


def copy_state(state: Path, target: Path, opened: Mapping[Path, CopyFile] | None = None) -> None:
    """Copy the data of a state folder into the folder `target`, which is made. Nobody may write it meanwhile.

    `opened` are databases that are open in this process, which are copied by their own connection: reading such a file
    by other means would free the locks that SQLite has on it. Raises DiskError.
    """
    try:
        target.mkdir(parents=True)
        if state.is_dir():
            for path in data_of(state):
                _copy(path, target / path.name, opened or {})
    except OSError as error:
        raise DiskError(f"{error.filename or target} cannot be copied: {error.strerror or error}.") from error


def _copy(path: Path, target: Path, opened: Mapping[Path, CopyFile]) -> None:
    if path.is_dir():
        target.mkdir()
        for each in sorted(path.iterdir()):
            if path.name != BLOBS:
                _copy(each, target / each.name, opened)
            elif not each.name.endswith(_UNFINISHED):
                _link(each, target / each.name)
    elif path in opened:
        opened[path](target)
    elif path.name.endswith("-shm") or (path.name.endswith("-wal") and path.with_name(path.name[:-4]) in opened):
        return  # made anew, or in the copy already
    else:
        clone(path, target)


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in _CANNOT_CLONE | {errno.EMLINK}:
            raise
        clone(source, target)


def clone(source: Path, target: Path) -> None:
    """Copy a file; its blocks are shared where the file system can do that. Raises OSError."""
    try:
        import fcntl

        with source.open("rb") as read, target.open("wb") as write:
            fcntl.ioctl(write.fileno(), _FICLONE, read.fileno())
    except (ImportError, OSError) as error:
        if isinstance(error, OSError) and error.errno not in _CANNOT_CLONE:
            raise
        shutil.copyfile(source, target)


def check_versions(folder: Path, what: str, schemas: Mapping[str, KeptFolder]) -> None:
    """Raises StateError if a database in a copy is newer than this version knows, damaged, or another program's.

    `schemas` are by the first parts of the paths.
    """
    for path in sorted(folder.rglob("*.sqlite")):
        place = path.relative_to(folder)
        known = schemas.get(place.parts[0])
        if known is None:
            raise StateError(f"{what} has {place}, which this version does not know. Update cfworkflows.")
        try:
            application, version = _header(path)
        except sqlite3.Error as error:
            raise StateError(f"{what} cannot be used: {place}: {error}.") from error
        if version > known.version:
            raise StateError(
                f"{what} was written by a newer cfworkflows: {place} has schema {version}, this version knows "
                f"{known.version}. Update cfworkflows."
            )
        if version and application != APPLICATION_ID:
            raise StateError(f"{what} cannot be used: {place} is not a database of cfworkflows.")


def _header(path: Path) -> tuple[int, int]:
    connection = sqlite3.connect(path)
    try:
        return (
            connection.execute("PRAGMA application_id").fetchone()[0],
            connection.execute("PRAGMA user_version").fetchone()[0],
        )
    finally:
        connection.close()


def size_of(folder: Path) -> int:
    """The bytes of all files below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
