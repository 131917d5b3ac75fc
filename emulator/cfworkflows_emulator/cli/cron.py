"""`cfwf cron`."""

from datetime import UTC, datetime
from typing import Any

import click

from cfworkflows_emulator.cli.options import fail, paint

_LAST_MS = 253_370_764_800_000  # the year 9999 is the last that dates have, and a time zone may need its end


@click.group()
def command() -> None:
    """Try out the cron expressions of `schedules`."""


@command.command("next")
@click.argument("expression", metavar="EXPR")
@click.option("--count", type=click.IntRange(1, 1000), default=5, show_default=True, help="How many firings to show.")
@click.option("--from", "start", metavar="ISO", help="Start after this time; without an offset it is UTC. [now]")
@click.option("--json", "as_json", is_flag=True, help="Print them as JSON.")
def next_firings(expression: str, count: int, start: str | None, as_json: bool) -> None:
    """Show when a cron expression fires next, in UTC and in your own time zone.

    EXPR has five fields, minute hour day-of-month month day-of-week, and is always UTC. Days of the week count from 1,
    which is Sunday; names are safer.

    \b
    Examples:
      cfwf cron next "0 6 * * MON-FRI"
      cfwf cron next "*/15 * * * *" --count 3
      cfwf cron next "0 0 L * *" --from 2027-02-01
    """
    from cfworkflows.cron import CronExpression
    from cfworkflows.errors import CronError

    try:
        cron = CronExpression.parse(expression)
    except CronError as error:
        fail(error)
    time = _milliseconds(start)
    firings: list[int] = []
    following = cron.next_after(time)
    while len(firings) < count and following is not None and following < _LAST_MS:
        firings.append(following)
        following = cron.next_after(following)
    if as_json:
        _print_json(expression, time, firings)
    elif not firings:
        click.echo(f"{expression!r} never fires: there is no such day.")
    else:
        rows = [_row(moment, time) for moment in firings]
        local = max(len("Your time"), *(len(row[1]) for row in rows))
        click.echo(paint(f"{'UTC':23}  {'Your time':{local}}", "bright_black"))
        for utc, own, later in rows:
            click.echo(f"{utc:23}  {own:{local}}  {paint(later, 'bright_black')}".rstrip())


def _milliseconds(start: str | None) -> int:
    if start is None:
        from cfworkflows_emulator.clock import SystemClock

        return int(SystemClock().now())
    try:
        moment = datetime.fromisoformat(start)
    except ValueError:
        raise click.BadParameter(
            f"{start!r} is no time such as 2027-02-01 or 2027-02-01T06:30:00Z.", param_hint="--from"
        ) from None
    return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp() * 1000)


def _row(time_ms: int, since_ms: int) -> tuple[str, str, str]:
    utc = datetime.fromtimestamp(time_ms / 1000, UTC)
    own = utc.astimezone()
    minutes = (time_ms - since_ms) // 60_000
    days, hours = divmod(minutes // 60, 24)
    parts = [f"{number} {unit}" for number, unit in ((days, "d"), (hours, "h"), (minutes % 60, "min")) if number]
    return f"{utc:%a %Y-%m-%d %H:%M}", f"{own:%a %Y-%m-%d %H:%M %Z}", f"+{' '.join(parts)}" if parts else ""


def _print_json(expression: str, start: int, firings: list[int]) -> None:
    import json

    rows: list[dict[str, Any]] = []
    for moment in firings:
        utc = datetime.fromtimestamp(moment / 1000, UTC)
        rows.append(
            {"utc": utc.isoformat().replace("+00:00", "Z"), "local": utc.astimezone().isoformat(), "ms": moment}
        )
    click.echo(json.dumps({"expression": expression, "from": start, "next": rows}, indent=2))
