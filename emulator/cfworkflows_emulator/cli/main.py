"""`cfwf`, the group of all commands."""

import errno
import importlib
import time
from typing import Any

import click

from cfworkflows_emulator.cli.options import fail

STARTED = time.perf_counter()
"""When the process began, as closely as is known. A command finds it in `context.obj`."""

MODULES = ("check", "cron", "d1", "dev", "init", "kv", "r2", "state", "types", "workflows")
"""The commands: each is `command` in a module beside this one, which imports what it needs when it runs."""


class Commands(click.Group):
    """The commands of MODULES."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(MODULES)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in MODULES:
            return None
        command: click.Command = importlib.import_module(f"cfworkflows_emulator.cli.{name}").command
        return command

    def invoke(self, context: click.Context) -> Any:
        """What the system refuses, such as a path that cannot be written, is said in a line."""
        try:
            return super().invoke(context)
        except OSError as error:
            if error.errno == errno.EPIPE:  # nobody reads it any more, which click knows about
                raise
            fail(f"{error.filename}: {error.strerror}." if error.filename and error.strerror else error)
        except UnicodeEncodeError as error:  # an argument whose bytes are no UTF-8
            fail(f"{error.object[:100]!r} is not UTF-8 text.")


def _version(context: click.Context, option: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from cfworkflows import __version__

        click.echo(f"cfworkflows {__version__}")
        context.exit()


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100, "obj": STARTED},
)
@click.option(
    "-v", "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version."
)
def main() -> None:
    """Cloudflare Workflows for Python, on your own machine.

    \b
    cfwf init my-project    a new project that runs and passes its tests
    cfwf dev                run it, and every Workflow in it
    cfwf check              what would go wrong, before it does
    """
