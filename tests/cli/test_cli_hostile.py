"""Command lines and configurations that nobody means well with: a line that says what is wrong, never a traceback."""

import itertools
import json

import pytest
from command import cfwf

CONFIG = """name = "w"
main = "entry.py"
compatibility_date = "2026-01-01"
compatibility_flags = ["python_workers"]
[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Orders"
"""
WORKER = """from cfworkflows import WorkerEntrypoint, WorkflowEntrypoint
class Orders(WorkflowEntrypoint):
    async def run(self, event, step): return 1
class Default(WorkerEntrypoint): pass
"""
DEEP = "[" * 100_000
LONG = "9" * 5_000
PARAMS = (DEEP, "[" * 60_000 + "]" * 60_000, LONG, "NaN", "[-Infinity]")
NAME_TOO_LONG = "x" * 5_000


@pytest.fixture
def project(tmp_path):
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "entry.py").write_text(WORKER)
    (tmp_path / "folder").mkdir()
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00\x80")
    (tmp_path / "deep.json").write_text(DEEP + "]" * 100_000)
    (tmp_path / "long.json").write_text(LONG)
    (tmp_path / "nan.json").write_text("[NaN]")
    return tmp_path


WORKFLOWS = ("workflows", "instances")
FILES = ("binary", "deep.json", "long.json", "nan.json", "folder", "nowhere", NAME_TOO_LONG, "/proc/self/mem")
LINES = [
    ("types", "--output", "/proc/x/y"),
    ("types", "--output", "folder"),
    ("types", "--output", "entry.py/x"),
    ("types", "--output", NAME_TOO_LONG),
    ("types", "--config", NAME_TOO_LONG),
    ("types", "--config", "/proc/self/mem"),
    ("check", "--config", "binary"),
    ("init", "/proc/x"),
    ("init", "entry.py/x"),
    ("init", NAME_TOO_LONG),
    ("cron", "next", "0 0 * * *", "--count", "nan"),
    ("cron", "next", "0 0 * * *", "--count", LONG),
    ("cron", "next", LONG + " * * * *"),
    ("cron", "next", "0 0 * * *", "--from", "nan"),
    *(("dev", "--speed", speed) for speed in ("nan", "inf", "-inf", "0", "-1", "1e999", LONG)),
    *(("dev", "--port", port) for port in ("-1", "65536", "nan", LONG, "1.5")),
    ("dev", "--cwd", NAME_TOO_LONG),
    ("dev", "--ip", "\x1b[2J"),
    ("dev", "--ip", "x" * 300),
    ("dev", "--persist-to", "/proc/x"),
    ("dev", "--persist-to", NAME_TOO_LONG),
    ("dev", "--env-file", NAME_TOO_LONG),
    ("dev", "--env-file", "folder"),
    ("dev", NAME_TOO_LONG),
    *(("workflows", "trigger", "orders", params) for params in PARAMS),
    ("workflows", "trigger", "orders", "[" * 490 + "]" * 490),
    ("workflows", "trigger", "orders", "1", "--persist-to", NAME_TOO_LONG),
    ("workflows", "trigger", "orders", "1", "--persist-to", "/proc/x"),
    ("workflows", "trigger", "orders", "1", "--id", "\udcff"),
    ("workflows", "list", "--cwd", NAME_TOO_LONG),
    ("workflows", "list", "--host", "\x1b[2J"),
    ("workflows", "list", "--host", "x" * 300),
    ("workflows", "list", "--persist-to", "entry.py"),
    (*WORKFLOWS, "list", "orders", "--page", LONG),
    (*WORKFLOWS, "list", "orders", "--page", "9" * 400),
    (*WORKFLOWS, "list", "orders", "--date-start", "nan"),
    (*WORKFLOWS, "list", "orders", "--date-start", "9" * 400),
    (*WORKFLOWS, "restart", "orders", "i", "--from-step-name", "x", "--from-step-count", "9" * 400),
    (*WORKFLOWS, "send-event", "orders", "i", "--type", "a\udcff", "--payload", "1"),
    (*WORKFLOWS, "send-event", "orders", "i", "--type", "a", "--payload", DEEP),
    (*WORKFLOWS, "describe", "orders", "\udcff"),
    *((*WORKFLOWS, "import", "orders", file) for file in FILES),
    *((*WORKFLOWS, "delete", "orders", "--filename", file) for file in FILES),
]


@pytest.mark.parametrize("part", range(4))
def test_no_command_line_ends_in_a_traceback(project, part):
    """What is wrong is said in words, without the text of a terminal's commands, and the exit code tells of it."""
    for line in itertools.islice(LINES, part, None, 4):
        done = cfwf(*line, cwd=project)
        shown = [each[:60] for each in line]
        assert (shown, False) == (shown, "Traceback" in done.stderr + done.stdout), done.stderr[-3000:]
        assert (shown, True) == (shown, done.returncode in (1, 2)), done.stdout
        assert "\x1b" not in done.stderr


@pytest.mark.parametrize("number", [LONG, "0x" + "F" * 5_000])
def test_a_number_that_is_too_long_for_a_configuration_has_a_place(project, number):
    """An integer that Python does not write is refused with its line."""
    (project / "wrangler.toml").write_text(f"{CONFIG}[vars]\nA = {number}\n")
    done = cfwf("check", cwd=project)
    assert (1, True, True) == (done.returncode, "too many digits" in done.stdout, "wrangler.toml:10:5" in done.stdout)


def test_a_number_that_is_too_long_for_json_has_a_place(project):
    """In JSON too."""
    (project / "wrangler.toml").unlink()
    (project / "wrangler.jsonc").write_text(f'{{"name": "w",\n "main": "entry.py", "vars": {{"A": {LONG}}}}}')
    done = cfwf("check", cwd=project)
    assert (1, True, True) == (done.returncode, "too many digits" in done.stdout, "wrangler.jsonc:2:36" in done.stdout)


@pytest.mark.parametrize("main", ["a\0b", NAME_TOO_LONG, "\ud800", "\x1b[2J"])
def test_a_main_that_no_file_can_have_is_said(project, main):
    """Names that the file system refuses, and those that a terminal would obey."""
    (project / "wrangler.toml").unlink()
    (project / "wrangler.json").write_text(json.dumps({"name": "w", "main": main}))
    for command in ("check", "types"):
        done = cfwf(command, cwd=project)
        text = done.stdout + done.stderr
        assert (1, False, False) == (done.returncode, "Traceback" in text, "\x1b" in text), text[-2000:]
