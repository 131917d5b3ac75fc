"""`cfwf workflows instances send-event | pause | resume | restart | fork | terminate | delete | skip`."""

from pathlib import Path
from typing import Any

import click

from cfworkflows_emulator.cli.options import fail, read_json, read_json_file, say
from cfworkflows_emulator.cli.workflows.options import Target, common

TYPES = ("step", "sleep", "waitForEvent", "rollback")
MOST_DELETED = 100
STEP_TYPE = click.Choice(("do", "sleep", "waitForEvent"))


@click.command("send-event")
@click.argument("name")
@click.argument("id")
@click.option("--type", "event_type", required=True, help="Type of the event.")
@click.option("--payload", default="{}", show_default=True, metavar="JSON", help="What the event brings.")
@common
def send_event(target: Target, *, as_json: bool, name: str, id: str, event_type: str, payload: str) -> None:
    """Send an event to an instance.

    \b
    Example:
      cfwf workflows instances send-event orders latest --type approval --payload '{"ok": true}'
    """
    from urllib.parse import quote

    from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import done

    body = read_json(payload, "event payload")
    with connect(target, changes=True) as client:
        id = resolved(client, name, id)
        path = f"{instance_path(name, id)}/events/{quote(event_type, safe='')}"
        result = client.request("POST", path, body=body).result
        text = f'The event with type "{event_type}" and payload "{payload}" was sent to the instance "{id}" from {name}'
        done(client, text, result, as_json=as_json)


def _change(target: Target, name: str, id: str, body: dict[str, Any], was: str, *, as_json: bool) -> None:
    from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import done

    with connect(target, changes=True) as client:
        id = resolved(client, name, id)
        result = client.request("PATCH", f"{instance_path(name, id)}/status", body=body).result
        text = f'The instance "{id}" from {name} was {was} successfully. It is {result["status"]}.'
        goes_on = result["status"] not in ("paused", "complete", "errored", "terminated")
        done(client, text, result, as_json=as_json, goes_on=goes_on)


@click.command()
@click.argument("name")
@click.argument("id")
@common
def pause(target: Target, *, as_json: bool, name: str, id: str) -> None:
    """Pause an instance, when the attempts that run have ended.

    \b
    Example:
      cfwf workflows instances pause orders latest
    """
    _change(target, name, id, {"status": "pause"}, "paused", as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("id")
@common
def resume(target: Target, *, as_json: bool, name: str, id: str) -> None:
    """Resume an instance that is paused.

    \b
    Example:
      cfwf workflows instances resume orders latest
    """
    _change(target, name, id, {"status": "resume"}, "resumed", as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("id")
@click.option("--from-step-name", metavar="STEP", help="Step to begin at; results of earlier steps are kept.")
@click.option("--from-step-count", type=click.IntRange(1), help="Which of the steps of that name, from 1. [1]")
@click.option("--from-step-type", type=STEP_TYPE, help="Type of the step. [do]")
@common
def restart(
    target: Target,
    *,
    as_json: bool,
    name: str,
    id: str,
    from_step_name: str | None,
    from_step_count: int | None,
    from_step_type: str | None,
) -> None:
    """Restart an instance, from its beginning or from a step.

    \b
    Examples:
      cfwf workflows instances restart orders first
      cfwf workflows instances restart orders first --from-step-name charge
    """
    body: dict[str, Any] = {"status": "restart"}
    if from_step_name is not None:
        step = {"name": from_step_name, "count": from_step_count, "type": from_step_type}
        body["from"] = {key: value for key, value in step.items() if value is not None}
    elif from_step_count is not None or from_step_type is not None:
        raise click.UsageError("--from-step-name is required when using --from-step-count or --from-step-type")
    _change(target, name, id, body, "restarted", as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("id")
@click.option("--from", "step", required=True, metavar="STEP", help="Step to begin at; what is before it is kept.")
@click.option("--from-step-count", type=click.IntRange(1), default=1, help="Which of the steps of that name. [1]")
@click.option("--from-step-type", type=STEP_TYPE, default="do", help="Type of the step. [do]")
@click.option("--output", metavar="JSON", help="Result of the step, which is not executed then.")
@click.option("--id", "new_id", help="Id of the new instance. [a random one]")
@common
def fork(
    target: Target,
    *,
    as_json: bool,
    name: str,
    id: str,
    step: str,
    from_step_count: int,
    from_step_type: str,
    output: str | None,
    new_id: str | None,
) -> None:
    """Create an instance that begins as another one did, up to a step. The other one stays as it is.

    \b
    Examples:
      cfwf workflows instances fork orders first --from charge
      cfwf workflows instances fork orders first --from price --output '{"total": 0}' --id free
    """
    from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import done

    body: dict[str, Any] = {"from": {"name": step, "count": from_step_count, "type": from_step_type}}
    if output is not None:
        body["output"] = read_json(output, "--output")
    if new_id is not None:
        body["id"] = new_id
    with connect(target, changes=True) as client:
        id = resolved(client, name, id)
        result = client.request("POST", f"{instance_path(name, id)}/fork", body=body).result
        text = f'The instance "{result["id"]}" of {name} was forked from "{id}"'
        done(client, text, result, as_json=as_json, goes_on=True)


@click.command()
@click.argument("name")
@click.argument("id")
@click.option("--rollback", is_flag=True, help="Undo its steps first.")
@common
def terminate(target: Target, *, as_json: bool, name: str, id: str, rollback: bool) -> None:
    """Terminate an instance.

    \b
    Example:
      cfwf workflows instances terminate orders latest --rollback
    """
    body = {"status": "terminate", **({"rollback": True} if rollback else {})}
    _change(target, name, id, body, "terminated", as_json=as_json)


@click.command()
@click.argument("name")
@click.argument("ids", nargs=-1)
@click.option(
    "--filename", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="File with a JSON array of ids."
)
@common
def delete(target: Target, *, as_json: bool, name: str, ids: tuple[str, ...], filename: Path | None) -> None:
    """Delete instances, with all that is stored of them; up to 100 at a time.

    \b
    Examples:
      cfwf workflows instances delete orders first second
      cfwf workflows instances delete orders --filename ids.json
    """
    from cfworkflows_emulator.cli.workflows.client import instances_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import print_json

    wanted = [*ids, *(_ids_in(filename) if filename is not None else [])]
    if not wanted:
        raise click.UsageError("Name the instances to delete, or a file that does with --filename.")
    if len(wanted) > MOST_DELETED:
        raise click.UsageError(f"You can delete at most {MOST_DELETED} workflow instances at a time")
    with connect(target, changes=True) as client:
        wanted = [resolved(client, name, id) for id in wanted]
        result = client.request("POST", f"{instances_path(name)}/batch/delete", body={"instances": wanted}).result
    if as_json:
        print_json(result)
    elif result["deleted"]:
        listed = ", ".join(f'"{each["id"]}"' for each in result["deleted"])
        say(f'Deleted workflow instances from "{name}": {listed}')
    if result["errors"]:
        listed = "".join(f"\n  - {each['id']}: {each['message']}" for each in result["errors"])
        fail(f"{len(result['errors'])} of {len(wanted)} instances were not deleted:{listed}")


def _ids_in(file: Path) -> list[str]:
    ids = read_json_file(file)
    if not isinstance(ids, list) or not all(isinstance(id, str) for id in ids):
        fail(f'{file} has to hold a JSON array of ids, as in ["first", "second"].')
    return ids


@click.command()
@click.argument("name")
@click.argument("id")
@click.argument("step", required=False)
@click.option("--type", "step_type", type=click.Choice(TYPES), help="Type of the step, if the name is not enough.")
@common
def skip(target: Target, *, as_json: bool, name: str, id: str, step: str | None, step_type: str | None) -> None:
    """End a sleep, a retry delay or a wait of an instance now, as if its time had come: a wait times out.

    STEP is its name, with its number or without; it is not needed if the instance is in one thing only.

    \b
    Examples:
      cfwf workflows instances skip orders latest
      cfwf workflows instances skip orders latest nap-2 --type sleep
    """
    from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import done

    given = {"step": step, "type": step_type}
    with connect(target, changes=True) as client:
        id = resolved(client, name, id)
        body = {key: value for key, value in given.items() if value is not None}
        result = client.request("POST", f"{instance_path(name, id)}/skip", body=body).result
        what = {"sleep": "sleep", "waitForEvent": "wait"}.get(result["type"], "retry delay")
        text = f'The {what} "{result["step"]}" of the instance "{id}" from {name} was skipped'
        done(client, text, result, as_json=as_json)


CHANGES = (send_event, pause, resume, restart, fork, terminate, delete, skip)
