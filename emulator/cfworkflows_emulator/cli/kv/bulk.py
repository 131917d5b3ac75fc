"""`cfwf kv bulk put | get | delete`."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfworkflows_emulator.cli.kv.namespace import about_namespace
from cfworkflows_emulator.cli.options import fail, say

if TYPE_CHECKING:
    from cfworkflows_emulator.cli.kv.namespace import Namespace

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)

CHANGED_AT_ONCE, READ_AT_ONCE = 10_000, 100


@click.command()
@click.argument("file", type=_FILE)
@about_namespace
def put(namespace: "Namespace", *, as_json: bool, file: Path) -> None:
    """Store the pairs in a JSON file: `[{"key", "value"}, …]`.

    `expiration`, `expiration_ttl` and `metadata` are optional, as is `base64`, for values of bytes.
    """
    pairs = _read(file)
    with namespace.opened() as (client, routes):
        for some in _parts(pairs, CHANGED_AT_ONCE):
            client.request("PUT", f"{routes}/bulk", body=some)
        say(json.dumps({"count": len(pairs)}) if as_json else f"Stored {len(pairs):,} keys.")


@click.command()
@click.argument("file", type=_FILE)
@about_namespace
def get(namespace: "Namespace", *, as_json: bool, file: Path) -> None:
    """The values of the keys in a JSON file, `["a", …]`, as JSON. A key that is not there has null."""
    from cfworkflows_emulator.cli.workflows.output import print_json

    keys = _keys(_read(file), file)
    found: dict[str, Any] = {}
    with namespace.opened() as (client, routes):
        for some in _parts(keys, READ_AT_ONCE):
            found |= client.request("POST", f"{routes}/bulk/get", body={"keys": some}).result["values"]
    print_json({key: None if value is None else {"value": value} for key, value in found.items()})


@click.command()
@click.argument("file", type=_FILE)
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@about_namespace
def delete(namespace: "Namespace", *, as_json: bool, file: Path, force: bool) -> None:
    """Delete the keys in a JSON file: `["a", …]`."""
    keys = _keys(_read(file), file)
    if not force:
        click.confirm(f"Delete {len(keys):,} keys?", abort=True, err=True)
    with namespace.opened() as (client, routes):
        for some in _parts(keys, CHANGED_AT_ONCE):
            client.request("POST", f"{routes}/bulk/delete", body=some)
        say(json.dumps({"count": len(keys)}) if as_json else f"Deleted {len(keys):,} keys.")


def _read(file: Path) -> list[Any]:
    try:
        found = json.loads(file.read_bytes())
    except ValueError as error:
        fail(f"{file} is not JSON: {error}.")
    if not isinstance(found, list):
        fail(f"{file} has to be a JSON list.")
    return found


def _keys(found: list[Any], file: Path) -> list[str]:
    """Keys are texts; objects with a `name`, as `key list` prints them, are taken too."""
    keys: list[Any] = [each.get("name") if isinstance(each, dict) else each for each in found]
    for index, key in enumerate(keys):
        if not isinstance(key, str):
            fail(f"{file}: element {index} is no key, but {json.dumps(found[index])[:100]}.")
    return keys


def _parts(all_of_them: list[Any], size: int) -> Iterator[Sequence[Any]]:
    for start in range(0, len(all_of_them), size):
        yield all_of_them[start : start + size]


BULK: tuple[Any, ...] = (put, get, delete)
