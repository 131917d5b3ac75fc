"""`cfwf state import`: what `wrangler dev` kept, in files as it writes them."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from cfworkflows_emulator.cli.main import main
from cfworkflows_emulator.storage.peer import object_id

CONFIG = """
name = "shop"
main = "entry.py"
compatibility_date = "2026-11-01"
kv_namespaces = [{ binding = "CACHE", id = "Cache: Id" }]
d1_databases = [{ binding = "DB", database_name = "shop", database_id = "the-db" }]
r2_buckets = [{ binding = "FILES", bucket_name = "files" }]
"""
KV = "CREATE TABLE _mf_entries (key TEXT PRIMARY KEY, blob_id TEXT NOT NULL, expiration INTEGER, metadata TEXT)"
D1 = (
    "CREATE TABLE users (name TEXT); CREATE TABLE d1_migrations (id INTEGER PRIMARY KEY, name TEXT); "
    "CREATE TABLE _cf_METADATA (key INTEGER PRIMARY KEY, value BLOB); INSERT INTO users VALUES ('Zoë')"
)
R2 = """
CREATE TABLE _mf_objects (key TEXT PRIMARY KEY, blob_id TEXT, version TEXT NOT NULL, size INTEGER NOT NULL,
  etag TEXT NOT NULL, uploaded INTEGER NOT NULL, checksums TEXT NOT NULL, http_metadata TEXT NOT NULL,
  custom_metadata TEXT NOT NULL);
CREATE TABLE _mf_multipart_uploads (upload_id TEXT PRIMARY KEY, key TEXT NOT NULL, http_metadata TEXT NOT NULL,
  custom_metadata TEXT NOT NULL, state TINYINT DEFAULT 0 NOT NULL);
CREATE TABLE _mf_multipart_parts (upload_id TEXT NOT NULL, part_number INTEGER NOT NULL, blob_id TEXT NOT NULL,
  size INTEGER NOT NULL, etag TEXT NOT NULL, checksum_md5 TEXT NOT NULL, object_key TEXT);
INSERT INTO _mf_objects VALUES
  ('small', 'b1', 'v', 5, 'e1', 1700000000000, '{}', '{"contentType":"text/plain"}', '{"k":"v"}'),
  ('multi', NULL, 'v', 100003, 'e2-2', 1700000000000, '{}', '{}', '{}');
INSERT INTO _mf_multipart_uploads VALUES ('u', 'multi', '{}', '{}', 1), ('open', 'other', '{}', '{}', 0);
INSERT INTO _mf_multipart_parts VALUES ('u', 2, 'b3', 3, '', '', 'multi'), ('u', 1, 'b2', 100000, '', '', 'multi');
"""


class Wrangler:
    """Writes the layout of `.wrangler/state`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def database(self, kind: str, unique_key: str, name: str, script: str) -> None:
        """A database whose last commits are in its log, as those of a server that was killed."""
        path = self.root / "v3" / kind / unique_key / f"{object_id(unique_key, name)}.sqlite"
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(script)

    def blob(self, kind: str, name: str, id: str, data: bytes) -> None:
        path = self.root / "v3" / kind / name / "blobs" / id
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project that was served by wrangler."""
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "entry.py").write_text("")
    wrangler = Wrangler(tmp_path / ".wrangler/state")
    rows = "INSERT INTO _mf_entries VALUES ('a', 'k1', NULL, '{\"x\":1}'), ('b', 'k2', 4102444800000, NULL)"
    wrangler.database("kv", "miniflare-KVNamespaceObject", "Cache: Id", f"{KV}; {rows}")
    wrangler.blob("kv", "Cache_ Id", "k1", b"hello")
    wrangler.blob("kv", "Cache_ Id", "k2", b"\xff")
    wrangler.database("kv", "miniflare-KVNamespaceObject", "other", KV)
    wrangler.database("d1", "miniflare-D1DatabaseObject", "the-db", D1)
    wrangler.database("r2", "miniflare-R2BucketObject", "files", R2)
    for name, data in (("b1", b"small"), ("b2", b"x" * 100_000), ("b3", b"end")):
        wrangler.blob("r2", "files", name, data)
    wrangler.database("do", "shop-Room", "room", "CREATE TABLE t (x)")
    return tmp_path


def run(project: Path, *arguments: str) -> str:
    done = CliRunner().invoke(main, [*arguments, "--cwd", str(project)])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_what_wrangler_kept_is_taken_over(project: Path) -> None:
    """Keys, tables and objects with all that belongs to them; what was left is named with its reason."""
    found = json.loads(run(project, "state", "import", str(project / ".wrangler/state"), "--json"))
    assert [
        {"place": "kv/Cache: Id", "items": "keys", "number": 2},
        {"place": "d1/the-db", "items": "tables", "number": 2},
        {"place": "r2/files", "items": "objects", "number": 2},
    ] == found["taken"]
    assert [
        "1 multipart uploads were not completed",
        "do is not taken over",
        "no binding of the configuration has it",
    ] == [each["why"] for each in found["left"]]
    state = project / ".cfwf/state"
    with closing(sqlite3.connect(next(state.glob("kv/*.sqlite")))) as connection:
        rows = connection.execute("SELECT key, expiration, metadata, value FROM entries ORDER BY key").fetchall()
        assert [("a", None, '{"x":1}', b"hello"), ("b", 4102444800, None, b"\xff")] == rows
    users = json.loads(run(project, "d1", "execute", "DB", "--command", "SELECT name FROM users", "--json"))
    assert [{"name": "Zoë"}] == users[-1]["results"]
    assert "small" == run(project, "r2", "object", "get", "files/small", "--pipe")
    assert "x" * 100_000 + "end" == run(project, "r2", "object", "get", "files/multi", "--pipe")
    with closing(sqlite3.connect(state / "r2/files.sqlite")) as connection:
        rows = connection.execute("SELECT key, etag, uploaded, http, custom FROM objects ORDER BY key").fetchall()
    assert ("small", "e1", 1700000000000, '{"contentType": "text/plain"}', '{"k": "v"}') == rows[1]
    assert ("multi", "e2-2") == rows[0][:2]


def test_what_was_there_is_kept_and_wranglers_files_too(project: Path) -> None:
    """An import is a save that is loaded."""
    run(project, "d1", "execute", "DB", "--command", "CREATE TABLE mine (x)")
    before = {path: path.read_bytes() for path in (project / ".wrangler").rglob("*") if path.is_file()}
    found = json.loads(run(project, "state", "import", str(project / ".wrangler/state"), "--json"))
    assert before == {path: path.read_bytes() for path in (project / ".wrangler").rglob("*") if path.is_file()}
    run(project, "state", "load", found["before"])
    tables = json.loads(run(project, "d1", "info", "DB", "--json"))["tables"]
    assert {"mine": 0} == tables


def test_folder_that_is_not_wranglers_is_refused(project: Path) -> None:
    """By its name; nothing has changed."""
    done = CliRunner().invoke(main, ["state", "import", str(project), "--cwd", str(project)])
    assert (1, True) == (done.exit_code, "is no state of wrangler" in done.stderr)
    assert not (project / ".cfwf/saves/wrangler").exists()
