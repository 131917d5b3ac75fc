"""`cfwf d1 list | info | path | seed | reset`."""

from typing import Any

import click

from cfworkflows_emulator.cli.options import fail, say
from cfworkflows_emulator.cli.workflows.options import Target, common


@click.command("list")
@common
def list_databases(target: Target, *, as_json: bool) -> None:
    """List the databases."""
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import print_json, table

    with connect(target) as client:
        found = client.request("GET", "/d1/database").result
    if as_json:
        print_json(found)
    elif not found:
        say("There are no D1 databases.")
    else:
        table(("Binding", "Id"), [(each["name"], each["uuid"]) for each in found])


@click.command()
@click.argument("name", metavar="DB")
@common
def info(target: Target, *, as_json: bool, name: str) -> None:
    """Show the tables of a database, its size, its file, and its migrations."""
    from cfworkflows_emulator.cli.d1.database import execute, file_of, opened
    from cfworkflows_emulator.cli.workflows.output import print_json, table

    with opened(target, name) as (client, database):
        [tables] = execute(client, database, [_TABLES])
        names = [row[0] for row in tables["results"]["rows"]]
        counts = execute(client, database, [_COUNT.format(table=_quoted(each)) for each in names] or ["SELECT 0"])
        migrations = client.request("GET", f"{database.path}/migrations").result["migrations"]
        result = {
            "binding": database.section.binding,
            "id": database.section.database,
            "file": str(file_of(target, database)),
            "size": tables["meta"]["size_after"],
            "tables": {each: count["results"]["rows"][0][0] for each, count in zip(names, counts, strict=False)},
            "migrations": {"applied": sum(each["applied_at"] is not None for each in migrations)},
        }
        result["migrations"]["pending"] = len(migrations) - result["migrations"]["applied"]
    if as_json:
        print_json(result)
        return
    say(f"Binding     {result['binding']}\nId          {result['id']}\nFile        {result['file']}")
    say(f"Size        {result['size']:,} bytes")
    say(f"Migrations  {result['migrations']['applied']} applied, {result['migrations']['pending']} not applied\n")
    table(("Table", "Rows"), [(each, f"{count:,}") for each, count in result["tables"].items()])


@click.command()
@click.argument("name", metavar="DB")
@common
def path(target: Target, *, as_json: bool, name: str) -> None:
    """Print the path of the file, for other programs. Only one program at a time should write it."""
    from cfworkflows_emulator.cli.d1.database import file_of, find
    from cfworkflows_emulator.cli.workflows.output import print_json

    found = file_of(target, find(target, name))
    print_json({"path": str(found)}) if as_json else say(found)


@click.command()
@click.argument("name", metavar="DB")
@common
def seed(target: Target, *, as_json: bool, name: str) -> None:
    """Execute `seed.sql`, which is beside the configuration."""
    from cfworkflows_emulator.cli.d1.database import find
    from cfworkflows_emulator.cli.d1.sql import load_file

    file = find(target, name).seed
    if not file.is_file():
        fail(f"There is no {file}.")
    load_file(target, name, file, as_json=as_json)


@click.command()
@click.argument("name", metavar="DB")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@common
def reset(target: Target, *, as_json: bool, name: str, yes: bool) -> None:
    """Drop everything in a database, apply its migrations, and execute `seed.sql` if there is one."""
    from cfworkflows_emulator.cli.d1.database import execute, opened
    from cfworkflows_emulator.cli.d1.sql import load_file
    from cfworkflows_emulator.cli.workflows.output import print_json

    with opened(target, name) as (client, database):
        [found] = execute(client, database, [_OBJECTS])
        drops = [f"DROP {kind} IF EXISTS {_quoted(each)}" for each, kind in found["results"]["rows"]]
        if drops and not yes:
            click.confirm(f"Drop {len(drops)} tables and views of {name}?", abort=True, err=True)
        if drops:
            execute(client, database, ["PRAGMA defer_foreign_keys = ON", *drops])
        applied: list[str] = []
        if database.migrations.is_dir():
            done = client.request("POST", f"{database.path}/migrations", body={"dry_run": False})
            applied = done.result["applied"]
    if as_json:
        print_json({"dropped": len(drops), "applied": applied})
    else:
        say(f"Dropped {len(drops)} tables and views; applied {len(applied)} migrations.")
    if database.seed.is_file():
        load_file(target, name, database.seed, as_json=as_json)


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))


_COUNT = "SELECT count(*) FROM {table}"
_OWN = "name NOT LIKE '\\_cf\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
_TABLES = f"SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND {_OWN}"  # noqa: S608 - a constant
# Virtual tables take their shadow tables with them, so they go first.
_OBJECTS = (
    "SELECT name, CASE type WHEN 'view' THEN 'VIEW' ELSE 'TABLE' END FROM pragma_table_list WHERE schema = 'main' "  # noqa: S608 - a constant
    f"AND type <> 'shadow' AND {_OWN} ORDER BY CASE type WHEN 'view' THEN 0 WHEN 'virtual' THEN 1 ELSE 2 END"
)

UPKEEP: tuple[Any, ...] = (list_databases, info, path, seed, reset)
