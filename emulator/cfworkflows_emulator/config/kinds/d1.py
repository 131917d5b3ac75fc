"""`d1_databases`: bindings to D1 databases."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path
from cfworkflows_emulator.config.kinds.kind import Kind, Layer
from cfworkflows_emulator.config.kinds.remote import refuse_remote
from cfworkflows_emulator.config.markers import Section
from cfworkflows_emulator.config.report import Report

MIGRATIONS_TABLE = "d1_migrations"
MIGRATIONS_DIR = "migrations"


@dataclass(frozen=True, slots=True)
class D1Section(Section):
    """One element of `d1_databases`. Bindings with one id are one database."""

    binding: str
    database_name: str | None = None
    database_id: str | None = None
    preview_database_id: str | None = None
    jurisdiction: str | None = None
    migrations_table: str | None = None
    migrations_dir: str | None = None
    migrations_pattern: str | None = None
    database_internal_env: str | None = None
    remote: bool | None = None

    @property
    def database(self) -> str:
        """The id on this machine: the first that there is of those for development, for production, and the name."""
        return self.preview_database_id or self.database_id or self.binding

    @property
    def table(self) -> str:
        """The table that has the names of the migrations that were applied."""
        return self.migrations_table or MIGRATIONS_TABLE

    @property
    def folder(self) -> str:
        """The folder of the migrations, relative to that of the configuration."""
        return self.migrations_dir or MIGRATIONS_DIR


class D1Kind(Kind[D1Section]):
    """D1 databases."""

    key = "d1_databases"
    friendly = "D1 Database"
    section = D1Section
    layers = frozenset(
        {Layer.TYPES, Layer.BINDING, Layer.STORE, Layer.RUNTIME, Layer.ANALYSIS, Layer.EXPLORER, Layer.KIT}
    )

    def resource(self, section: D1Section, /) -> str:
        return section.database_name or section.database

    def check(self, report: Report, path: Path, element: Mapping[str, Any], /) -> None:
        refuse_remote(report, path, element, "cfwf d1 execute DB --file FILE")
        pattern, folder = element.get("migrations_pattern"), element.get("migrations_dir")
        if not isinstance(pattern, str):
            return
        if not isinstance(folder, str):
            report.error(
                '"migrations_pattern" needs "migrations_dir", the folder that its files are in.',
                (*path, "migrations_pattern"),
                suggestion='Add "migrations_dir".',
            )
        elif not pattern.startswith(f"{folder.rstrip('/')}/"):
            report.error(
                f'"migrations_pattern" has to begin with "migrations_dir" ("{folder}/") but got "{pattern}".',
                (*path, "migrations_pattern"),
                suggestion=f'Write "{folder.rstrip("/")}/{pattern}".',
            )


D1_DATABASES = D1Kind()
