"""Saves and branches of state folders, and the replacement of a state as a whole."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from cfworkflows_emulator.runtime import replace_unserved, save_unserved
from cfworkflows_emulator.storage import StateError, StateFolder
from cfworkflows_emulator.storage.connection import APPLICATION_ID
from cfworkflows_emulator.storage.copies import data_of
from cfworkflows_emulator.storage.saves import Saves

RENAMES = 9
"""So many there are in a load: one that prepares it, for each of three entries two, and those of the folders."""


def write(state: Path, text: str, version: int = 1) -> None:
    """A state with a database, a blob and a clock that all say `text`."""
    for folder in ("kv", "r2/files/blobs"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(state / "kv/a.sqlite")) as connection:
        connection.executescript(
            f"CREATE TABLE IF NOT EXISTS entries (key, value, expiration, metadata); DELETE FROM entries; "
            f"INSERT INTO entries VALUES ('k', CAST('{text}' AS BLOB), NULL, NULL); "
            f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}"
        )
    (state / "r2/files/blobs" / text).write_text(text)
    (state / "clock.json").write_text(text)


def texts(state: Path) -> set[str]:
    """What the parts of a state say: one text if it is whole."""
    if not (state / "kv/a.sqlite").exists():
        return {str(path.name) for path in data_of(state)}
    with closing(sqlite3.connect(state / "kv/a.sqlite")) as connection:
        found = {row[0].decode() for row in connection.execute("SELECT value FROM entries")}
    return found | {path.name for path in (state / "r2/files/blobs").iterdir()} | {(state / "clock.json").read_text()}


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state folder that was used."""
    path = tmp_path / ".cfwf/state"
    write(path, "old")
    return path


def names(state: Path) -> list[str]:
    return [save.name for save in Saves(state).all("saves")]


def killed_at_rename(count: int, function: Callable[[], object]) -> bool:
    """Call a function in a process that dies at the rename number `count`; whether it has died."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] != 0
    real, done = Path.rename, iter(range(count + 1))

    def rename(path: Path, target: Path) -> Path:
        if next(done) == count:
            os._exit(9)
        return real(path, target)

    Path.rename = rename  # type: ignore[method-assign, assignment]  # in this process, which ends here
    try:
        function()
    finally:
        os._exit(0)


@pytest.mark.parametrize("count", range(RENAMES + 1))
def test_load_killed_anywhere_leaves_the_old_state_or_the_new_one(state: Path, count: int) -> None:
    """And the old one is a save if it is the new one; whoever opens the folder next finishes it."""
    save_unserved(state, "saves", "one")
    (state / "r2/files/blobs/old").unlink()
    write(state, "now")
    killed = killed_at_rename(count, lambda: replace_unserved(state, "one"))
    with StateFolder(state):
        assert texts(state) == ({"now"} if count == 0 else {"old"})
    if count:
        [aside] = [name for name in names(state) if name != "one"]
        assert {"now"} == texts(Saves(state).find(aside))
    assert {"old"} == texts(Saves(state).find("one"))
    assert killed == (count < RENAMES)


def test_save_killed_before_it_is_whole_has_no_name(state: Path) -> None:
    """The next save removes what is left of it."""
    assert killed_at_rename(0, lambda: save_unserved(state, "saves", "one"))
    assert [] == names(state)
    save_unserved(state, "saves", "two")
    assert [".gitignore", "two"] == sorted(path.name for path in (state.parent / "saves").iterdir())


def test_blobs_are_shared(state: Path) -> None:
    """They never change, so that a copy is the same file."""
    path = save_unserved(state, "saves", "one").path
    assert (state / "r2/files/blobs/old").stat().st_ino == (path / "r2/files/blobs/old").stat().st_ino
    assert (state / "kv/a.sqlite").stat().st_ino != (path / "kv/a.sqlite").stat().st_ino


def test_commits_in_the_log_are_saved(state: Path) -> None:
    """A database of a process that was killed has its last commits in its log alone."""
    connection = sqlite3.connect(state / "kv/a.sqlite")
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0")
    connection.execute("UPDATE entries SET value = CAST('new' AS BLOB)")
    connection.commit()
    path = save_unserved(state, "saves", "one").path
    with closing(sqlite3.connect(path / "kv/a.sqlite")) as copy:
        assert [(b"new",)] == copy.execute("SELECT value FROM entries").fetchall()
    connection.close()


def test_save_of_a_newer_version_is_refused(state: Path) -> None:
    """By its name; the state is as it was."""
    write(state, "old", version=99)
    save_unserved(state, "saves", "newer")
    write(state, "now")
    with pytest.raises(StateError, match=r"The save newer was written by a newer cfworkflows: kv/a.sqlite has"):
        replace_unserved(state, "newer")
    assert ["newer"] == names(state)
    assert "now" in texts(state)


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a\nb", "ends.", "ü", "a" * 101, "-x"])
def test_names_are_checked(state: Path, name: str) -> None:
    """They are names of folders on any file system."""
    with pytest.raises(StateError, match="cannot be a name"):
        save_unserved(state, "saves", name)


def test_taken_names_are_refused(state: Path) -> None:
    """A save is replaced if that is wanted; a branch is somebody's state, and never is."""
    save_unserved(state, "saves", "one")
    with pytest.raises(StateError, match="There is a save one already"):
        save_unserved(state, "saves", "one")
    save_unserved(state, "saves", "one", replace=True)
    save_unserved(state, "branches", "b")
    with pytest.raises(StateError, match="There is a branch b already"):
        save_unserved(state, "branches", "b", replace=True)
    with pytest.raises(StateError, match=r"There is no save two .* There are: one"):
        replace_unserved(state, "two")


def test_branches_share_the_saves(state: Path) -> None:
    """A save of one can be loaded in another, and `main` is found from each."""
    branch = save_unserved(state, "branches", "b").path
    write(branch, "branched")
    save_unserved(branch, "saves", "of-b")
    assert (state, branch) == (Saves(branch).branch("main"), Saves(state).branch("b"))
    replace_unserved(state, "of-b")
    assert "branched" in texts(state)
    with pytest.raises(StateError, match=r"There is no branch c: .* There are: main, b"):
        Saves(state).branch("c")


def test_reset_empties_the_state_and_keeps_the_old_one(state: Path) -> None:
    """As a save; an empty state has nothing to be kept."""
    before = replace_unserved(state, None)
    assert (set(), {"old"}) == (texts(state), texts(Saves(state).find(str(before))))
    assert None is replace_unserved(state, None)
    assert [before] == names(state)
