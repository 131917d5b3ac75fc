"""`cfwf d1 execute | shell | export`."""

import sys
from pathlib import Path
from typing import Any

import click

from cfworkflows_emulator.cli.options import fail, say
from cfworkflows_emulator.cli.workflows.options import Target, common

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("name", metavar="DB")
@click.option("--command", "sql", help="SQL: one statement, or several.")
@click.option("--file", type=_FILE, help="A file of SQL, of any size.")
@click.option("-y", "--yes", is_flag=True, hidden=True)  # wrangler's: here nobody is asked
@click.option("--remote", is_flag=True, hidden=True)
@common
def execute(
    target: Target, *, as_json: bool, name: str, sql: str | None, file: Path | None, yes: bool, remote: bool
) -> None:
    """Execute SQL, in one transaction: all of it, or nothing.

    \b
    Examples:
      cfwf d1 execute DB --command "SELECT * FROM users" --json
      cfwf d1 execute DB --file dump.sql
    """
    from cfworkflows_emulator.cli.d1 import database as databases
    from cfworkflows_emulator.cli.d1.output import print_results
    from cfworkflows_emulator.stores.d1.statements import split

    if remote:
        fail("--remote is not supported: no command reaches Cloudflare. Use `wrangler d1 execute --remote`.")
    if (sql is None) == (file is None):
        raise click.UsageError("Give either --command or --file.")
    if file is not None:
        load_file(target, name, file, as_json=as_json)
        return
    statements = [each.text for each in split(sql or "") if not each.is_empty] or [""]
    with databases.opened(target, name) as (client, database):
        print_results(databases.execute(client, database, statements), as_json=as_json)


def load_file(target: Target, name: str, file: Path, *, as_json: bool) -> None:
    """Import a file, with a line that says how far it is."""
    from cfworkflows_emulator.cli.d1.database import opened
    from cfworkflows_emulator.cli.d1.progress import Watched
    from cfworkflows_emulator.cli.workflows.output import print_json

    with opened(target, name) as (client, database), Watched(file) as watched:
        query = {"file": file}
        done = client.upload(f"{database.path}/import", watched, query=query).result
    if as_json:
        print_json(done)
        return
    for note in done["notes"]:
        say(f"note: {note}")
    say(f"🚣 Executed {done['statements']:,} statements of {file}.")


@click.command()
@click.argument("name", metavar="DB")
@common
def shell(target: Target, *, as_json: bool, name: str) -> None:
    """Type SQL, and see what it gives. `.tables`, `.schema` and `.quit` are there too."""
    import sqlite3

    from cfworkflows_emulator.cli.d1 import database as databases
    from cfworkflows_emulator.cli.d1.output import print_results
    from cfworkflows_emulator.cli.workflows.client import RefusedError

    prompts = sys.stdin.isatty()
    if prompts:
        import readline  # noqa: F401 - for the arrow keys
    with databases.opened(target, name) as (client, database):
        text = ""
        while True:
            try:
                text += input("" if not prompts else "  ...> " if text else f"{name}> ") + "\n"
            except EOFError:
                break
            if text.strip() in (".quit", ".exit"):
                break
            sql = _SHORT.get(text.strip(), text)
            if not sqlite3.complete_statement(sql):
                text = text if text.strip() else ""
                continue
            text = ""
            try:
                print_results(databases.execute(client, database, [sql]), as_json=as_json)
            except RefusedError as error:
                say(f"error: {error}")


_SHORT = {
    ".tables": "SELECT name, type FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE '\\_cf\\_%' "
    "ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name;",
    ".schema": "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE '\\_cf\\_%' ESCAPE '\\';",
}


@click.command()
@click.argument("name", metavar="DB")
@click.option("-o", "--output", type=_FILE, help="File to write. [the standard output]")
@click.option("--table", "tables", multiple=True, help="Only this table. May be given several times.")
@click.option("--no-schema", is_flag=True, help="Only the rows.")
@click.option("--no-data", is_flag=True, help="Only the schema.")
@common
def export(
    target: Target,
    *,
    as_json: bool,
    name: str,
    output: Path | None,
    tables: tuple[str, ...],
    no_schema: bool,
    no_data: bool,
) -> None:
    """Write a database as SQL that can be executed again, of one moment, while a server may go on.

    \b
    Examples:
      cfwf d1 export DB --output dump.sql
      cfwf d1 export DB --table users --no-schema
    """
    from cfworkflows.errors import CfworkflowsError
    from cfworkflows_emulator.cli.d1.database import file_of, find
    from cfworkflows_emulator.stores.d1.exports import dump

    if no_schema and no_data:
        raise click.UsageError("--no-schema and --no-data leave nothing.")
    database = find(target, name)
    path = file_of(target, database)
    if not path.exists():
        raise CfworkflowsError(f"The database {name} is empty: nothing has used it yet ({path}).")
    lines = dump(path, tables, with_schema=not no_schema, with_data=not no_data)
    if output is None:
        for line in lines:
            print(line)
        return
    new = output.with_name(f"{output.name}.new")
    try:
        with new.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
        new.replace(output)
    finally:
        new.unlink(missing_ok=True)
    say(f"🌀 Exported {name} to {output}.")


SQL: tuple[Any, ...] = (execute, shell, export)
