"""The benchmarks run, and measure everything that they say they do. How fast it was is nobody's business here."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def bench(*arguments, **variables):
    # The root folder stands before tests/benchmarks, which pytest puts in front of the path.
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": path, **variables},
        capture_output=True,
        text=True,
    )


def test_every_measure_gives_its_rows(tmp_path):
    """A tiny run of everything measures each row once, in the table as in the JSON; what needs wrk, where it is."""
    result = tmp_path / "result.json"
    done = bench("--tiny", "--runs", "1", "--json", str(result))
    assert 0 == done.returncode, done.stderr
    rows = json.loads(result.read_text())["rows"]
    requests = 1 if shutil.which("wrk") else 0
    assert [] == [row["name"] for row in rows if len(row["ours"]) != (requests if "requests/s" in row["name"] else 1)]
    assert [row["name"] for row in rows] == [
        line.split("|")[1].strip() for line in done.stdout.splitlines()[3:] if line.startswith("|")
    ]
    [after_kill] = [row for row in rows if "kill -9" in row["name"]]
    assert [after_kill["goal"]] == after_kill["ours"]


def test_without_wrk_it_says_what_to_install(tmp_path):
    """Where wrk is missing, requests are not measured, and the table says how to get it."""
    done = bench("--tiny", "--only", "requests", PATH=str(tmp_path))
    assert 0 == done.returncode, done.stderr
    assert ["not measured", "not measured"] == [line.split("|")[2].strip() for line in done.stdout.splitlines()[3:5]]
    assert done.stdout.rstrip().splitlines()[-1].startswith("Not measured: requests. ")
    assert "apt-get install wrk" in done.stdout


@pytest.mark.parametrize("only", ["nonsense", "start,nonsense"])
def test_a_measure_that_is_not_there_is_named(only):
    """A wrong --only says what there is to choose from."""
    done = bench("--only", only)
    assert 2 == done.returncode
    assert "there is no measure nonsense: choose from start, reload," in done.stderr
