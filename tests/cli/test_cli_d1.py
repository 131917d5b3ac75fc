"""`cfwf d1` on a state folder."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from cfworkflows_emulator.cli.main import main

CONFIG = """
name = "shop"
main = "entry.py"
compatibility_date = "2026-11-01"
[[d1_databases]]
binding = "DB"
database_name = "shop-db"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with a migration."""
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "entry.py").write_text("")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/0001_init.sql").write_text("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT);")
    return tmp_path


def d1(project: Path, *arguments: str) -> Result:
    return CliRunner().invoke(main, ["d1", *arguments, "--cwd", str(project)])


def rows(project: Path, sql: str) -> list[object]:
    return list(json.loads(d1(project, "execute", "DB", "--command", sql, "--json").stdout)[-1]["results"])


def test_migrations_are_applied_once(project: Path) -> None:
    """After a rehearsal that changes nothing."""
    assert "would be applied" in d1(project, "migrations", "apply", "shop-db", "--dry-run").stdout
    assert "0001_init.sql" in d1(project, "migrations", "list", "DB").stdout
    assert "0001_init.sql  ✅" in d1(project, "migrations", "apply", "DB").stdout
    assert "✅ No migrations to apply!" in d1(project, "migrations", "apply", "DB").stdout
    assert [] == rows(project, "SELECT * FROM users")


def test_rehearsal_shows_how_the_schema_differs(project: Path) -> None:
    """What a table was, and what it would be; shadow tables and our own are left out. Nothing is kept."""
    d1(project, "migrations", "apply", "DB")
    sql = "ALTER TABLE users ADD age INTEGER;\nCREATE VIRTUAL TABLE f USING fts5(a);\nCREATE VIEW v AS\n  SELECT 1;"
    (project / "migrations/0002_more.sql").write_text(f"{sql}\nCREATE TABLE gone (a); DROP TABLE gone;")
    for _ in range(2):
        shown = d1(project, "migrations", "apply", "DB", "--dry-run").stdout
        assert [
            "- CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)",
            "+ CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, age INTEGER)",
            "+ CREATE VIRTUAL TABLE f USING fts5(a)",
            "+ CREATE VIEW v AS",
            "+   SELECT 1",
        ] == shown.splitlines()[-5:]


def test_failed_migration_is_shown_and_ends_with_1(project: Path) -> None:
    """With its line."""
    (project / "migrations/0002_bad.sql").write_text("CREATE TABLE a (x);\nCREATE TABEL b (x);")
    done = d1(project, "migrations", "apply", "DB")
    assert (1, True) == (done.exit_code, "0002_bad.sql:2" in done.stderr)


def test_export_is_imported_after_a_reset(project: Path) -> None:
    """With the rows that were there."""
    d1(project, "migrations", "apply", "DB")
    d1(project, "execute", "DB", "--command", "INSERT INTO users (name) VALUES ('ann'); SELECT 1")
    file = project / "dump.sql"
    assert 0 == d1(project, "export", "DB", "--output", str(file), "--table", "users", "--no-schema").exit_code
    assert "applied 1 migrations" in d1(project, "reset", "DB", "--yes").stdout
    assert [] == rows(project, "SELECT * FROM users")
    assert 0 == d1(project, "execute", "DB", "--file", str(file)).exit_code
    assert [{"id": 1, "name": "ann"}] == rows(project, "SELECT * FROM users")


def test_unknown_database_is_refused_with_those_that_there_are(project: Path) -> None:
    """In wrangler's words."""
    done = d1(project, "execute", "NOPE", "--command", "SELECT 1")
    assert 1 == done.exit_code
    assert "Couldn't find a D1 DB with the name or binding 'NOPE' in your wrangler.toml file. It has: shop-db." in (
        done.stderr
    )
