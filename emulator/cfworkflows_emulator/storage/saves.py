"""The copies of a state folder that have names: saves, and branches that servers run on."""

import json
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from cfworkflows_emulator.storage import swap
from cfworkflows_emulator.storage.connection import DiskError, StateError
from cfworkflows_emulator.storage.copies import data_of, size_of

SAVES: Final = "saves"
BRANCHES: Final = "branches"
NOTE = "save.json"
MAIN = "main"
"""The name of the state that is no branch."""

Group = Literal["saves", "branches"]
Fill = Callable[[Path], None]
"""Makes a folder that is not there yet, with a copy of a state in it."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?<!\.)")
_TEMPORARY = ".new-"


class Save(NamedTuple):
    """A copy: `made` is when, in ISO 8601, if it is known, `by` with which version."""

    name: str
    path: Path
    made: str | None
    by: str | None


class Saves:
    """The saves and branches that belong to a state folder: in the folder above it, which they share."""

    def __init__(self, state: Path) -> None:
        self.state = state
        if state.parent.name == BRANCHES:
            self.home, self.current = state.parent.parent, state.name
        elif state.name == "state":
            self.home, self.current = state.parent, MAIN
        else:
            self.home, self.current = state.with_name(f"{state.name}.kept"), MAIN

    def branch(self, name: str) -> Path:
        """The state folder of a branch, which has to be there unless it is the main one. Raises StateError."""
        if name == MAIN:
            return self.main
        path = self.path(BRANCHES, name)
        if not path.is_dir():
            there = ", ".join([MAIN, *(each.name for each in self.all(BRANCHES))])
            raise StateError(f"There is no branch {name}: `cfwf state branch {name}` makes it. There are: {there}.")
        return path

    @property
    def main(self) -> Path:
        return self.home / "state" if self.current != MAIN else self.state

    def path(self, group: Group, name: str) -> Path:
        """Where a copy is, or would be. Raises StateError for a name that cannot be one."""
        if not _NAME.fullmatch(name) or (group == BRANCHES and name == MAIN):
            raise StateError(
                f"{name[:100]!r} cannot be a name: use up to 100 letters, digits, `.`, `_` and `-`, the first one a "
                f"letter or a digit{f', and not `{MAIN}`' if group == BRANCHES else ''}."
            )
        return self.home / group / name

    def find(self, name: str) -> Path:
        """A save. Raises StateError if there is none of that name."""
        path = self.path(SAVES, name)
        if not path.is_dir():
            there = ", ".join(each.name for each in self.all(SAVES)) or "none"
            raise StateError(f"There is no save {name} in {self.home / SAVES}. There are: {there}.")
        return path

    def all(self, group: Group) -> Iterator[Save]:
        """The copies, the oldest first."""
        folder = self.home / group
        found = [_described(path) for path in folder.iterdir() if _NAME.fullmatch(path.name)] if folder.is_dir() else []
        yield from sorted(found, key=lambda save: (save.made or "", save.name))

    def make(self, group: Group, name: str, fill: Fill, *, by: str, now_ms: int, replace: bool = False) -> Save:
        """Have `fill` make a copy. Nobody sees it before it is whole. Raises StateError if the name is taken, unless
        it is to be replaced, and DiskError.
        """
        path = self.path(group, name)
        self._refuse_when_taken(group, path, replace=replace)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._ignore()
            for left in path.parent.glob(f"{_TEMPORARY}*"):  # a process was killed that made one
                shutil.rmtree(left)
            new = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
            try:
                fill(new)
                write_note(new, by, now_ms)
                if path.exists():
                    old = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
                    path.rename(old)
                    new.rename(path)
                    shutil.rmtree(old)
                else:
                    new.rename(path)
            finally:
                shutil.rmtree(new, ignore_errors=True)
        except OSError as error:
            raise DiskError(
                f"{path} cannot be written: {error.strerror or error}. What was there before is as it was."
            ) from error
        return _described(path)

    def _refuse_when_taken(self, group: Group, path: Path, *, replace: bool) -> None:
        if not path.exists():
            return
        if group == BRANCHES:
            raise StateError(f"There is a branch {path.name} already: `cfwf state rm --branch {path.name}` removes it.")
        if not replace:
            raise StateError(f"There is a save {path.name} already. Choose another name, or replace it with --force.")

    def stage(self, fill: Fill) -> Path:
        """Have `fill` make a folder in the state folder, for `swap.prepare`. Raises DiskError."""
        try:
            for left in self.state.glob(f"{_TEMPORARY}*"):
                shutil.rmtree(left)
            new = self.state / f"{_TEMPORARY}{secrets.token_hex(8)}"
            fill(new)
            (new / NOTE).unlink(missing_ok=True)
        except OSError as error:
            raise DiskError(
                f"{self.state} cannot be written: {error.strerror or error}. Nothing has changed."
            ) from error
        return new

    def replace(self, staged: Path, reason: str, now_ms: int) -> str | None:
        """Have a folder from `stage` take the place of the state when it is next opened. Gives the name of the save
        that the old one becomes, None if there is nothing in it.
        """
        name = f"before-{reason}-{datetime.fromtimestamp(now_ms / 1000, UTC):%Y%m%d-%H%M%S}"
        taken = {each.name for each in self.all(SAVES)}
        unique, number = name, 1
        while unique in taken:
            number += 1
            unique = f"{name}-{number}"
        holds = any(True for _ in data_of(self.state))
        self._ignore()
        swap.prepare(self.state, staged, self.home / SAVES / unique)
        return unique if holds else None

    def remove(self, group: Group, name: str) -> None:
        """Raises StateError if it is not there."""
        path = self.find(name) if group == SAVES else self.branch(name)
        gone = path.parent / f"{_TEMPORARY}{secrets.token_hex(8)}"
        path.rename(gone)  # at once: what is half removed is nobody's
        shutil.rmtree(gone)

    def size(self, path: Path) -> int:
        return size_of(path)

    def _ignore(self) -> None:
        """Keep the copies out of git, as the state is."""
        for group in (SAVES, BRANCHES):
            ignore = self.home / group / ".gitignore"
            if not ignore.exists():
                ignore.parent.mkdir(parents=True, exist_ok=True)
                ignore.write_text("*\n", encoding="utf-8")


def write_note(folder: Path, by: str, now_ms: int) -> None:
    made = datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds")
    (folder / NOTE).write_text(json.dumps({"made": made, "by": by}), encoding="utf-8")


def _described(path: Path) -> Save:
    try:
        note: dict[str, Any] = json.loads((path / NOTE).read_text(encoding="utf-8"))
        return Save(path.name, path, note["made"], note["by"])
    except (OSError, ValueError, KeyError, TypeError):  # set aside by a load, or made by hand
        made = datetime.fromtimestamp(path.stat().st_mtime, UTC).isoformat(timespec="milliseconds")
        return Save(path.name, path, made, None)
