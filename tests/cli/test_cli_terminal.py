"""What the commands print on a terminal of 80 columns, in a pipe, and where colours are wanted or not."""

import os
import pty
import re
import signal
import struct
import subprocess
import termios
from fcntl import ioctl

import pytest
from devserver import CFWF, PRELUDE, clean_environment
from rich.cells import cell_len

LONG = "a-workflow-whose-name-is-as-long-as-it-may-be-which-is-64-signs-"
WORKER = """
class 注文(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("請求 🧾 " + "x" * 70, lambda: {"text": "払った 🎉 " * 20})
        raise ValueError("失敗 💥 " + "no luck " * 20)

class Short(WorkflowEntrypoint):
    pass

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str(await self.env.ORDERS.create(id="i" * 90)))
"""
CONFIG = f"""
compatibility_date = "2026-11-01"
vars = {{GREETING = "こんにちは 👋", TEXT = "{"words " * 20}"}}
[[workflows]]
name = "{LONG}"
binding = "ORDERS"
class_name = "注文"
[[workflows]]
name = "short"
binding = "SHORT"
class_name = "Short"
"""


def in_terminal(*arguments, cwd, until=None, **environment):
    """What a command prints on a terminal of 80 columns, and its exit code; it is ended after the line `until`."""
    primary, secondary = pty.openpty()
    ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    env = {**clean_environment(), "TERM": "xterm-256color", **environment}
    env.pop("COLUMNS", None)
    text = b""
    with subprocess.Popen(
        [CFWF, *arguments], cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=secondary, stderr=secondary
    ) as process:
        os.close(secondary)
        try:
            while read := os.read(primary, 4096):
                text += read
                if until is not None and until in text.decode(errors="ignore"):
                    process.send_signal(signal.SIGTERM)
                    until = None
        except OSError:  # the end of a terminal
            pass
    os.close(primary)
    return text.decode().replace("\r\n", "\n"), process.returncode


def plain(text):
    return re.sub(r"\x1b\[[0-9;]*m", "", text)


@pytest.fixture
def project(tmp_path):
    (tmp_path / "src").mkdir()
    (tmp_path / "wrangler.toml").write_text('name = "shop"\nmain = "src/entry.py"\n' + CONFIG)
    (tmp_path / "src/entry.py").write_text(PRELUDE + WORKER)
    return tmp_path


def column(line, text):
    """At which column of the terminal `text` begins, None if it is not in the line."""
    before, found, _ = line.partition(text)
    return cell_len(before) if found else None


def test_the_start_fits_into_80_columns(project):
    """The columns of the table begin below their headings, and a name that is too long has a line of its own."""
    text, code = in_terminal("dev", "--port", "0", cwd=project, until="/instances")
    assert 0 == code
    lines = plain(text).partition("following bindings:\n")[2].partition("\n\n")[0].splitlines()
    assert all(cell_len(line) <= 80 for line in lines), lines
    kinds = {column(line, kind) for line in lines for kind in ("Resource", "Workflow", "Environment Variable")}
    assert 1 == len(kinds - {None})
    assert 1 == len({column(line, mode) for line in lines for mode in ("Mode", "local")} - {None})
    assert 'env.GREETING ("こんにちは 👋")' in plain(text)
    ready = plain(text).partition("Ready on")[2]
    assert all(cell_len(line) <= 80 for line in ready.splitlines()), ready


def test_lists_fit_into_80_columns_and_leave_nothing_out(project):
    """What is too long goes on in the next line, in its own column; in a pipe each row is a line."""
    for id in ("i" * 90, "short"):
        command = [CFWF, "workflows", "trigger", LONG, "--id", id]
        subprocess.run(command, cwd=project, env=clean_environment(), check=True, capture_output=True)
    for arguments, names in ((["list"], [LONG, "注文"]), (["instances", "list", LONG], ["i" * 90, "short"])):
        text, code = in_terminal("workflows", *arguments, cwd=project)
        lines = plain(text).splitlines()
        assert (0, True) == (code, all(cell_len(line) <= 80 for line in lines)), text
        joined = "".join(line.split("  ")[0] for line in lines[1:])
        assert names[0] in joined
        assert names[1] in text
        piped = subprocess.run(
            [CFWF, "workflows", *arguments], cwd=project, env=clean_environment(), check=True, capture_output=True
        ).stdout.decode()
        assert 3 == len(piped.splitlines())
        assert names[0] in piped
        assert "\x1b" not in piped


@pytest.mark.parametrize(
    ("environment", "on_terminal", "in_pipe"),
    [
        ({}, True, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "0"}, True, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, False),
        ({"TERM": "dumb"}, False, False),
        ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
        ({"TERM": "tmux-256color"}, True, False),
    ],
    ids=str,
)
def test_colours_are_where_they_are_wanted(project, environment, on_terminal, in_pipe):
    """One rule for all commands: a terminal that can, NO_COLOR before FORCE_COLOR, and TERM."""
    (project / "src/entry.py").write_text("def f(:\n")
    environ = {**clean_environment(), **environment}
    for arguments in (["check"], ["workflows", "list"], ["workflows", "describe", "nothing"]):
        text, _ = in_terminal(*arguments, cwd=project, **environment)
        done = subprocess.run([CFWF, *arguments], cwd=project, env=environ, capture_output=True, check=False)
        piped = (done.stdout + done.stderr).decode()
        assert (on_terminal, in_pipe) == ("\x1b[" in text, "\x1b[" in piped), arguments
