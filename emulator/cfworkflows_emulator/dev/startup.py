"""The texts that `cfwf dev` starts with."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from cfworkflows import __version__
from cfworkflows_emulator import EXPLORER_API
from cfworkflows_emulator.config import LoadedConfig, Variable, absent
from cfworkflows_emulator.shown import shown_line
from cfworkflows_emulator.terminals import cells, padded

BANNER = f"\n cfworkflows {__version__}\n{'─' * 20}"
GAP, LEAST_GAP = 6, 2  # spaces between columns, and where it is narrow
LONGEST_VALUE = 60  # characters of a variable that are shown


def ready_line(ip: str, port: int, milliseconds: float) -> str:
    return f"Ready on {origin(ip, port)} (in {milliseconds:.0f} ms)"


def instances_lines(address: str, workflows: Sequence[str]) -> Iterator[str]:
    """Where the instances of `workflows` are listed, if there are any: on the command line, and in a browser."""
    if not workflows:
        return
    name = workflows[0] if len(workflows) == 1 else "NAME"
    # The URL has a line of its own, so that it stays whole on a narrow terminal, and can be clicked.
    yield f"Instances: cfwf workflows instances list {name}, or"
    yield f"{address}{EXPLORER_API}/workflows/{quote(name, safe='')}/instances"


def origin(ip: str, port: int) -> str:
    host = "0.0.0.0" if ip == "*" else ip  # noqa: S104 - printed
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def state_line(folder: Path, current: str, main: str) -> str:
    """Where the state is, and which branch it is, unless it is the main one."""
    shown = os.path.relpath(folder)
    return f"State: {folder if shown.startswith('..') else shown}{f' (branch {current})' if current != main else ''}"


def bindings_table(
    config: LoadedConfig,
    configs: Sequence[LoadedConfig],
    width: int | None = None,
    places: Mapping[str, Path] = MappingProxyType({}),
) -> str:
    """What is in `env`: its names with what they are bound to, what that is, and whether it works here; with the file
    of the data in the state folder for those that `places` has.

    `configs` are those of all Workers of the session, the one that answers requests first. In a terminal that is
    `width` columns wide a name that is too long for that has a line of its own.
    """
    whose = _whose(config, configs)
    rows = [(shown_line(name), resource, mode) for name, resource, mode in _rows(config, configs, places)]
    if not rows:
        return "No bindings found." if len(configs) == 1 else f"{whose} has no bindings."
    rows.insert(0, ("Binding", "Resource", "Mode"))
    first, second, third = ([cells(row[column]) for row in rows] for column in (0, 1, 2))
    gap = GAP
    if width is not None and max(first) + max(second) + max(third) + 2 * gap > width:
        gap = LEAST_GAP
    most = max(first) if width is None else min(max(first), max(0, width - max(second) - max(third) - 2 * gap))
    lines = []
    for name, resource, mode in rows:
        rest = f"{padded(resource, max(second) + gap)}{mode}"
        if cells(name) > most:
            lines.append(name)
            name = ""
        lines.append(f"{padded(name, most + gap)}{rest}")
    return "\n".join([f"{whose} has access to the following bindings:", *lines])


def _whose(config: LoadedConfig, configs: Sequence[LoadedConfig]) -> str:
    if len(configs) == 1:
        return "Your Worker"
    return f"Worker {config.config.name}{', which answers the requests,' if config is configs[0] else ''}"


def _rows(
    config: LoadedConfig, configs: Sequence[LoadedConfig], places: Mapping[str, Path]
) -> Iterator[tuple[str, str, str]]:
    missing = dict(absent(config, [each.config.name for each in configs]))
    for binding in config.bindings:
        resource = f" ({binding.resource})" if binding.resource else ""
        mode = "local" if binding.supported else "not supported yet"
        if binding.name in places:
            mode = f"local: {places[binding.name]}"
        yield f"env.{binding.name}{resource}", binding.kind, "not connected" if binding.name in missing else mode
    for name, variable in config.variables.items():
        yield f"env.{name} ({_shown(variable)})", "Environment Variable", "local"


def _shown(variable: Variable) -> str:
    if variable.hidden:
        return '"(hidden)"'
    text = json.dumps(variable.value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
