"""Values by their paths in a configuration that has not been checked."""

from collections.abc import Iterator, Mapping
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path


def value_at(data: Mapping[str, Any], path: Path) -> Any:
    """The value at `path`, or None where the path leads nowhere."""
    value: Any = data
    for part in path:
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
        else:
            return None
    return value


def elements(data: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    """The elements of the array at `path`, or the one value that stands there instead, with their paths."""
    value = value_at(data, path)
    if isinstance(value, list):
        yield from (((*path, index), element) for index, element in enumerate(value))
    elif value is not None:
        yield path, value


def objects(data: Mapping[str, Any], path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The elements of the array at `path` that are objects, with their paths."""
    if isinstance(value_at(data, path), list):
        yield from ((where, element) for where, element in elements(data, path) if isinstance(element, dict))
