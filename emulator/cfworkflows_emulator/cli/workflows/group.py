"""`cfwf workflows`."""

from typing import Any

import click

from cfworkflows_emulator.cli.options import read_json, say
from cfworkflows_emulator.cli.workflows.changes import CHANGES
from cfworkflows_emulator.cli.workflows.instances import VIEWS
from cfworkflows_emulator.cli.workflows.options import Commands, Target, common
from cfworkflows_emulator.cli.workflows.transfer import TRANSFERS


@click.group("workflows", cls=Commands)
def command() -> None:
    """Show and change Workflows and their instances.

    A running `cfwf dev` is found by its state folder, or named with --port. Without one, the state folder itself is
    read and changed, and what is changed takes effect when `cfwf dev` is next started.

    \b
    Examples:
      cfwf workflows list
      cfwf workflows trigger orders '{"item": 1}' --id first
      cfwf workflows instances describe orders first
      cfwf workflows instances watch orders latest
    """


@command.group(cls=Commands)
def instances() -> None:
    """Show and change the instances of a Workflow. `latest` is the id of the one that was created last.

    \b
    Examples:
      cfwf workflows instances list orders --status waiting
      cfwf workflows instances send-event orders latest --type approval --payload '{"ok": true}'
      cfwf workflows instances skip orders latest
      cfwf workflows instances restart orders latest --from-step-name charge
    """


for each in (*VIEWS, *CHANGES, *TRANSFERS):
    instances.add_command(each)


@command.command("list")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Page of the list.")
@click.option("--per-page", type=click.IntRange(1), help="Workflows on a page. [all]")
@common
def list_workflows(target: Target, *, as_json: bool, page: int, per_page: int | None) -> None:
    """List the Workflows.

    \b
    Example:
      cfwf workflows list --json
    """
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import print_json, table

    with connect(target) as client:
        found = client.request("GET", "/workflows").result
    if per_page is not None:
        found = found[(page - 1) * per_page : page * per_page]
    elif page > 1:
        found = []
    if as_json:
        print_json(found)
    elif not found:
        say("There are no Workflows." if page == 1 else f"There are no Workflows on page {page}.")
    else:
        rows = [(each["name"], each["script_name"], each["class_name"]) for each in found]
        table(("Name", "Script name", "Class name"), rows)


@command.command()
@click.argument("name")
@common
def describe(target: Target, *, as_json: bool, name: str) -> None:
    """Show a Workflow, with how many instances are in each status.

    \b
    Example:
      cfwf workflows describe orders
    """
    from cfworkflows_emulator.cli.workflows.client import workflow_path
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import print_json, status_text, table

    with connect(target) as client:
        found = client.request("GET", workflow_path(name)).result
    if as_json:
        print_json(found)
        return
    say(f"Name         {found['name']}\nScript name  {found['script_name']}\nClass name   {found['class_name']}\n")
    counts = [(status_text(status), str(count)) for status, count in found["instances"].items() if count]
    if counts:
        table(("Status", "Instances"), counts)
    else:
        say("It has no instances.")


@command.command()
@click.argument("name")
@click.argument("params", required=False)
@click.option("--params", "params_option", metavar="JSON", help="The params, instead of the argument.")
@click.option("--id", help="Id of the instance. [a UUID]")
@common
def trigger(
    target: Target, *, as_json: bool, name: str, params: str | None, params_option: str | None, id: str | None
) -> None:
    """Create an instance of a Workflow. PARAMS is JSON.

    \b
    Examples:
      cfwf workflows trigger orders
      cfwf workflows trigger orders '{"item": 1}' --id first
    """
    from cfworkflows_emulator.cli.workflows.client import instances_path
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import done

    if params is not None and params_option is not None:
        raise click.UsageError("Give the params once: as an argument, or with --params.")
    body: dict[str, Any] = {"id": id} if id is not None else {}
    text = params if params is not None else params_option
    if text is not None:
        body["params"] = read_json(text, "instance parameters")
    with connect(target, changes=True) as client:
        created = client.request("POST", instances_path(name), body=body).result
        done(client, f'Workflow instance "{created["id"]}" has been triggered successfully', created, as_json=as_json)
