"""D1 databases of a session."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cfworkflows import D1Error
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.storage import StateError

CONFIG = """
name = "shop"
main = "entry.py"
compatibility_date = "2026-11-01"
[[d1_databases]]
binding = "DB"
"""


@pytest.fixture
def loaded(tmp_path: Path) -> Callable[[], LoadedConfig]:
    """A project with a migration."""
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "entry.py").write_text("")
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations/0001_init.sql").write_text("CREATE TABLE t (a);")
    return lambda: load_config(cwd=tmp_path, process_env={})


async def test_migrations_that_are_not_applied_are_named(loaded: Callable[[], LoadedConfig], tmp_path: Path) -> None:
    """With the command that applies them."""
    async with Project.open(loaded(), state=tmp_path / "state") as project:
        [notice] = await project.store_notices()
    assert "1 migration is not applied to the D1 database DB (0001_init.sql): `cfwf d1 migrations apply DB`" == notice


@pytest.mark.parametrize("sql", ["SELECT * FROM t", "INSERT INTO u (b) VALUES (1)", "SELECT b FROM u"])
async def test_missing_table_names_the_migrations_that_are_not_applied(
    loaded: Callable[[], LoadedConfig], tmp_path: Path, sql: str
) -> None:
    """Below the platform's text; an error of another kind says nothing of them."""
    async with Project.open(loaded(), state=tmp_path / "state") as project:
        database = project.env.DB
        await database.exec("CREATE TABLE u (a)")
        with pytest.raises(D1Error) as caught:
            await database.prepare(sql).all()
        note = "1 migration is not applied to the D1 database DB (0001_init.sql): `cfwf d1 migrations apply DB`"
        assert note in caught.value.__notes__
        with pytest.raises(D1Error) as other:
            await database.prepare("SELEC 1").all()
        assert note not in other.value.__notes__


async def test_damaged_file_harms_its_binding_alone(loaded: Callable[[], LoadedConfig], tmp_path: Path) -> None:
    """The session is open, and whoever uses the database is told which file it is."""
    file = tmp_path / "state/d1/%44%42.sqlite"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"no database" * 1000)
    async with Project.open(loaded(), state=tmp_path / "state") as project:
        [notice] = await project.store_notices()
        assert notice.startswith(f"env.DB cannot be used: {file}: file is not a database")
        with pytest.raises(StateError, match="file is not a database"):
            await project.env.DB.prepare("SELECT 1").all()
