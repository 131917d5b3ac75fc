"""`cfwf d1`."""

import click

from cfworkflows_emulator.cli.d1.migrations import MIGRATIONS
from cfworkflows_emulator.cli.d1.sql import SQL
from cfworkflows_emulator.cli.d1.upkeep import UPKEEP
from cfworkflows_emulator.cli.workflows.options import Commands


@click.group("d1", cls=Commands)
def command() -> None:
    """D1 databases of this project: migrations, SQL, import and export. DB is a binding, a name or an id.

    A running `cfwf dev` is asked, or without one the state folder itself is used. Nothing leaves this machine.

    \b
    Examples:
      cfwf d1 migrations apply DB
      cfwf d1 execute DB --command "SELECT * FROM users"
      cfwf d1 execute DB --file dump.sql
      cfwf d1 export DB --output dump.sql
    """


@command.group(cls=Commands)
def migrations() -> None:
    """Create, list and apply migrations: the files and the table that wrangler uses too."""


for each in MIGRATIONS:
    migrations.add_command(each)
for each in (*SQL, *UPKEEP):
    command.add_command(each)
