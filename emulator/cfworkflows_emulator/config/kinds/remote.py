"""`remote: true`: the resource on Cloudflare, which bindings with data never reach from here."""

from collections.abc import Mapping
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path, field_name
from cfworkflows_emulator.config.report import Report


def refuse_remote(report: Report, path: Path, element: Mapping[str, Any], fill: str) -> None:
    """An error for a binding that asks for it; `fill` is what brings data into the one on this machine."""
    if element.get("remote") is True:
        report.error(
            f'"{field_name(path)}.remote" asks for data on Cloudflare, and no binding leaves this machine.',
            (*path, "remote"),
            suggestion=f'Take "remote" out, and fill the one on this machine with `{fill}`.',
        )
