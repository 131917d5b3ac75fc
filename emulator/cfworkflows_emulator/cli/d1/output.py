"""Results of SQL, for people and for programs."""

from typing import Any

from cfworkflows_emulator.cli.options import say
from cfworkflows_emulator.cli.workflows.output import print_json, table


def print_results(found: list[dict[str, Any]], *, as_json: bool) -> None:
    """Each result: its rows, or that it was executed. As JSON, rows are objects, as wrangler prints them."""
    if as_json:
        print_json([{**each, "results": _objects(each["results"])} for each in found])
        return
    for each in found:
        rows = each["results"]
        if rows["columns"]:
            table(rows["columns"], [[_shown(value) for value in row] for row in rows["rows"]])
            if not rows["rows"]:
                say("(no rows)")
        else:
            say(f"🚣 Executed in {each['meta']['duration']:.2f} ms; {each['meta']['changes']} rows changed.")


def _objects(rows: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(zip(rows["columns"], row, strict=True)) for row in rows["rows"]]


def _shown(value: Any) -> str:
    if value is None:
        return "NULL"
    return f"X'{bytes(value[:32]).hex()}'{'…' if len(value) > 32 else ''}" if isinstance(value, list) else str(value)
