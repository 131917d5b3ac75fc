"""`cfwf d1 migrations create | list | apply`."""

import click

from cfworkflows_emulator.cli.options import fail, say
from cfworkflows_emulator.cli.workflows.options import Target, common


@click.command()
@click.argument("name", metavar="DB")
@click.argument("message", nargs=-1, required=True)
@common
def create(target: Target, *, as_json: bool, name: str, message: tuple[str, ...]) -> None:
    """Make an empty file for a new migration, with the next number.

    \b
    Example:
      cfwf d1 migrations create DB add users
    """
    from cfworkflows_emulator.cli.d1.database import find
    from cfworkflows_emulator.cli.workflows.output import print_json
    from cfworkflows_emulator.stores.d1.changes import migrations_of
    from cfworkflows_emulator.stores.d1.migrations import next_name

    database = find(target, name)
    folder = database.migrations
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / next_name(migrations_of(database.section, database.config.directory), " ".join(message))
    with path.open("x", encoding="utf-8") as file:
        file.write(f"-- Migration number: {path.name.partition('_')[0]}\n")
    if as_json:
        print_json({"name": path.name, "path": str(path)})
    else:
        say(f"✅ Successfully created Migration '{path.name}'!\nThe migration is at {path}")


@click.command("list")
@click.argument("name", metavar="DB")
@click.option("--all", "every", is_flag=True, help="Those that were applied too.")
@common
def list_migrations(target: Target, *, as_json: bool, name: str, every: bool) -> None:
    """List the migrations that were not applied."""
    from cfworkflows_emulator.cli.d1.database import opened
    from cfworkflows_emulator.cli.workflows.output import print_json, table

    with opened(target, name) as (client, database):
        found = client.request("GET", f"{database.path}/migrations").result
    shown = [each for each in found["migrations"] if every or each["applied_at"] is None]
    if as_json:
        print_json(shown)
    elif not found["migrations"]:
        say(f"No migrations present at {found['folder']}.")
    elif not shown:
        say("✅ No migrations to apply!")
    else:
        table(("Name", "Applied"), [(each["name"], each["applied_at"] or "") for each in shown])


@click.command()
@click.argument("name", metavar="DB")
@click.option("--dry-run", is_flag=True, help="Execute them, show how the schema differs, and undo it.")
@click.option("-y", "--yes", is_flag=True, hidden=True)  # wrangler's: here nobody is asked
@common
def apply(target: Target, *, as_json: bool, name: str, dry_run: bool, yes: bool) -> None:
    """Apply the migrations that were not applied. Each is one transaction with its row in the table of migrations.

    \b
    Examples:
      cfwf d1 migrations apply DB --dry-run
      cfwf d1 migrations apply DB
    """
    from cfworkflows_emulator.cli.d1.database import opened
    from cfworkflows_emulator.cli.workflows.output import print_json, table

    with opened(target, name) as (client, database):
        if not database.migrations.is_dir():
            fail(f"No migrations folder found. Make {database.migrations}, or set `migrations_dir`.")
        done = client.request("POST", f"{database.path}/migrations", body={"dry_run": dry_run}).result
    if as_json:
        print_json(done)
    elif not done["applied"]:
        say("✅ No migrations to apply!")
    else:
        table(("Name", "Status"), [(each, "would be applied" if dry_run else "✅") for each in done["applied"]])
        for line in done["schema"]:
            say(line)


MIGRATIONS = (create, list_migrations, apply)
