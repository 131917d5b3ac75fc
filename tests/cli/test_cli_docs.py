"""docs/cli.md against the commands and the rules that there are."""

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import click
import pytest

from cfworkflows_emulator.analysis import RULES
from cfworkflows_emulator.cli.main import main

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs/cli.md").read_text()


def commands(command, path):
    """Every command of the tree with the words that call it."""
    context = click.Context(command)
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        yield f"{path} {name}", inner
        if isinstance(inner, click.Group):
            yield from commands(inner, f"{path} {name}")


COMMANDS = dict(commands(main, "cfwf"))
SHARED = ("cfwf workflows", "cfwf d1", "cfwf kv", "cfwf r2", "cfwf state")
OF_ALL = {"--local", "--cwd", "--persist-to", "--state", "--env", "--config", "--host", "--port", "--json"}


def section(name):
    return PAGE.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]


def test_every_command_has_its_heading():
    """Each command of the tree has a section, and each section is of one."""
    assert sorted(COMMANDS) == sorted(re.findall(r"^## `(.+)`$", PAGE, re.MULTILINE))


@pytest.mark.parametrize("name", [name for name in COMMANDS if not name.startswith(SHARED)])
def test_every_option_has_its_place(name):
    """The section of a command lists its arguments and options, and no others; those that share options have a test."""
    parameters = COMMANDS[name].params
    shown = {
        each.opts[-1] if isinstance(each, click.Option) else each.make_metavar(click.Context(main)).strip("[]")
        for each in parameters
    }
    documented = re.findall(r"^\| `(-?-?[A-Za-z-]+)` \| ", section(name).partition("| rule |")[0], re.MULTILINE)
    assert sorted(shown) == sorted(documented)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name.startswith(("cfwf d1 ", "cfwf kv "))])
def test_own_options_of_d1_and_kv_are_in_its_section(name):
    """Beside those that all its commands have."""
    options = [each for each in COMMANDS[name].params if isinstance(each, click.Option) and not each.hidden]
    own = {each.opts[-1] for each in options} - OF_ALL - {"--binding", "--namespace-id"}
    assert set() == {option for option in own if f"`{option}`" not in section(name)}


def test_every_rule_has_its_row():
    """The table of rules is that of the code, in its order."""
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| (.*) \|$", section("cfwf check"), re.MULTILINE)
    assert [(name, rule.severity, rule.summary) for name, rule in RULES.items()] == rows


@pytest.mark.parametrize("name", COMMANDS)
def test_help_says_what_it_does(name):
    """Each command and each option explains itself."""
    command = COMMANDS[name]
    assert command.help
    assert [] == [
        each.name for each in command.params if isinstance(each, click.Option) and not (each.help or each.hidden)
    ]


def test_help_page_imports_nothing_heavy():
    """The page of all commands asks each for its line, and that loads no parser and no server."""
    script = (
        "import sys\nfrom cfworkflows_emulator.cli.main import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'asyncio', 'cfworkflows', 'pydantic', 'rich'} & set(sys.modules)\n"
        "print('loaded:', *sorted(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "loaded:" == done.stdout.splitlines()[-1].strip()
    assert all(name.split()[1] in done.stdout for name in COMMANDS)


def test_the_command_has_other_names():
    """`python -m cfworkflows` is it too, and so is the script that `uvx cfworkflows` looks for."""
    done = subprocess.run(
        [sys.executable, "-m", "cfworkflows", "--version"], capture_output=True, text=True, check=True
    )
    assert f"cfworkflows {version('cfworkflows')}\n" == done.stdout
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts["cfwf"] == scripts["cfworkflows"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_shells_complete_as_documented(shell):
    """The line of the page gives a program for its shell, and what that asks of the command are its commands."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    (line,) = re.findall(rf"^(?:eval \"\$\()?(_CFWF_COMPLETE={shell}_source cfwf)\b", PAGE, re.MULTILINE)
    program = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True, check=True).stdout
    assert f"_CFWF_COMPLETE={shell}_complete" in program
    asked = {
        "_CFWF_COMPLETE": f"{shell}_complete",
        "COMP_WORDS": "cfwf ch",
        "COMP_CWORD": "ch" if shell == "fish" else "1",
    }
    answer = subprocess.run(["cfwf"], env={**environment, **asked}, capture_output=True, text=True, check=False).stdout
    assert "check" in answer
