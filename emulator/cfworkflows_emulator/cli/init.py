"""`cfwf init`."""

import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from cfworkflows_emulator.cli.options import fail, say

_NAME = re.compile(r"[a-z0-9_][a-z0-9_-]{0,53}")
"""Names of Workers; the Workflow's own name adds to it, and has at most 64 characters."""


@click.command()
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path(path_type=Path, file_okay=False))
@click.option("--name", help="Name of the Worker. [that of the folder]")
@click.option(
    "--force", is_flag=True, help="Write into a folder that is not empty. Files that are there stay as they are."
)
def command(directory: Path, name: str | None, force: bool) -> None:
    """Make a project that runs and passes its tests.

    DIR is the folder, this one by default. No file is ever overwritten; in a folder that is not empty, what would be
    written is only shown, unless --force is given.

    \b
    Examples:
      cfwf init shop && cd shop && cfwf dev
      cfwf init --name shop
    """
    from cfworkflows_emulator.cli.scaffold import project_files
    from cfworkflows_emulator.clock import SystemClock

    worker = name if name is not None else _worker_name(directory.absolute().name)
    if not _NAME.fullmatch(worker):
        fail(
            f"{worker!r} is no name of a Worker: lowercase letters, digits, dashes and underscores, at most 54. "
            "Give one with --name."
        )
    files = project_files(worker, compatibility_date(datetime.fromtimestamp(SystemClock().now() / 1000, UTC)))
    try:
        present = sorted(each.name for each in directory.iterdir()) if directory.exists() else []
        blocked = sorted(path for path in files if (directory / path).exists() or (directory / path).is_symlink())
        if set(present) - {".git"} and not force:
            _tell(directory, files, blocked)
            sys.exit(1)
        for path, text in files.items():
            if path not in blocked:
                (directory / path).parent.mkdir(parents=True, exist_ok=True)
                with (directory / path).open("x", encoding="utf-8") as file:
                    file.write(text)
    except OSError as error:
        fail(f"{error.filename or directory} cannot be written: {error.strerror or error}.")
    for path in files:
        say(f"  {'kept   ' if path in blocked else 'created'}  {directory / path}")
    say("\nNext:\n")
    if directory != Path():
        say(f"  cd {directory}")
    say("  cfwf dev        # serve it; a request to the URL that it prints tells what can be asked")
    say("  pytest          # run its tests")


def compatibility_date(today: datetime) -> str:
    """The first day of the month of four weeks ago.

    The runtime accepts no date after that of its own build, and the one that npm has may be some weeks old.
    """
    return f"{today - timedelta(weeks=4):%Y-%m}-01"


def _tell(directory: Path, files: dict[str, str], blocked: list[str]) -> None:
    say(f"{directory.absolute()} is not empty, and nothing was written. With --force, cfwf init would:\n")
    for path in files:
        say(f"  {'keep  ' if path in blocked else 'create'}  {path}")


def _worker_name(folder: str) -> str:
    """The folder's name as one of a Worker: `My Shop` becomes `my-shop`."""
    return re.sub(r"[^a-z0-9_]+", "-", folder.lower()).strip("-")[:54] or "worker"
