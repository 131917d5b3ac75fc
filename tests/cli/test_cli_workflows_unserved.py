"""`cfwf workflows` on the state folder of a project that is not served, and wrong command lines."""

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from devserver import CFWF, clean_environment
from workflows_shop import states

from cfworkflows_emulator.cli.workflows import command as workflows
from cfworkflows_emulator.storage import StateFolder

PAGE = (Path(__file__).parent.parent.parent / "docs" / "cli.md").read_text()
GOES_ON = "No `cfwf dev` runs here: the instance continues when the next one starts.\n"


def instances(shop):
    return {each["id"]: each["status"] for each in shop.json("instances", "list", "orders")}


async def test_what_is_asked_for_is_done_by_the_next_server(shop, running):
    """A trigger, an event, a skip, a rollback; each says so, and reading changes nothing."""
    async with running() as dev:
        for id in ("event", "skipped", "undone"):
            shop.out("trigger", "orders", "--id", id)
            shop.until_state(id, "flaky-1", "retrying")
        for step in ("nap-1", "approval-1"):
            shop.out("instances", "skip", "orders", "event")
            shop.until("event", lambda timeline, step=step: step in dict(states(timeline)))
        await dev.stop()
    before = {id: shop.timeline(id)["bytes"] for id in ("event", "skipped", "undone")}
    assert {"event": "waiting", "skipped": "waiting", "undone": "waiting"} == instances(shop)
    assert before == {id: shop.timeline(id)["bytes"] for id in before}

    done = shop.run("trigger", "orders", '{"n": 1}', "--id", "new")
    assert (0, 'Workflow instance "new" has been triggered successfully\n', GOES_ON) == (
        done.returncode, done.stdout, done.stderr,
    )  # fmt: skip
    shop.out("instances", "send-event", "orders", "event", "--type", "approval", "--payload", "7")
    shop.out("instances", "skip", "orders", "skipped")
    assert "rollingBack" == shop.json("instances", "terminate", "orders", "undone", "--rollback")["status"]
    assert "" == shop.run("instances", "pause", "orders", "new").stderr
    assert GOES_ON == shop.run("instances", "resume", "orders", "new").stderr
    assert {"event": "waiting", "skipped": "waiting", "undone": "rollingBack", "new": "queued"} == instances(shop)

    async with running():
        assert {"got": 7} == shop.until("event", lambda timeline: timeline["status"] == "complete")["output"]
        assert shop.until_state("skipped", "nap-1", "sleeping")["steps"][1]["skipped"]
        undone = shop.until("undone", lambda timeline: timeline["status"] == "terminated")
        assert "complete" == undone["rollback"]["outcome"]
        assert {"n": 1} == shop.until_state("new", "flaky-1", "retrying")["params"]


async def test_an_instance_is_taken_to_another_folder(shop, running, tmp_path):
    """Through a file or a pipe; it goes on there with what it had. An id that is taken is refused."""
    other = ("--persist-to", "elsewhere")
    async with running() as dev:
        shop.out("trigger", "orders", "--id", "first")
        shop.until_state("first", "flaky-1", "retrying")
        text = shop.out("instances", "export", "orders", "first", "-o", "first.json")
        assert 'Wrote the instance "first" from orders to first.json\n' == text
        exported = shop.out("instances", "export", "orders")
        await dev.stop()
    document = json.loads((tmp_path / "first.json").read_text())
    assert (1, "orders", "first", "waiting") == tuple(document[key] for key in ("format", "workflow", "id", "status"))
    assert {"who": "Zoë", "amount": 12.5} == next(
        entry["value"] for entry in document["journal"] if entry["type"] == "step_completed"
    )
    assert document["journal"] == json.loads(exported)["journal"]

    assert "no state folder" in shop.fails("instances", "list", "orders", *other)
    done = shop.run("instances", "import", "orders", "first.json", *other)
    assert ('The instance "first" was imported into orders\n', GOES_ON) == (done.stdout, done.stderr)
    assert "already exists" in shop.fails("instances", "import", "orders", "first.json", *other)
    assert {"id": "second"} == shop.json(
        "instances", "import", "orders", "-", "--id", "second", *other, stdin=exported
    )  # fmt: skip
    (tmp_path / "first.json").write_text(json.dumps({**document, "format": 2}))
    assert "exported in format 2" in shop.fails("instances", "import", "orders", "first.json", *other)
    assert "is not JSON" in shop.fails("instances", "import", "orders", "-", *other, stdin="{")
    assert "nowhere.json cannot be read: No such file" in shop.fails("instances", "import", "orders", "nowhere.json")
    async with running("--persist-to", "elsewhere"):
        for id in ("first", "second"):
            shop.out("instances", "skip", "orders", id, *other)
            while ("nap-1", "sleeping") not in states(timeline := shop.timeline(id, *other)):
                pass
            assert [1, 2] == [len(step["attempts"]) for step in timeline["steps"][:2]]


def test_watching_what_nobody_runs_ends(shop):
    """After what there was, with an error, since nothing more will happen; of what has ended, without."""
    shop.out("trigger", "orders", "--id", "first")
    done = shop.run("instances", "watch", "orders")
    assert (1, True) == (done.returncode, "workflow_queued" in done.stdout)
    assert "nothing more will happen" in done.stderr
    shop.out("instances", "terminate", "orders", "first")
    assert (
        "workflow_terminated" == json.loads(shop.out("instances", "watch", "orders", "--json").splitlines()[-1])["type"]
    )


def test_where_nothing_ran_there_is_nothing(shop):
    """And reading leaves it so."""
    assert ["orders"] == [each["name"] for each in shop.json("list")]
    assert "It has no instances.\n" in shop.out("describe", "orders")
    assert [] == shop.json("instances", "list", "orders")
    assert not (shop.folder / ".cfwf").exists()


def test_a_folder_in_use_is_not_changed(shop):
    """By a process that does not say where it listens; reading is allowed."""
    shop.out("trigger", "orders", "--id", "first")
    with StateFolder(shop.folder / ".cfwf/state"):
        assert {"first": "queued"} == instances(shop)
        assert f"in use by another process (pid {os.getpid()}: " in shop.fails("trigger", "orders")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["nope"], "No such command 'nope'"),
        (["describe"], "Missing argument 'NAME'"),
        (["list", "--port", "0"], "Invalid value for '--port'"),
        (["trigger", "w", "1", "--params", "2"], "Give the params once"),
        (["instances", "list", "w", "--status", "bogus"], "is not one of 'queued', 'running'"),
        (["instances", "send-event", "w", "i"], "Missing option '--type'"),
        (["instances", "restart", "w", "i", "--from-step-count", "2"], "--from-step-name is required when using"),
        (["instances", "delete", "w"], "Name the instances to delete"),
        (["instances", "delete", "w", *map(str, range(101))], "at most 100 workflow instances at a time"),
        (["instances", "skip", "w", "i", "--type", "do"], "Invalid value for '--type'"),
    ],
)
def test_a_wrong_command_line_ends_with_2(shop, arguments, problem):
    """And says what is wrong with it."""
    assert problem in shop.fails(*arguments, code=2)


def test_colours_are_for_terminals(shop):
    """Not with NO_COLOR; and not in a pipe, however that is."""
    shop.out("trigger", "orders", "--id", "first")

    def in_terminal(**environment):
        master, slave = pty.openpty()
        command = [CFWF, "workflows", "instances", "describe", "orders"]
        env = {**clean_environment(), "TERM": "xterm-256color", **environment}
        with subprocess.Popen(command, cwd=shop.folder, env=env, stdout=slave, stderr=slave):
            os.close(slave)
            text = b""
            try:
                while read := os.read(master, 4096):
                    text += read
            except OSError:  # the end of a terminal
                pass
        os.close(master)
        return text.decode()

    assert "\x1b[34m… queued\x1b[0m" in in_terminal()
    assert not re.search(r"\x1b\[3\dm", in_terminal(NO_COLOR="1"))
    assert "\x1b" not in shop.out("instances", "describe", "orders")
    assert "\\u2026 queued" in shop.out("instances", "describe", "orders", PYTHONIOENCODING="ascii", PYTHONUTF8="0")


def test_help_is_quick(shop):
    """No help page imports what only commands need."""
    heavy = {"aiohttp", "pydantic", "aiosqlite", "tomlkit", "rich", "asyncio"}
    for arguments in (["--help"], ["workflows", "--help"], ["workflows", "instances", "skip", "--help"]):
        script = (
            "import sys; from cfworkflows_emulator.cli.main import main\n"
            f"try: main({arguments!r})\nexcept SystemExit: print('loaded:', *({heavy!r} & set(sys.modules)))"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        assert "loaded:" == done.stdout.splitlines()[-1].strip()


def leaves(command, name):
    """The commands that do something, by their whole name."""
    if isinstance(command, click.Group):
        for each in command.commands.values():
            yield from leaves(each, f"{name} {each.name}")
    else:
        yield name, command


@pytest.mark.parametrize(("name", "command"), list(leaves(workflows, "cfwf workflows")), ids=str)
def test_every_command_is_documented(name, command):
    """It has examples on its help page, its section in docs/cli.md, and there each of its options."""
    assert "Example" in command.help
    section = PAGE.partition(f"\n## `{name}`\n")[2].partition("\n## ")[0]
    common = PAGE.partition("\n## `cfwf workflows`\n")[2].partition("\n## ")[0]
    options = [each for each in command.params if isinstance(each, click.Option) and not each.hidden]
    missing = [each for option in options for each in option.opts if f"`{each}" not in section + common]
    assert [] == [each for each in missing if f"{each} " not in section]
    assert section
