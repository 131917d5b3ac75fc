"""`cfwf kv key put | get | list | delete`."""

import base64
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import click

from cfworkflows_emulator.cli.kv.namespace import about_namespace
from cfworkflows_emulator.cli.options import fail, say

if TYPE_CHECKING:
    from cfworkflows_emulator.cli.kv.namespace import Namespace

_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("key")
@click.argument("value", required=False)
@click.option("--path", type=_FILE, help="A file with the value.")
@click.option("--ttl", type=int, help="Seconds until it expires, 60 or more.")
@click.option("--expiration", type=int, help="When it expires, in seconds since the epoch.")
@click.option("--metadata", help="Its metadata, as JSON.")
@about_namespace
def put(
    namespace: "Namespace",
    *,
    as_json: bool,
    key: str,
    value: str | None,
    path: Path | None,
    ttl: int | None,
    expiration: int | None,
    metadata: str | None,
) -> None:
    """Store a value, which is given or in a file.

    \b
    Examples:
      cfwf kv key put greeting hello --binding CACHE
      cfwf kv key put logo --path logo.png --binding CACHE --metadata '{"type": "image/png"}'
    """
    if (value is None) == (path is None):
        raise click.UsageError("Give either VALUE or --path.")
    data = path.read_bytes() if path is not None else (value or "").encode("utf-8", "surrogateescape")
    pair: dict[str, Any] = {"key": key, "value": base64.b64encode(data).decode(), "base64": True}
    if ttl is not None:
        pair["expiration_ttl"] = ttl
    if expiration is not None:
        pair["expiration"] = expiration
    if metadata is not None:
        try:
            pair["metadata"] = json.loads(metadata)
        except ValueError as error:
            fail(f"--metadata is not JSON: {error}.")
    with namespace.opened() as (client, routes):
        client.request("PUT", f"{routes}/bulk", body=[pair])
        say(json.dumps({"key": key, "size": len(data)}) if as_json else f"Stored {len(data):,} bytes as {key}.")


@click.command()
@click.argument("key")
@click.option("--text", is_flag=True, help="Decode it as UTF-8, with a line feed behind it.")
@about_namespace
def get(namespace: "Namespace", *, as_json: bool, key: str, text: bool) -> None:
    """Write the value of a key to the standard output, byte for byte."""
    from cfworkflows_emulator.cli.workflows.client import RefusedError

    with namespace.opened() as (client, routes):
        try:
            data = client.content(f"{routes}/values/{quote(key, safe='')}")
        except RefusedError as error:
            if error.status != 404 or str(error) != "Not Found":
                raise
            fail(f"There is no key {key}.")
    if as_json:
        say(json.dumps({"key": key, "value": data.decode("utf-8", "replace")}))
    elif text:
        say(data.decode("utf-8", "replace"))
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@click.command("list")
@click.option("--prefix", default="", help="Only keys that begin with it.")
@about_namespace
def list_keys(namespace: "Namespace", *, as_json: bool, prefix: str) -> None:
    """All keys, with expiration and metadata, as JSON."""
    from cfworkflows_emulator.cli.workflows.output import print_json

    found: list[Any] = []
    with namespace.opened() as (client, routes):
        query = {"prefix": prefix}
        while True:
            page = client.request("GET", f"{routes}/keys", query=query)
            found += page.result
            if not page.info["cursor"]:
                break
            query["cursor"] = page.info["cursor"]
    print_json(found)


@click.command()
@click.argument("key")
@about_namespace
def delete(namespace: "Namespace", *, as_json: bool, key: str) -> None:
    """Delete a key."""
    with namespace.opened() as (client, routes):
        client.request("DELETE", f"{routes}/values/{quote(key, safe='')}")
        say(json.dumps({"key": key}) if as_json else f"Deleted {key}.")


KEYS: tuple[Any, ...] = (put, get, list_keys, delete)
