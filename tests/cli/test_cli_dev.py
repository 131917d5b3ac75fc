import asyncio
import json
import os
import pty
import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path

import psutil
import pytest
from dev_workers import WORKFLOW, free_port

SHOWS_ENV = """
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response.json({name: getattr(self.env, name) for name in self.env})
"""


async def test_a_worker_is_served(write, running):
    """The server says where it is, answers, logs the request, and ends with 0."""
    write()
    async with running() as dev:
        assert dev.url.startswith("http://localhost:")
        assert (200, "hello") == await dev.get("/a?b=1")
        assert (await dev.line("GET /a")).startswith("GET /a 200 OK (")
        assert 0 == await dev.stop()
    assert "Shutting down local server..." == dev.lines[-1]


async def test_the_start_tells_what_there_is(write, running):
    """Version, files with secrets, a table of the bindings, warnings, and in how many ms it was ready."""
    folder = write(
        "class Order(WorkflowEntrypoint): pass\n",
        """
        typo = 1
        [vars]
        GREETING = "hi"
        LIMITS = { a = [1] }
        """
        + WORKFLOW
        + """
        [[kv_namespaces]]
        binding = "CACHE"
        id = "cacheid"
        [[vectorize]]
        binding = "INDEX"
        index_name = "i"
        """.replace("        ", ""),
    )
    (folder / ".dev.vars").write_text("TOKEN=abc\n")
    async with running() as dev:
        await dev.stop()
    expected = """
 cfworkflows 0.1.0
────────────────────
Using secrets defined in .dev.vars
Your Worker has access to the following bindings:
Binding                      Resource                  Mode
env.ORDERS (Order)           Workflow                  local
env.CACHE (cacheid)          KV Namespace              local: kv/cacheid.sqlite
env.INDEX (i)                Vectorize Index           not supported yet
env.GREETING ("hi")          Environment Variable      local
env.LIMITS ({"a": [1]})      Environment Variable      local
env.TOKEN ("(hidden)")       Environment Variable      local
"""
    assert expected in "\n".join(dev.lines) + "\n"
    assert 'Unexpected fields found in top-level field: "typo"' in dev.text
    assert "abc" not in dev.text
    assert " ms)" in next(line for line in dev.lines if line.startswith("Ready on"))


async def test_without_bindings_the_start_says_so(write, running):
    """An empty table is a sentence."""
    write()
    async with running() as dev:
        await dev.stop()
    assert "No bindings found." in dev.lines


async def test_variables_come_from_everywhere(write, running):
    """--var beats --env-file beats the configuration; --env chooses the section."""
    folder = write(
        SHOWS_ENV,
        """
        [env.staging.vars]
        A = "config"
        B = "config"
        C = "config"
        """,
    )
    (folder / "some.env").write_text("B=file\nC=file\n")
    async with running("-e", "staging", "--env-file", "some.env", "--var", "C:a:b", "--var", "D:") as dev:
        assert {"A": "config", "B": "file", "C": "a:b", "D": ""} == json.loads((await dev.get())[1])


async def test_the_script_beats_main(write, running):
    """SCRIPT is served instead of `main`, with the configuration near it."""
    folder = write(SHOWS_ENV, '[vars]\nA = "x"\n')
    (folder / "other").mkdir()
    (folder / "other/second.py").write_text(
        "from cfworkflows import *\ndef on_fetch(request, env): return Response('second ' + env.A)\n"
    )
    async with running("other/second.py") as dev:
        assert (200, "second x") == await dev.get()


async def test_config_and_cwd_choose_the_project(write, running, tmp_path):
    """--config names the file, --cwd the folder to start from; paths are relative to it."""
    folder = write()
    async with running("--config", str(folder / "wrangler.toml"), cwd="/") as dev:
        assert (200, "hello") == await dev.get()
    async with running("--cwd", str(folder), "--persist-to", "kept", cwd="/") as dev:
        assert (200, "hello") == await dev.get()
        assert (tmp_path / "kept/workflows.sqlite").is_file()


async def test_the_state_is_beside_the_configuration(write, running):
    """The default state folder is .cfwf/state, wherever the command is started, and git does not see it."""
    folder = write()
    async with running(cwd=folder / "src") as dev:
        assert 0 == await dev.stop()
    assert (folder / ".cfwf/state/workflows.sqlite").is_file()
    assert "*\n" == (folder / ".cfwf/state/.gitignore").read_text()


async def test_localhost_is_ipv4_and_ipv6(write, running):
    """The server answers at both addresses of localhost."""
    write()
    async with running() as dev:
        port = dev.url.rpartition(":")[2]
        for address in ("127.0.0.1", "[::1]") if socket.has_ipv6 else ("127.0.0.1",):
            dev.url = f"http://{address}:{port}"
            assert (200, "hello") == await dev.get()


async def test_a_wildcard_lists_addresses(write, running):
    """With --ip 0.0.0.0 the addresses to use are printed too."""
    write()
    async with running("--ip", "0.0.0.0") as dev:
        await dev.stop()
    port = dev.url.rpartition(":")[2]
    assert f"http://0.0.0.0:{port}" == dev.url
    assert f"- http://127.0.0.1:{port}" in dev.lines


async def test_port_and_ip_of_the_configuration_count(write, running, starting):
    """dev.port and dev.ip are used, and a busy dev.port is an error like a busy --port."""
    port = free_port()
    write(config=f'[dev]\nport = {port}\nip = "127.0.0.1"\n')
    async with starting() as dev:
        await dev.ready()
        assert f"http://127.0.0.1:{port}" == dev.url
        async with starting("--persist-to", "other") as second:
            assert 1 == await second.ended()
        assert f"Address already in use (127.0.0.1:{port})" in second.text


async def test_a_busy_port_is_an_error(write, starting, running):
    """An explicit port that is taken ends the command with what to do; nothing was loaded."""
    write("print('loaded')\n")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with starting("--port", str(port)) as dev:
            assert 1 == await dev.ended()
    assert dev.text == (
        f"error: Address already in use (localhost:{port}). Please check that you are not already running a server on "
        "this address or specify a different port with --port."
    )


async def test_without_a_port_a_second_server_finds_another(write, starting, tmp_path):
    """Two servers without --port run side by side, and the second says that the usual port is taken."""
    write()
    async with starting("--persist-to", "one") as first:
        await first.ready()
        async with starting("--persist-to", "two") as second:
            await second.ready()
            assert (200, "hello") == await first.get() == await second.get()
        assert first.url != second.url
        assert f"warning: Port 8787 is taken, using {second.url.rpartition(':')[2]}." in second.text


@pytest.mark.parametrize(
    ("level", "ready", "request_line", "warning", "error"),
    [
        ("debug", True, True, True, True),
        ("info", True, True, True, True),
        ("log", True, True, True, True),
        ("warn", False, False, True, True),
        ("error", False, False, False, True),
        ("none", False, False, False, False),
    ],
)
async def test_log_levels(write, starting, level, ready, request_line, warning, error):
    """Each level prints what is at least as grave; what the Worker prints is always there."""
    write(
        "def on_fetch(request):\n    print('printed')\n    raise ValueError('kaboom')\n",
        'typo = 1\ncompatibility_date = "2026-11-01"\n',
    )
    port = free_port()
    async with starting("--port", str(port), "--log-level", level) as dev:
        dev.url = f"http://127.0.0.1:{port}"
        while True:
            try:
                assert 500 == (await dev.get())[0]
                break
            except OSError:
                await asyncio.sleep(0.02)
        await dev.stop()
    assert ready == ("Ready on" in dev.text)
    assert request_line == ("GET / 500 Internal Server Error" in dev.text)
    assert warning == ("Unexpected fields" in dev.text)
    assert error == ("kaboom" in dev.text)
    assert "printed" in dev.lines


async def test_prints_come_through_at_once(write, running):
    """What a Worker prints is seen before its handler ends, also in a pipe."""
    write("async def on_fetch(request):\n    print('begins')\n    await asyncio.Event().wait()\n")
    async with running() as dev:
        asking = asyncio.open_connection("127.0.0.1", int(dev.url.rpartition(":")[2]))
        _, writer = await asking
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert "begins" == await dev.line("begins")
        writer.close()


async def test_an_error_shows_the_workers_lines(write, running):
    """A traceback in the terminal has the user's frames, and none of ours or of asyncio."""
    write("def charge():\n    raise ValueError('kaboom')\ndef on_fetch(request):\n    charge()\n")
    async with running() as dev:
        status, text = await dev.get()
        await dev.stop()
    assert 500 == status
    assert "ValueError: kaboom" in text
    assert "error: Uncaught error in GET /" in dev.lines
    assert "ValueError: kaboom" in dev.lines
    assert "in charge" in dev.text
    assert "cfworkflows_emulator" not in dev.text
    assert "asyncio" not in dev.text


async def test_a_failing_workflow_is_printed(write, running):
    """The engine's log is readable: which instance, what happened, where."""
    write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                raise ValueError("no stock")
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                await self.env.ORDERS.create(id="one")
                return Response()
        """,
        WORKFLOW,
    )
    async with running() as dev:
        await dev.get()
        assert "error: order/one errored" == await dev.line("order/one")
        await dev.line("ValueError: no stock")
        await dev.stop()
    assert "in run" in dev.text
    assert "cfworkflows_emulator" not in dev.text


async def test_colours_are_for_terminals(write, starting):
    """On a terminal the status is coloured, unless NO_COLOR is set; in a pipe it never is."""
    write()

    async def output(env):
        primary, secondary = pty.openpty()
        process = await asyncio.create_subprocess_exec(
            Path(sys.executable).with_name("cfwf"),
            "dev",
            "--port",
            "0",
            cwd=write(),
            env={**{key: value for key, value in os.environ.items() if key != "NO_COLOR"}, **env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=secondary,
            stderr=secondary,
        )
        os.close(secondary)
        text = ""
        try:
            while "Ready on" not in text or ")" not in text.partition("Ready on")[2]:
                text += await asyncio.to_thread(lambda: os.read(primary, 65536).decode())
            port = int(text.partition("http://localhost:")[2].split()[0])
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"GET /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await reader.read()
            writer.close()
            while "GET /x" not in text or "ms)" not in text.partition("GET /x")[2]:
                text += await asyncio.to_thread(lambda: os.read(primary, 65536).decode())
        finally:
            process.terminate()
            await process.wait()
            os.close(primary)
        return text

    async with asyncio.timeout(60):
        assert "GET /x \x1b[32m200 OK\x1b[0m (" in await output({})
        assert "GET /x 200 OK (" in await output({"NO_COLOR": "1"})


async def test_100_mb_up_and_down_are_not_held_in_memory(write, running):
    """A large body streams through the server both ways, and its memory does not grow with it."""
    write(
        """
        async def on_fetch(request):
            if request.method == "POST":
                size = 0
                async for chunk in request.body:
                    size += len(chunk)
                return Response(str(size))
            async def chunks():
                for _ in range(1600):
                    yield bytes(65536)
            return Response(chunks())
        """
    )
    size = 1600 * 65536
    async with running() as dev:
        process = psutil.Process(dev.process.pid).children()[0]  # the worker
        before = peak_kb(process)
        reader, writer = await asyncio.open_connection("127.0.0.1", int(dev.url.rpartition(":")[2]))
        writer.write(f"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {size}\r\n\r\n".encode())
        for _ in range(1600):
            writer.write(bytes(65536))
            await writer.drain()
        head = await reader.readuntil(b"\r\n\r\n")
        assert f"content-length: {len(str(size))}".encode() in head
        assert str(size).encode() == await reader.readexactly(len(str(size)))
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        received = 0
        while chunk := await reader.read(1 << 20):
            received += len(chunk)
        writer.close()
        assert size < received < size * 1.01
        assert peak_kb(process) - before < 20_000


def peak_kb(process):
    """The most memory that the process ever had, in kB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM"))


async def test_host_names_are_allowed_on_the_command_line(write, running):
    """Under another name than localhost the APIs answer only if the user said it."""
    write()
    async with running("--allow-host", "dev.box") as dev:

        def ask(host):
            request = urllib.request.Request(dev.url + "/cdn-cgi/local/explorer/api/workflows", headers={"Host": host})
            try:
                with urllib.request.urlopen(request, timeout=20) as response:
                    return response.status
            except urllib.error.HTTPError as error:
                with error:
                    return error.code

        assert [200, 403] == [await asyncio.to_thread(ask, host) for host in ("dev.box:1", "evil.box")]
