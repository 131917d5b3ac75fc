"""Every curl line of a README, and of the pages of the examples, asked of a fresh server as it is written.

The lines and the answers come from the files. A port is that of the server, an `<id>` the one that was created last.
"""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from devserver import running as running
from devserver import starting as starting
from serving import EXAMPLES

ROOT = EXAMPLES.parent
CFWF = Path(sys.executable).with_name("cfwf")
PATTERNS = EXAMPLES / "patterns"
PAGES = [ROOT / "README.md", EXAMPLES / "README.md", *sorted(EXAMPLES.glob("*/README.md"))]
WRITTEN = "localhost:8787"

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="the lines are curl's")


def curl_lines(page):
    """The curl lines of a page, each with the answer that is printed below it, None if there is none."""
    lines = page.splitlines()
    for line, after in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith("curl "):
            yield line, after.removeprefix("# → ") if after.startswith("# → ") else None
        for inline in re.findall(r"`(curl [^`]+)`", line):
            yield inline, None


def parts(answer):
    """What of a printed answer has to be in the real one: the whole object, or the fields that are named."""
    if answer.startswith("{"):
        return json.loads(answer)
    return json.loads("{" + ", ".join(re.findall(r'"\w+": "[^"]*"', answer)) + "}")


def agrees(printed, real):
    """Whether `real` is what is printed; `…` stands for anything."""
    return all(name in real and text in ("…", real[name]) for name, text in printed.items())


class Client:
    """Runs curl lines against one server."""

    def __init__(self, url):
        self.host = url.partition("://")[2]
        self.id = "none yet"

    async def ask(self, line):
        """The status and the text of the answer."""
        command = line.replace(WRITTEN, self.host).replace("<id>", self.id)
        done = await asyncio.to_thread(
            subprocess.run, ["bash", "-c", f"{command.partition(' #')[0]} -sS -w '\n%{{http_code}}'"],
            capture_output=True, text=True, check=True, timeout=30,
        )  # fmt: skip
        text, _, status = done.stdout.rpartition("\n")
        if text.startswith('{"id":') and "-X POST" in line:
            self.id = json.loads(text)["id"]
        return int(status), text

    async def check(self, line, printed):
        """Ask until the answer is the printed one: what follows from an event takes its time."""
        async with asyncio.timeout(30):
            while True:
                status, text = await self.ask(line)
                assert status < 400, (line, text)
                if printed is None:
                    return
                wanted = parts(printed)
                assert wanted, f"{printed!r} names no field"
                if agrees(wanted, json.loads(text)):
                    return
                assert "-X POST" not in line, (line, text)


@pytest.fixture
def new_project(tmp_path):
    """The folder that `cfwf init` makes."""
    subprocess.run([CFWF, "init", "shop"], cwd=tmp_path, check=True, capture_output=True)
    return tmp_path / "shop"


async def check_page(page, running, project, tmp_path):
    """Ask every line of a page, in order; gives how many there were."""
    asked = list(curl_lines(page.read_text()))
    if (project / "migrations").exists():
        command = [CFWF, "d1", "migrations", "apply", "DB", "--persist-to", str(tmp_path / "state")]
        await asyncio.to_thread(subprocess.run, command, cwd=project, check=True, capture_output=True)
    async with running("--persist-to", str(tmp_path / "state"), cwd=project) as dev:
        client = Client(dev.url)
        for line, printed in asked:
            await client.check(line, printed)
    return len(asked)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
async def test_lines_of_the_readmes(page, running, tmp_path):
    """They work, in their order, and answer what is printed."""
    project = page.parent if (page.parent / "wrangler.toml").exists() else PATTERNS
    assert await check_page(page, running, project, tmp_path) >= 1


async def test_lines_of_a_new_projects_readme(new_project, running, tmp_path):
    """So do those of the README that `cfwf init` writes."""
    assert 4 == await check_page(new_project / "README.md", running, new_project, tmp_path)


@pytest.mark.parametrize("example", ["patterns", None], ids=["patterns", "new project"])
async def test_lines_that_a_worker_prints(example, new_project, running, tmp_path):
    """`GET /` prints lines with the port that the server really has, and they can be asked as they are."""
    project = EXAMPLES / example if example is not None else new_project
    async with running("--persist-to", str(tmp_path / "state"), cwd=project) as dev:
        _, page = await dev.get("/")
        lines = [line.strip() for line in page.splitlines() if line.strip().startswith("curl ")]
        assert len(lines) >= 3
        assert all(dev.url in line for line in lines)
        ids = {}
        client = Client(dev.url)
        for line in lines:
            kind = line.split(dev.url)[1].split()[0].split("/")[1]
            client.id = ids.get(kind, "none yet")
            status, text = await client.ask(line)
            ids[kind] = client.id
            # What has ended by now can be neither paused nor sent an event.
            assert status < 400 or (status == 400 and "/pause" in line), (line, text)
