"""`cfwf workflows instances export | import`."""

import json
from pathlib import Path

import click

from cfworkflows_emulator.cli.options import fail, read_json_file, say
from cfworkflows_emulator.cli.workflows.options import Target, common
from cfworkflows_emulator.shown import shown_json

STANDARD = Path("-")
ENDED = ("complete", "errored", "terminated")


@click.command("export")
@click.argument("name")
@click.argument("id", default="latest")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True), default=STANDARD,
    help="File to write. [the standard output]",
)  # fmt: skip
@common
def export_instance(target: Target, *, as_json: bool, name: str, id: str, output: Path) -> None:
    """Write an instance as one JSON file: its journal, its values and its streams.

    What is in it is not hidden: outputs of sensitive steps too. ID is `latest` by default.

    \b
    Example:
      cfwf workflows instances export orders first -o first.json
    """
    from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import print_json

    with connect(target) as client:
        id = resolved(client, name, id)
        document = client.request("GET", f"{instance_path(name, id)}/export").result
    text = json.dumps(document, indent=2)
    if output == STANDARD:
        print(shown_json(text))
        return
    try:
        output.write_text(f"{text}\n", encoding="utf-8")
    except OSError as error:
        fail(f"{output} cannot be written: {error.strerror or error}.")
    if as_json:
        print_json({"id": id, "output": str(output)})
    else:
        say(f'Wrote the instance "{id}" from {name} to {output}')


@click.command("import")
@click.argument("name")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, allow_dash=True))
@click.option("--id", help="Id to give it, instead of the one that it had.")
@common
def import_instance(target: Target, *, as_json: bool, name: str, file: Path, id: str | None) -> None:
    """Take over an exported instance, which continues if it had not ended. FILE is - for the standard input.

    \b
    Examples:
      cfwf workflows instances import orders first.json
      cfwf workflows instances import orders first.json --id copy
    """
    from cfworkflows_emulator.cli.workflows.client import instances_path
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import done

    document = read_json_file(file)
    with connect(target, changes=True) as client:
        query = {"id": id} if id is not None else None
        result = client.request("POST", f"{instances_path(name)}/import", query=query, body=document).result
        text = f'The instance "{result["id"]}" was imported into {name}'
        done(client, text, result, as_json=as_json, goes_on=document["status"] not in ENDED)


TRANSFERS = (export_instance, import_instance)
