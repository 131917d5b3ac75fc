"""What users install: the wheel holds the three packages, and serves an example from an empty environment."""

import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy of what is under version control."""
    source = tmp_path_factory.mktemp("source")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    built = tmp_path_factory.mktemp("built")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(built), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert 0 == done.returncode, done.stdout + done.stderr
    return next(built.glob("*.whl"))


def test_top_level_holds_the_three_packages(wheel: Path) -> None:
    """Nothing but the three packages and the metadata is installed, typed as they are."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names}
    assert {"cfworkflows", "cfworkflows_bindings", "cfworkflows_emulator"} == {
        name for name in top if not name.endswith(".dist-info")
    }
    assert {f"{package}/py.typed" for package in top if not package.endswith(".dist-info")} <= set(names)


def test_requirements_are_for_machines_only(wheel: Path) -> None:
    """On Cloudflare, where the platform is emscripten, the wheel asks for nothing."""
    with zipfile.ZipFile(wheel) as archive:
        metadata = archive.read(next(name for name in archive.namelist() if name.endswith("/METADATA"))).decode()
    required = re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)
    assert required
    there = {"sys_platform": "emscripten", "extra": ""}
    markers = [Requirement(line).marker for line in required]
    assert None not in markers
    assert [] == [str(marker) for marker in markers if marker.evaluate(there)]


def test_wheel_serves_the_example_from_an_empty_environment(wheel: Path, tmp_path: Path) -> None:
    """`cfwf --help` and `cfwf dev` run with the wheel and what it asks for, and nothing else."""
    venv.create(tmp_path / "venv", with_pip=True)
    binaries = tmp_path / "venv" / "bin"
    install = [binaries / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wheel]
    subprocess.run(install, check=True)
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    told = subprocess.run([binaries / "cfwf", "--help"], capture_output=True, text=True, check=True, env=environment)
    assert "dev" in told.stdout
    shutil.copytree(ROOT / "examples" / "quickstart", tmp_path / "quickstart", ignore=shutil.ignore_patterns(".cfwf"))
    server = subprocess.Popen(
        [binaries / "cfwf", "dev", "--port", "0"],
        cwd=tmp_path / "quickstart", env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        assert server.stdout is not None
        printed = []
        for line in server.stdout:
            printed.append(line)
            if "Ready on" in line:
                break
        else:
            raise AssertionError("".join(printed))
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
