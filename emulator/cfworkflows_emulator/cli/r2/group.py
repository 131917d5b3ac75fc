"""`cfwf r2`."""

import io
import json
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cfworkflows_emulator.cli.options import fail, say
from cfworkflows_emulator.cli.workflows.options import Commands, Target, common

if TYPE_CHECKING:
    from cfworkflows_emulator.cli.r2.client import Buckets

_FILE = click.Path(path_type=Path, dir_okay=False)
_HEADERS = ("content-type", "content-disposition", "content-encoding", "content-language", "cache-control", "expires")


def buckets_of(target: Target) -> "AbstractContextManager[Buckets]":
    """Where they are."""
    from cfworkflows_emulator.cli.r2 import connection

    return connection.buckets_of(target)


@click.group("r2", cls=Commands)
def command() -> None:
    """Show and change the objects of R2 buckets.

    A running `cfwf dev` is found by its state folder, or named with --port. Without one, the state folder itself is
    read and changed.

    \b
    Examples:
      cfwf r2 object put files/report.pdf --file report.pdf --content-type application/pdf
      cfwf r2 object get files/report.pdf --pipe > copy.pdf
      cfwf r2 sync public/ files/site
    """


@command.group("object", cls=Commands)
def objects() -> None:
    """Store, read and delete objects."""


@command.group(cls=Commands)
def bucket() -> None:
    """Show buckets."""


def _place(path: str) -> tuple[str, str]:
    name, _, key = path.partition("/")
    if not name or not key:
        fail(f"{path!r} is no object: write BUCKET/KEY.")
    return name, key


@objects.command("put")
@click.argument("path", metavar="BUCKET/KEY")
@click.option("-f", "--file", type=_FILE, help="The file to store.")
@click.option("-p", "--pipe", is_flag=True, help="Store what comes on the standard input.")
@click.option("--content-type", "--ct", help="The Content-Type that it is served with.")
@click.option("--content-disposition", "--cd", help="The Content-Disposition.")
@click.option("--content-encoding", "--ce", help="The Content-Encoding.")
@click.option("--content-language", "--cl", help="The Content-Language.")
@click.option("--cache-control", "--cc", help="The Cache-Control.")
@click.option("--expires", help="The Expires, as HTTP writes a date.")
@click.option("-s", "--storage-class", type=click.Choice(["Standard", "InfrequentAccess"]), help="The storage class.")
@common
def put(
    target: Target, path: str, file: Path | None, pipe: bool, storage_class: str | None, as_json: bool, **given: Any
) -> None:
    """Store an object."""
    name, key = _place(path)
    if (file is None) == (not pipe):
        fail("Either --file or --pipe says what is stored.")
    headers = {header: value for header in _HEADERS if (value := given[header.replace("-", "_")]) is not None}
    if storage_class is not None:
        headers["cf-r2-storage-class"] = storage_class
    with buckets_of(target) as buckets:
        if file is None:
            data = sys.stdin.buffer.read()
            size = len(data)
            buckets.put(name, key, io.BytesIO(data), size, headers)
        else:
            size = file.stat().st_size
            with file.open("rb") as opened:
                buckets.put(name, key, opened, size, headers)
        if as_json:
            say(json.dumps({"key": key, "size": size}))
        else:
            say(f"Stored {size:,} bytes as {name}/{key} in {buckets.where}.")


@objects.command("get")
@click.argument("path", metavar="BUCKET/KEY")
@click.option("-f", "--file", type=_FILE, help="The file to write, instead of one of the object's own name.")
@click.option("-p", "--pipe", is_flag=True, help="Write it to the standard output.")
@common
def get(target: Target, path: str, file: Path | None, pipe: bool, as_json: bool) -> None:
    """Write an object to a file, or to the standard output."""
    name, key = _place(path)
    with buckets_of(target) as buckets:
        content = buckets.get(name, key)
        if content is None:
            fail("The specified key does not exist.")
        if pipe:
            for chunk in content:
                sys.stdout.buffer.write(chunk)
            sys.stdout.buffer.flush()
            return
        file = file or Path(key.rpartition("/")[2] or "object")
        with file.open("wb") as opened:
            size = sum(opened.write(chunk) for chunk in content)
        say(json.dumps({"file": str(file), "size": size}) if as_json else f"Wrote {size:,} bytes to {file}.")


@objects.command("delete")
@click.argument("path", metavar="BUCKET/KEY")
@common
def delete(target: Target, path: str, as_json: bool) -> None:
    """Delete an object."""
    name, key = _place(path)
    with buckets_of(target) as buckets:
        buckets.delete(name, key)
        say(json.dumps({"key": key}) if as_json else f"Deleted {name}/{key} in {buckets.where}.")


@bucket.command("list")
@common
def list_buckets(target: Target, as_json: bool) -> None:
    """The buckets that Workers are bound to."""
    with buckets_of(target) as buckets:
        names = buckets.names()
        say(json.dumps([{"name": name} for name in names]) if as_json else "\n".join(names) or "There are none.")


@command.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.argument("path", metavar="BUCKET[/PREFIX]")
@click.option("--down", is_flag=True, help="From the bucket to the folder, instead of to the bucket.")
@common
def sync(target: Target, folder: Path, path: str, down: bool, as_json: bool) -> None:
    """Make a bucket, or what is below a prefix of it, have the files of a folder; or the folder have its objects.

    What is the same already is left alone, and nothing is deleted.
    """
    from cfworkflows_emulator.cli.r2.sync import synchronised

    name, _, prefix = path.partition("/")
    if not down and not folder.is_dir():
        fail(f"There is no folder {folder}.")
    with buckets_of(target) as buckets:
        count = 0
        for key in synchronised(buckets, folder, name, prefix, down=down):
            count += 1
            if not as_json:
                say(key)
        way = f"{'from' if down else 'to'} {name} in {buckets.where}"
        say(json.dumps({"copied": count}) if as_json else f"{count:,} files copied {way}.")
