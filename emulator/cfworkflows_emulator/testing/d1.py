"""D1 databases in tests: clean for each, with migrations and seeds that are executed once."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.config import D1_DATABASES, LoadedConfig
from cfworkflows_emulator.config.kinds.d1 import MIGRATIONS_TABLE, D1Section
from cfworkflows_emulator.runtime import Resources, Worker
from cfworkflows_emulator.stores.d1 import D1Store
from cfworkflows_emulator.testing.kit import KitKind

SEED = "seed.sql"
"""A file of SQL beside the configuration, or beside the folder of the migrations, that is executed behind them."""


class D1:
    """A D1 database for FakeEnv, in memory. It is clean for each test: migrations and seeds are executed once, and
    each test begins with a copy of what they made.

        async with FakeEnv(DB=D1(migrations="migrations/", seed="seed.sql"), ORDERS=Orders) as env:
            await env.DB.prepare("INSERT INTO orders (id) VALUES (?)").bind(1).run()

    `migrations` is a folder as wrangler has it, `seed` a file of SQL or several, `sql` SQL itself.
    """

    def __init__(
        self,
        *,
        migrations: str | Path | None = None,
        seed: str | Path | Sequence[str | Path] = (),
        sql: str | None = None,
    ) -> None:
        self._migrations = None if migrations is None else Path(migrations).absolute()
        seeds = [seed] if isinstance(seed, (str, Path)) else seed
        self._seeds = tuple(Path(each).absolute() for each in seeds)
        self._sql = sql

    def __repr__(self) -> str:
        return f"<D1 {self._migrations or 'without migrations'}>"

    def section(self, binding: str, /) -> D1Section:
        """As a configuration would have it."""
        return D1Section(binding)

    def define(self, section: D1Section, worker: Worker, resources: Resources, /) -> None:
        """Fill it."""
        store: D1Store = resources.opened(("d1", section.database))
        if self._migrations is not None or self._seeds or self._sql:
            store.load(_image(self._migrations, None, MIGRATIONS_TABLE, self._seeds, self._sql))


class D1Faked(KitKind[D1Section]):
    """A database of a configuration begins with its migrations, and with `seed.sql` if there is one."""

    kind = D1_DATABASES

    def fake(self, value: Any, /) -> D1 | None:
        return value if isinstance(value, D1) else None

    def prepare(self, section: D1Section, loaded: LoadedConfig, resources: Resources, /) -> None:
        folder = loaded.directory / section.folder
        if not folder.is_dir():
            return
        store: D1Store = resources.opened(("d1", section.database))
        if not store.is_used:
            seeds = tuple(path for path in (loaded.directory / SEED,) if path.is_file())
            store.load(_image(folder, section.migrations_pattern, section.table, seeds, None))


D1_FAKED = D1Faked()

_images: dict[Any, bytes] = {}
_MOST = 100


def _image(folder: Path | None, pattern: str | None, table: str, seeds: tuple[Path, ...], sql: str | None) -> bytes:
    """A database with migrations and seeds, made once for as long as their files stay what they are."""
    from cfworkflows_emulator.stores.d1.images import image
    from cfworkflows_emulator.stores.d1.migrations import migrations_in

    found = [] if folder is None else migrations_in(folder, pattern)
    key = (*(_version(each.path) for each in found), *map(_version, seeds), table, sql)
    if key not in _images:
        scripts = [(str(path), path.read_text(encoding="utf-8-sig")) for path in seeds]
        made = image(found, table, [*scripts, *([("sql", sql)] if sql else [])])
        if len(_images) >= _MOST:
            _images.clear()
        _images[key] = made
    return _images[key]


def _version(path: Path) -> tuple[str, int, int]:
    try:
        found = path.stat()
    except OSError as error:
        raise CfworkflowsError(f"{path} cannot be read: {error.strerror}.") from error
    return str(path), found.st_mtime_ns, found.st_size
