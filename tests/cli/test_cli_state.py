"""`cfwf state` with a running server, and on the state folder."""

# ruff: noqa: ASYNC110 - other processes set no asyncio.Event

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import aiohttp
import pytest
from command import cfwf

WORKER = """
class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        async def price():
            return "priced"

        await step.do("price", price)
        await step.wait_for_event("wait", type="go", timeout="1 day")
        return "done"


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        n = request.url.rpartition("/")[2]
        if request.method == "GET":
            keys = (await self.env.CACHE.list()).keys
            return Response.json([key.name for key in keys])
        await self.env.CACHE.put(n, "x" * (2_000_000 if n.endswith("00") else 1000))
        await self.env.DB.prepare("CREATE TABLE IF NOT EXISTS orders (n TEXT)").run()
        await self.env.DB.prepare("INSERT INTO orders VALUES (?)").bind(n).run()
        await self.env.FILES.put(n, b"y" * 70_000)
        await self.env.ORDERS.create(id=f"order-{n}")
        return Response(n)
"""
CONFIG = """
compatibility_date = "2026-11-01"
kv_namespaces = [{ binding = "CACHE" }]
d1_databases = [{ binding = "DB", database_name = "shop" }]
r2_buckets = [{ binding = "FILES", bucket_name = "files" }]
workflows = [{ binding = "ORDERS", name = "orders", class_name = "Orders" }]
"""
SEND = ("workflows", "instances", "send-event")


@pytest.fixture
def project(write) -> Path:
    """A Worker that writes into each kind, in a fixed order."""
    folder: Path = write(WORKER, CONFIG)
    return folder


def state(project, *arguments):
    """The JSON of a command."""
    done = cfwf("state", *arguments, "--json", cwd=project)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


async def stated(project, *arguments):
    return await asyncio.to_thread(state, project, *arguments)


def rows(path, sql):
    with closing(sqlite3.connect(path)) as connection:
        assert [("ok",)] == connection.execute("PRAGMA integrity_check").fetchall()
        return {row[0] for row in connection.execute(sql)}


def contents(folder):
    """The numbers that are in each kind, in the order in which a request writes them."""
    found = [
        rows(next(folder.glob("kv/*.sqlite")), "SELECT key FROM entries"),
        rows(next(folder.glob("d1/*.sqlite")), "SELECT n FROM orders"),
        rows(folder / "r2/files.sqlite", "SELECT key FROM objects"),
        {id.removeprefix("order-") for id in rows(folder / "workflows.sqlite", "SELECT id FROM instances")},
    ]
    blobs = rows(folder / "r2/files.sqlite", "SELECT blob FROM objects")
    assert blobs <= {path.name for path in (folder / "r2/files/blobs").iterdir()}
    return found


class Load:
    """Requests from several clients at a time, until it is left. `acknowledged` are those that were answered."""

    def __init__(self, url):
        self.acknowledged = set()
        self._url = url
        self._changed = asyncio.Event()

    async def __aenter__(self):
        self._session = aiohttp.ClientSession()
        self._tasks = [asyncio.create_task(self._write(client)) for client in range(8)]
        return self

    async def __aexit__(self, *_):
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._session.close()

    async def _write(self, client):
        for n in range(10_000):
            async with self._session.post(f"{self._url}/{client}-{n:04}") as answer:
                assert answer.status == 200, await answer.text()
                self.acknowledged.add(await answer.text())
                self._changed.set()

    async def more(self, count=20):
        """Wait until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        async with asyncio.timeout(60):
            while len(self.acknowledged) < wanted:
                self._changed.clear()
                await self._changed.wait()


async def test_save_under_load_is_one_moment(project, running):
    """All that was acknowledged before is in it, and of what was under way no later kind is ahead of an earlier one."""
    async with running(cwd=project) as dev, Load(dev.url) as load:
        for number in range(4):
            await load.more()
            before = set(load.acknowledged)
            saved = await stated(project, "save", f"s{number}")
            kv, d1, r2, instances = contents(Path(saved["path"]))
            assert before <= instances <= r2 <= d1 <= kv
        await load.more()


async def test_load_brings_everything_back_while_requests_wait(project, running):
    """None is refused; what was there is a save; instances continue from where they were at the save."""
    async with running(cwd=project) as dev:
        async with Load(dev.url) as load:
            await load.more()
            await stated(project, "save", "one")
            saved = contents(project / ".cfwf/saves/one")
            await load.more()
            acknowledged = set(load.acknowledged)
            done = await stated(project, "load", "one")
            await load.more()
        assert acknowledged <= contents(project / ".cfwf/saves" / done["before"])[-1]
        assert saved == contents(project / ".cfwf/saves/one")
        one = min(saved[-1])
        port = str(urlsplit(dev.url).port)
        sent = await asyncio.to_thread(
            cfwf,
            "workflows",
            "instances",
            "send-event",
            "orders",
            f"order-{one}",
            "--type",
            "go",
            "--port",
            port,
            cwd="/",
        )
        assert sent.returncode == 0, sent.stderr


async def test_reset_empties_a_served_state(project, running):
    """After which it is used as a new one."""
    async with running(cwd=project) as dev:
        async with Load(dev.url) as load:
            await load.more(1)
        done = await stated(project, "reset", "--yes")
        assert (200, "[]") == await dev.get("/")
        assert load.acknowledged <= contents(project / ".cfwf/saves" / done["before"])[-1]


async def test_branches_run_side_by_side(project, running):
    """Each has what it began with, and what was written to it since."""
    async with running(cwd=project) as main:
        async with Load(main.url) as load:
            await load.more(1)
        await stated(project, "branch", "b")
        shared = json.loads((await main.get("/"))[1])
        async with running("--state", "b", cwd=project) as branch:
            async with aiohttp.ClientSession() as session:
                await (await session.post(f"{branch.url}/only-b")).text()
            assert shared == json.loads((await main.get("/"))[1])
            assert {*shared, "only-b"} == set(json.loads((await branch.get("/"))[1]))
            found = await stated(project, "diff", "--state", "b", "main")
            assert "only-b" in {each["item"] for each in found["differences"]}
            assert branch.url.rpartition(":")[2] == found["server"].rpartition(":")[2]
            refused = await asyncio.to_thread(cfwf, "state", "rm", "b", "--branch", cwd=project)
            assert (1, True) == (refused.returncode, "is in use by another process" in refused.stderr)
    state(project, "rm", "b", "--branch")
    assert [] == state(project, "list")["branches"]


async def test_killed_while_it_saves_a_server_leaves_no_half_save(project, running):
    """What has a name is whole."""
    for number in range(3):
        async with running(cwd=project) as dev, aiohttp.ClientSession() as session:
            await (await session.post(f"{dev.url}/{number}-00")).text()
            body = {"group": "saves", "name": f"s{number}", "replace": False}
            url = f"{dev.url}/cdn-cgi/local/explorer/api/state/copies"
            saving = asyncio.create_task(session.post(url, json=body))
            async with asyncio.timeout(30):
                while not saving.done() and not list((project / ".cfwf").glob("saves/.new-*")):
                    await asyncio.sleep(0)
            dev.process.kill()
            await dev.process.wait()
            await asyncio.gather(saving, return_exceptions=True)
        for save in state(project, "list")["saves"]:
            assert 4 == len(contents(Path(save["path"])))
    async with running(cwd=project) as dev:
        assert {"0-00", "1-00", "2-00"} == set(json.loads((await dev.get("/"))[1]))


async def test_killed_while_it_loads_a_server_has_the_old_state_or_the_new_one(project, running):
    """The next server finishes what was begun."""
    async with running(cwd=project) as dev, aiohttp.ClientSession() as session:
        await (await session.post(f"{dev.url}/old")).text()
        await stated(project, "save", "one")
        await (await session.post(f"{dev.url}/new")).text()
        url = f"{dev.url}/cdn-cgi/local/explorer/api/state/load"
        await (await session.post(url, json={"name": "one"})).text()
        dev.process.kill()
        await dev.process.wait()
    async with running(cwd=project) as dev:
        assert ["old"] == json.loads((await dev.get("/"))[1])
    [aside] = [each["name"] for each in state(project, "list")["saves"] if each["name"] != "one"]
    assert {"old", "new"} == contents(project / ".cfwf/saves" / aside)[0]


async def test_commands_say_which_state_they_are_about(project, running):
    """Its folder, and the server that has it."""
    assert "State: .cfwf/state (not served)" in cfwf("state", "list", cwd=project).stdout
    async with running(cwd=project) as dev:
        text = (await asyncio.to_thread(cfwf, "state", "save", "one", cwd=project)).stdout
        assert f"State: .cfwf/state (served at {dev.url})" in text
    refused = cfwf("dev", "--port", "0", "--state", "nope", cwd=project)
    assert (1, True) == (refused.returncode, "There is no branch nope" in refused.stderr)


def test_state_of_an_older_version_is_brought_up_to_date(project):
    """When it is used; the save stays as it was."""
    dumps = Path(__file__).parent.parent / "durability/states"
    save = project / ".cfwf/saves/older"
    save.mkdir(parents=True)
    with closing(sqlite3.connect(save / "workflows.sqlite")) as connection:
        connection.executescript((dumps / "schema-1.sql").read_text())
    shutil.copy(save / "workflows.sqlite", project / "before")
    assert {"state": str(project / ".cfwf/state"), "server": None, "name": "older", "before": None} == state(
        project, "load", "older"
    )
    listed = cfwf("workflows", "trigger", "orders", cwd=project)
    assert listed.returncode == 0, listed.stderr
    assert {4} == rows(project / ".cfwf/state/workflows.sqlite", "PRAGMA user_version")
    assert (project / "before").read_bytes() == (save / "workflows.sqlite").read_bytes()
