import asyncio
import re
import shutil
from pathlib import Path

import aiohttp
import psutil
import pytest
from devserver import HELLO, PRELUDE

from cfworkflows_emulator import EXPLORER_API

VERSIONED = """
from version import VERSION
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str(VERSION))
"""


def save(folder, version):
    (folder / "src/version.py").write_text(f"VERSION = {version}\n")


async def test_no_request_is_lost_while_files_are_saved(write, running):
    """Clients that keep their connections, and others that open new ones, see answers only, and each new version."""
    folder = write(VERSIONED)
    save(folder, 10)
    seen = set()
    stopping = False

    async def ask(session):
        while not stopping:
            async with session.post(dev.url) as answer:
                assert 200 == answer.status
                seen.add(int(await answer.text()))

    async with (
        running() as dev,
        aiohttp.ClientSession() as kept,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as fresh,
    ):
        # POST: a client repeats a GET by itself when its connection turns out to be closed.
        clients = [asyncio.create_task(ask(session)) for session in (kept, kept, kept, fresh, fresh)]
        for version in range(10, 31):
            if version > 10:
                save(folder, version)
                await dev.line("Reloaded in")
            while version not in seen:
                await asyncio.sleep(0.001)
                for client in clients:
                    if client.done():
                        client.result()
        stopping = True
        await asyncio.gather(*clients)
    assert {*range(10, 31)} == seen


async def test_a_handler_that_can_never_be_called_is_told_at_each_reload(write, running):
    """Not only at the start: it is while code is edited that a signature goes wrong."""
    folder = write("async def on_fetch(request): return Response('fine')\n")
    async with running() as dev:
        for parameters in ("a, b, c, d", "a, b, c, d, e"):
            (folder / "src/entry.py").write_text(f"async def on_fetch({parameters}): pass\n")
            assert f"({parameters})" in await dev.line("on_fetch() can never be called: ")


async def test_a_request_under_way_ends_on_the_old_code(write, running, tmp_path):
    """A request that was there before the save gets the old answer; one that came after it waits for the new code."""
    folder = write(
        """
        from pathlib import Path
        from version import VERSION
        async def on_fetch(request):
            if "slow" in request.url:
                print("begins")
                while not Path("go").exists():
                    await asyncio.sleep(0.01)
            return Response(f"version {VERSION}")
        """
    )
    save(folder, 1)
    async with running() as dev:
        old = psutil.Process(dev.process.pid).children()[0]
        slow = asyncio.create_task(dev.get("/slow"))
        await dev.line("begins")
        save(folder, 2)
        while any(each.status == psutil.CONN_LISTEN for each in old.net_connections("tcp")):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        quick = asyncio.create_task(dev.get("/quick"))
        (tmp_path / "go").touch()
        assert (200, "version 1") == await slow
        assert (200, "version 2") == await quick
        assert "(src/version.py changed)" in await dev.line("Reloaded in ")


async def test_a_response_that_streams_does_not_hold_the_reload_up(write, running, tmp_path):
    """The new code serves while the old process still sends the end of a body."""
    folder = write(
        """
        from pathlib import Path
        from version import VERSION
        async def on_fetch(request):
            if "stream" not in request.url:
                return Response(f"version {VERSION}")
            async def chunks():
                yield b"begins "
                while not Path("go").exists():
                    await asyncio.sleep(0.01)
                yield f"version {VERSION}".encode()
            return Response(chunks())
        """
    )
    save(folder, 1)
    async with running() as dev, aiohttp.ClientSession() as session, session.get(dev.url + "/stream") as answer:
        assert b"begins " == await answer.content.readany()
        save(folder, 2)
        await dev.line("Reloaded in ")
        assert (200, "version 2") == await dev.get()
        (tmp_path / "go").touch()
        assert b"version 1" == await answer.content.read()


async def test_code_that_does_not_import_is_shown_until_it_does(write, running):
    """The mistake is in the terminal and in every answer, as a page for browsers; the next save recovers."""
    folder = write(VERSIONED)
    save(folder, 1)
    async with running() as dev, aiohttp.ClientSession() as session:
        (folder / "src/version.py").write_text("VERSION = unknown\n")
        await dev.line("NameError: name 'unknown' is not defined")
        await dev.line("Waiting for a change")
        async with session.get(dev.url, headers={"User-Agent": "curl/8"}) as answer:
            text = await answer.text()
        async with session.get(dev.url, headers={"Accept": "text/html"}) as answer:
            page = await answer.text()
            assert 500 == answer.status
        assert "NameError: name 'unknown' is not defined" in text
        assert "VERSION = unknown" in page
        assert page.startswith("<!doctype html>")
        assert "cfworkflows_emulator" not in text + dev.text
        save(folder, 2)
        await dev.line("Reloaded in ")
        assert (200, "2") == await dev.get()


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("import nothing_of_this_name\n", "ModuleNotFoundError: No module named 'nothing_of_this_name'"),
        ("def f(:\n", "SyntaxError"),
        (HELLO, "class Order (workflows[0].class_name, wrangler.toml:5:14) is not in src/entry.py"),
    ],
)
async def test_a_first_start_waits_for_code_that_loads(write, starting, source, error):
    """It says where the error is answered meanwhile, and that it is ready once a save has mended the code."""
    loads = f"{PRELUDE}{HELLO}class Order(WorkflowEntrypoint): pass\n"
    folder = write(source, "[[workflows]]\nname = 'orders'\nclass_name = 'Order'\nbinding = 'ORDERS'\n")
    async with starting("--port", "0") as dev:
        waiting = await dev.line("Waiting for a change; requests to ")
        dev.url = waiting.split("requests to ")[1].split()[0]
        assert error in dev.text
        status, text = await dev.get()
        assert (500, True) == (status, error in text)
        (folder / "src/entry.py").write_text(loads)
        await dev.line(f"Ready on {dev.url} (in ")
        assert f"{dev.url}{EXPLORER_API}/workflows/orders/instances" == await dev.line("/instances")
        assert (200, "hello") == await dev.get()
        (folder / "src/entry.py").write_text(loads.replace("hello", "hallo"))
        await dev.line("Reloaded in ")
        assert (200, "hallo") == await dev.get()
        assert 0 == await dev.stop()


async def test_a_page_that_shows_an_error_can_tell_when_the_code_loads(write, running):
    """It asks which process answers: the one that gave the page does until the next save, and only local names may."""
    folder = write()
    async with running() as dev, aiohttp.ClientSession() as session:
        (folder / "src/entry.py").write_text("import nothing_of_this_name\n")
        await dev.line("Waiting for a change")
        async with session.get(dev.url, headers={"Accept": "text/html"}) as answer:
            page = await answer.text()
            assert "text/html;charset=utf-8" == answer.headers["content-type"].replace(" ", "")
        async with session.post(dev.url, headers={"Accept": "text/html"}) as answer:
            assert "<script>" not in await answer.text()  # loading it again would send it again
        path, mark = re.search(r'fetch\("([^"]+)".*!== "([0-9a-f]+)"', page, re.DOTALL).groups()
        assert (200, mark) == await dev.get(path)
        async with session.get(dev.url + path, headers={"Host": "evil.example"}) as answer:
            assert (500, "Internal Server Error\n") == (answer.status, await answer.text())
        (folder / "src/entry.py").write_text(PRELUDE + HELLO)
        await dev.line("Reloaded in ")
        status, now = await dev.get(path)
        assert (200, False) == (status, now == mark)
    assert path not in dev.text


async def test_a_module_that_was_missing_is_noticed(write, running):
    """A package that appears in a new folder makes code load that could not be imported without it."""
    folder = write()
    async with running() as dev:
        (folder / "src/entry.py").write_text("from shop import Default\n")
        await dev.line("Waiting for a change")
        (folder / "src/shop").mkdir()
        (folder / "src/shop/__init__.py").write_text(
            "from cfworkflows import *\nclass Default(WorkerEntrypoint):\n"
            "    async def fetch(self, request):\n        return Response('from shop')\n"
        )
        await dev.line("Reloaded in ")
        assert (200, "from shop") == await dev.get()


async def test_configuration_and_variables_are_loaded_anew(write, running):
    """A change of wrangler.toml and a new .dev.vars reach `env`; a mistake is told, and its repair noticed."""
    source = "def on_fetch(request, env): return Response(f'{env.A} {getattr(env, \"SECRET\", None)}')\n"
    folder = write(source, "vars = {A = '1'}\n")
    async with running() as dev:
        assert (200, "1 None") == await dev.get()
        write(source, "vars = {A = '2'}\n")
        await dev.line("wrangler.toml changed")
        (folder / ".dev.vars").write_text("SECRET=s\n")
        await dev.line("Reloaded in ")
        assert (200, "2 s") == await dev.get()
        (folder / "wrangler.toml").write_text("nonsense\n")
        await dev.line("Waiting for a change")
        status, text = await dev.get()
        assert 500 == status
        assert "wrangler.toml:1" in text
        write(source, "vars = {A = '3'}\n")
        await dev.line("Reloaded in ")
        assert (200, "3 s") == await dev.get()


async def test_only_another_content_reloads(write, running):
    """A file that is only touched is no reason; one that is replaced by another, as many editors do, is."""
    folder = write(VERSIONED)
    save(folder, 1)
    async with running() as dev:
        (folder / "src/version.py").touch()
        new = folder / "src/version.py.new"
        new.write_text("VERSION = 2\n")
        new.rename(folder / "src/version.py")
        await dev.line("src/version.py changed")
        assert (200, "2") == await dev.get()
        await dev.stop()
    assert 1 == dev.text.count("Reloaded in")


async def test_the_instances_go_on_with_the_new_code(write, running):
    """An instance that waits is taken up by the new code, and its finished step is not run again."""
    source = """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                first = await step.do("first", lambda: print("first runs") or "OLD")
                event = await step.wait_for_event("wait", {"type": "go"})
                return [first, "OLD"]
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                if "create" in request.url:
                    await self.env.ORDERS.create(id="one")
                instance = await self.env.ORDERS.get("one")
                if "go" in request.url:
                    await instance.send_event({"type": "go", "payload": None})
                return Response.json(await instance.status())
    """
    config = '[[workflows]]\nname = "order"\nbinding = "ORDERS"\nclass_name = "Order"\n'
    write(source, config)
    async with running() as dev:
        await dev.get("/create")
        await dev.line("first runs")
        write(source.replace("OLD", "NEW"), config)
        await dev.line("Reloaded in ")
        await dev.get("/go")
        await dev.line("order/one complete")
        assert '"output":["OLD","NEW"]' in (await dev.get())[1].replace(" ", "")
        await dev.stop()
    assert 1 == dev.text.count("first runs")


async def test_a_worker_that_is_blocked_is_replaced(write, running):
    """An endless loop in a handler does not keep the new code from being served."""
    folder = write(
        """
        from version import VERSION
        def on_fetch(request):
            print("asked")
            while VERSION == 1:
                pass
            return Response(str(VERSION))
        """
    )
    save(folder, 1)
    async with running() as dev:
        hanging = asyncio.create_task(dev.get())
        await dev.line("asked")
        save(folder, 2)
        await dev.line("did not answer for 2 seconds")
        await dev.line("Reloaded in ")
        assert (200, "2") == await dev.get()
        assert isinstance((await asyncio.gather(hanging, return_exceptions=True))[0], OSError)


async def test_no_watch_leaves_the_code_as_it_is(write, running):
    """With --no-watch nothing is watched, by no process and no open file, and there is one worker for all time."""

    def watchers(dev):
        (_, *others) = psutil.Process(dev.process.pid).children()
        files = [file.readlink() for file in Path(f"/proc/{dev.process.pid}/fd").glob("*") if file.is_symlink()]
        return len(others) + len([file for file in files if "inotify" in str(file)])

    folder = write(VERSIONED)
    save(folder, 1)
    async with running() as dev:
        save(folder, 2)
        await dev.line("Reloaded in")
        assert 1 == watchers(dev)
    async with running("--no-watch") as dev:
        assert (200, "2") == await dev.get()
        assert 0 == watchers(dev)


@pytest.mark.parametrize("anew", [False, True])
async def test_a_folder_that_is_replaced_is_watched_on(write, running, anew):
    """As when a branch is checked out that has it too, or it is moved away and back: later saves are noticed."""
    folder = write(VERSIONED)
    save(folder, 1)
    async with running() as dev:
        assert (200, "1") == await dev.get()
        (folder / "src").rename(folder / "gone")
        await dev.line("Waiting for a change")
        if anew:
            shutil.copytree(folder / "gone", folder / "src")
        else:
            (folder / "gone").rename(folder / "src")
        for version in range(2, 4):
            await dev.line("Reloaded in")
            save(folder, version)
        await dev.line("Reloaded in")
        assert (200, "3") == await dev.get()


async def test_files_can_be_polled(write, running, monkeypatch):
    """Where the system tells nothing of changes, a process looks at the files again and again; its end is told."""
    monkeypatch.setenv("WATCHFILES_FORCE_POLLING", "1")
    folder = write(VERSIONED)
    save(folder, 10)
    async with running() as dev:
        (folder / "src/other.py").touch()
        save(folder, 200)
        await dev.line("Reloaded in")
        assert (200, "200") == await dev.get()
        (watcher,) = (each for each in psutil.Process(dev.process.pid).children() if "-m" in each.cmdline())
        watcher.kill()
        await dev.line("The process that watches the files has ended. Press r, or restart cfwf dev, to reload.")
