"""The database that a command is about."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.cli.workflows.client import Client
from cfworkflows_emulator.cli.workflows.connection import connect, state_folder
from cfworkflows_emulator.cli.workflows.options import Target
from cfworkflows_emulator.config import D1_DATABASES, LoadedConfig
from cfworkflows_emulator.config.kinds.d1 import D1Section


@dataclass(frozen=True, slots=True)
class Database:
    """A database as it is configured: found by its binding, its name or its id."""

    section: D1Section
    config: LoadedConfig

    @property
    def path(self) -> str:
        """The path of its routes."""
        return f"/d1/database/{quote(self.section.database, safe='')}"

    @property
    def migrations(self) -> Path:
        """The folder of its migrations."""
        return self.config.directory / self.section.folder

    @property
    def seed(self) -> Path:
        """Its seed, beside the configuration."""
        return self.config.directory / "seed.sql"


def find(target: Target, name: str) -> Database:
    """Raises CfworkflowsError if the configuration has no such database, and ConfigError if there is none."""
    from cfworkflows_emulator.config.loading import load_config

    config = load_config(target.config, cwd=(target.cwd or Path()).absolute(), env=target.env, process_env=os.environ)
    sections = config.sections(D1_DATABASES)
    for section in sections:
        if name in (section.binding, section.database_name, section.database):
            return Database(section, config)
    there = ", ".join(section.database_name or section.binding for section in sections)
    hint = f"It has: {there}." if there else "It has no `d1_databases`."
    raise CfworkflowsError(
        f"Couldn't find a D1 DB with the name or binding '{name}' in your {config.shown} file. {hint}"
    )


@contextmanager
def opened(target: Target, name: str) -> Iterator[tuple[Client, Database]]:
    """A client that can change a database, and the database."""
    database = find(target, name)
    with connect(target, changes=True) as client:
        yield client, database


def execute(client: Client, database: Database, statements: list[str]) -> list[dict[str, Any]]:
    """The results of statements, which are one transaction. Raises RefusedError."""
    body = {"batch": [{"sql": statement} for statement in statements]}
    found: list[dict[str, Any]] = client.request("POST", f"{database.path}/raw", body=body).result
    return found


def file_of(target: Target, database: Database) -> Path:
    """The file on the disk."""
    from cfworkflows_emulator.stores.d1 import file_of as file_in

    return file_in(state_folder(target), database.section.database)
