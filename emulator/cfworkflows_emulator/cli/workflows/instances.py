"""`cfwf workflows instances list | describe | watch`."""

import re
from collections.abc import Mapping
from typing import Any

import click

from cfworkflows_emulator.cli.options import fail, say
from cfworkflows_emulator.cli.workflows.options import STATUSES, Target, common
from cfworkflows_emulator.shown import shown_json, shown_line

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@click.command("list")
@click.argument("name")
@click.option("--reverse", is_flag=True, help="Oldest first, within the page.")
@click.option("--status", type=click.Choice(STATUSES), help="Only those in this status.")
@click.option("--date-start", metavar="DATE", help="Only those created at this time (ISO 8601, UTC) or later.")
@click.option("--date-end", metavar="DATE", help="Only those created at this time or before; a day counts whole.")
@click.option("--page", type=click.IntRange(1), default=1, show_default=True, help="Page of the list.")
@click.option("--per-page", type=click.IntRange(1, 100), default=25, show_default=True, help="Instances on a page.")
@common
def list_instances(
    target: Target,
    *,
    as_json: bool,
    name: str,
    reverse: bool,
    status: str | None,
    date_start: str | None,
    date_end: str | None,
    page: int,
    per_page: int,
) -> None:
    """List the instances of a Workflow, newest first.

    \b
    Examples:
      cfwf workflows instances list orders
      cfwf workflows instances list orders --status errored --date-start 2026-11-01 --json
    """
    from cfworkflows_emulator.cli.workflows.client import instances_path
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import clock_time, print_json, status_text, table

    if date_end is not None and _DAY.fullmatch(date_end):
        date_end += "T23:59:59.999Z"
    given = {"status": status, "date_start": date_start, "date_end": date_end, "per_page": per_page, "page": page}
    query = {key: value for key, value in given.items() if value is not None}
    with connect(target) as client:
        answer = client.request("GET", instances_path(name), query=query)
    found = answer.result[::-1] if reverse else answer.result
    if as_json:
        print_json(found)
        return
    total, pages = answer.info["total_count"], answer.info["total_pages"]
    if not found:
        say(f"No instances found on page {page}: there are {pages}." if total else "No instances found.")
        return
    table(
        ("Instance id", "Status", "Created"),
        [(each["id"], status_text(each["status"]), clock_time(each["created_on"])) for each in found],
    )
    if pages > 1:
        say(f"Page {page} of {pages}, {total} instances.")


@click.command()
@click.argument("name")
@click.argument("id", default="latest")
@click.option(
    "--step-output/--no-step-output", default=True, help="Whether to show what steps returned. [--step-output]"
)
@click.option(
    "--truncate-output-limit", type=click.IntRange(1), default=5000, show_default=True, metavar="CHARACTERS",
    help="How much to show of a value.",
)  # fmt: skip
@common
def describe(
    target: Target, *, as_json: bool, name: str, id: str, step_output: bool, truncate_output_limit: int
) -> None:
    """Show an instance: its steps with their attempts, and what it waits for. ID is `latest` by default.

    \b
    Examples:
      cfwf workflows instances describe orders
      cfwf workflows instances describe orders first --no-step-output
      cfwf workflows instances describe orders first --json
    """
    from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.output import console, print_json

    with connect(target) as client:
        found = client.request("GET", f"{instance_path(name, resolved(client, name, id))}/timeline").result
    if as_json:
        print_json(found)
        return
    from cfworkflows_emulator.cli.workflows.timeline import Drawing

    console().print(Drawing(found, step_output, truncate_output_limit))


@click.command()
@click.argument("name")
@click.argument("id", default="latest")
@common
def watch(target: Target, *, as_json: bool, name: str, id: str) -> None:
    """Follow the events of an instance until it ends, past and future ones.

    With --json each event is a line. Ctrl-C stops watching; the instance continues. ID is `latest` by default.

    \b
    Examples:
      cfwf workflows instances watch orders first
      cfwf workflows instances watch orders --json | jq .type
    """
    import json

    from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
    from cfworkflows_emulator.cli.workflows.connection import connect
    from cfworkflows_emulator.cli.workflows.online import LAST

    with connect(target) as client:
        event: Mapping[str, Any] = {}
        for event in client.events(f"{instance_path(name, resolved(client, name, id))}/subscribe"):
            print(shown_json(json.dumps(event)) if as_json else shown_line(_line(event)), flush=True)
        if not client.is_served and event.get("type") not in LAST:
            fail("It has not ended, and no `cfwf dev` runs here: nothing more will happen.")


def _line(event: Mapping[str, Any]) -> str:
    """An event in a line, such as `10:00:00.000  attempt_errored    charge-1  attempt 1  ValueError: no`."""
    import json
    from datetime import UTC, datetime

    time = datetime.fromtimestamp(event["timestamp"] / 1000, UTC).astimezone()
    parts = [f"{time:%H:%M:%S}.{time.microsecond // 1000:03}", f"{event['type']:26}", event.get("stepName", "")]
    if "attempt" in event:
        parts.append(f"attempt {event['attempt']}")
    if "eventType" in event:
        parts.append(f'event "{event["eventType"]}"')
    if "error" in event:
        parts.append(f"{event['error']['name']}: {event['error']['message']}")
    if "output" in event:
        text = json.dumps(event["output"], ensure_ascii=False)
        parts.append(text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…")
    return "  ".join(parts).rstrip()


_LONGEST = 200
VIEWS = (list_instances, describe, watch)
