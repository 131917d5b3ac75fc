"""D1 databases in tests."""

from pathlib import Path
from typing import Any

import pytest

from cfworkflows import D1Error, WorkflowEntrypoint
from cfworkflows.testing import D1, FakeEnv


class Orders(WorkflowEntrypoint[Any, Any]):
    async def run(self, event: Any, step: Any) -> Any:
        async def insert() -> Any:
            return await self.env.DB.prepare("INSERT INTO orders (id) VALUES (?) RETURNING *").bind(7).first()

        return await step.do("insert", insert)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a migration."""
    (tmp_path / "0001_init.sql").write_text("CREATE TABLE orders (id INTEGER PRIMARY KEY, note TEXT DEFAULT 'x');")
    return tmp_path


async def test_each_environment_begins_with_its_migrations_and_seeds(folder: Path) -> None:
    """And with nothing of the one before."""
    (folder / "seed.sql").write_text("INSERT INTO orders (id) VALUES (1);")
    (folder / "seed.sql").rename(folder.parent / "seed.sql")
    fake = D1(migrations=folder, seed=folder.parent / "seed.sql", sql="INSERT INTO orders (id) VALUES (2)")
    for _ in range(2):
        async with FakeEnv(DB=fake, ORDERS=Orders) as env:
            instance = await env.ORDERS.create()
            assert {"id": 7, "note": "x"} == await instance.result()
            assert [[1], [2], [7]] == await env.DB.prepare("SELECT id FROM orders").raw()


async def test_changed_migration_is_applied(folder: Path) -> None:
    """What was made of the files before is not used for others."""
    for name in ("a", "b"):
        (folder / "0002_more.sql").write_text(f"CREATE TABLE {name * 3} (x);")
        async with FakeEnv(DB=D1(migrations=folder)) as env:
            assert [] == await env.DB.prepare(f"SELECT * FROM {name * 3}").raw()


async def test_databases_are_their_own() -> None:
    """Each binding has one."""
    async with FakeEnv(ONE=D1(sql="CREATE TABLE t (a)"), TWO=D1()) as env:
        with pytest.raises(D1Error, match="no such table: t"):
            await env.TWO.prepare("SELECT * FROM t").all()
