"""A database file: how it is opened, its schema, and what the error says if it cannot be used."""

import sqlite3

import pytest

from cfworkflows_emulator.storage import DiskError, StateError
from cfworkflows_emulator.storage.connection import SQLITE3, Connection
from cfworkflows_emulator.storage.datafile import APSW, DataFile


@pytest.fixture(params=[SQLITE3, APSW], ids=["sqlite3", "apsw"])
def library(request):
    """Each library that opens files of ours."""
    return request.param


def notes(connection):
    connection.execute("CREATE TABLE notes (text TEXT UNIQUE)")


def drafts(connection):
    connection.execute("CREATE TABLE drafts (text TEXT)")


def sqlite_file(path, *statements):
    connection = sqlite3.connect(path)
    for statement in statements:
        connection.execute(statement)
    connection.close()


def refused(path, library, **options):
    with pytest.raises(StateError) as caught:
        Connection(path, library, [notes, drafts], **options)
    start = f"{path}: "
    assert (start, 1) == (str(caught.value)[: len(start)], str(caught.value).count(start))
    return str(caught.value)


@pytest.fixture
def connection(tmp_path, library):
    connection = Connection(tmp_path / "s", library, [notes])
    yield connection
    connection.close()


def texts(connection):
    return [text for (text,) in connection.run(lambda sqlite: sqlite.execute("SELECT text FROM notes").fetchall())]


def test_a_file_is_opened_again_with_its_schema(tmp_path, library):
    """Migrations run once, and those that are new when the file is opened the next time."""
    for migrations in ([notes], [notes], [notes, drafts]):
        connection = Connection(tmp_path / "s", library, migrations)
        assert [] == texts(connection)
        connection.close()
    with pytest.raises(StateError, match=r"newer cfworkflows \(schema 2, this version knows 1\)"):
        Connection(tmp_path / "s", library, [notes])


def test_files_that_are_not_ours_are_refused(tmp_path, library):
    """Another database, no database, a damaged one, a folder, a path that is not there: each is named once."""
    sqlite_file(tmp_path / "other", "CREATE TABLE t (x)")
    assert "not one of cfworkflows" in refused(tmp_path / "other", library)
    (tmp_path / "text").write_text("no database " * 1000)
    assert "file is not a database. The file is damaged" in refused(tmp_path / "text", library)
    Connection(tmp_path / "damaged", library, [notes]).close()
    with (tmp_path / "damaged").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 3000)
    assert "malformed" in refused(tmp_path / "damaged", library)
    assert "Check the permissions" in refused(tmp_path, library)
    assert "Check the permissions" in refused(tmp_path / "nowhere" / "s", library)


def test_an_empty_file_where_there_was_one_is_refused(tmp_path, library):
    """The text names the log that may hold all of it, after the file itself."""
    assert "its log of commits (s.sqlite-wal), was emptied or removed" in refused(
        tmp_path / "s.sqlite", library, may_be_empty=False
    )


def test_a_file_that_is_only_read_has_to_be_up_to_date(tmp_path, library):
    """It is not migrated, and takes no writes."""
    Connection(tmp_path / "s", library, [notes]).close()
    assert "older cfworkflows. Start `cfwf dev` once" in refused(tmp_path / "s", library, read_only=True)
    connection = Connection(tmp_path / "s", library, [notes], read_only=True)
    with pytest.raises(DiskError, match="readonly"):
        connection.run(lambda sqlite: sqlite.execute("INSERT INTO notes VALUES ('a')"))
    connection.close()


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path, library):
    """Half a schema would be worse than none."""

    def fail(connection):
        connection.execute("CREATE TABLE half (x)")
        raise StateError("cannot migrate")

    with pytest.raises(StateError, match="cannot migrate"):
        Connection(tmp_path / "s", library, [notes, fail])
    connection = sqlite3.connect(tmp_path / "s")
    assert (1,) == connection.execute("PRAGMA user_version").fetchone()
    assert [] == connection.execute("SELECT name FROM sqlite_schema WHERE name = 'half'").fetchall()
    connection.close()


def test_a_disk_that_is_full_when_a_file_is_opened_is_a_disk_error(tmp_path, library):
    """It may pass, so whoever opens the file may try again."""

    def fill(connection):
        connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
        connection.execute("CREATE TABLE more (x)")

    with pytest.raises(DiskError, match=f"{tmp_path / 's'}: database or disk is full"):
        Connection(tmp_path / "s", library, [notes, fill])


def test_all_of_a_transaction_is_written_or_nothing(connection):
    """Whatever the error is, it passes, and the next transaction begins as if there had been none."""

    def write(sqlite):
        sqlite.execute("INSERT INTO notes VALUES ('a')")
        raise KeyError

    with pytest.raises(KeyError):
        connection.transact(write)
    assert [] == texts(connection)
    connection.transact(lambda sqlite: sqlite.execute("INSERT INTO notes VALUES ('b')"))
    assert ["b"] == texts(connection)


def test_one_statement_is_atomic_without_a_transaction_around_it(connection, library):
    """If one of its rows cannot be written, none is."""
    with pytest.raises(library.error, match="UNIQUE constraint failed"):
        connection.transact(
            lambda sqlite: sqlite.execute("INSERT INTO notes VALUES ('a'), ('b'), ('a')"), is_atomic=True
        )
    assert ([], False) == (texts(connection), connection.sqlite.in_transaction)


@pytest.mark.parametrize("is_atomic", [False, True])
def test_a_full_disk_is_a_disk_error_that_names_the_file(connection, tmp_path, is_atomic):
    """It may pass; nothing of what was being written is there, and what fits is written afterwards."""
    pages = connection.sqlite.execute("PRAGMA page_count").fetchone()[0]
    connection.sqlite.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(DiskError, match=f"{tmp_path / 's'}: database or disk is full"):
        connection.transact(
            lambda sqlite: sqlite.execute("INSERT INTO notes VALUES ('a'), (?)", ("x" * 100_000,)), is_atomic=is_atomic
        )
    assert ([], False) == (texts(connection), connection.sqlite.in_transaction)
    connection.transact(lambda sqlite: sqlite.execute("INSERT INTO notes VALUES ('c')"), is_atomic=is_atomic)
    assert ["c"] == texts(connection)


def test_a_copy_is_of_one_moment_and_a_database_of_its_own(tmp_path):
    """What is written afterwards is not in it, and it needs no log beside it."""
    data = DataFile(tmp_path / "folder" / "a.sqlite", [notes])
    data.transact(lambda sqlite: sqlite.execute("INSERT INTO notes VALUES ('a')"))
    data.copy_to(tmp_path / "copy.sqlite")
    data.transact(lambda sqlite: sqlite.execute("INSERT INTO notes VALUES ('b')"))
    data.close()
    assert ["copy.sqlite", "folder"] == sorted(path.name for path in tmp_path.iterdir())
    copy = DataFile(tmp_path / "copy.sqlite", [notes])
    assert ["a"] == texts(copy)
    copy.close()
