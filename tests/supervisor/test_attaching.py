"""`cfwf dev --debug`: the debugger of an editor attaches, with the real adapter of debugpy."""

import asyncio
import re
import socket
import sys

import pytest
from click.testing import CliRunner
from dap import editor

from cfworkflows_emulator.cli.main import main

STEPS = """
import time

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        config = {"timeout": "1 second", "retries": {"limit": 0, "delay": 1}}
        amount = await step.do("charge", config, self.charge)
        return await step.do("add", config, lambda: self.add(amount))

    def charge(self):
        amount = 41
        return amount

    async def add(self, amount):
        amount += 1
        return amount

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        order = await self.env.ORDERS.create()
        while (status := await order.status()).status not in ("complete", "errored"):
            await asyncio.sleep(0.01)
        return Response(str(status.output))
"""
CONFIG = """
[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")


def line_of(path, text):
    return 1 + [line.strip() for line in path.read_text().splitlines()].index(text)


@pytest.fixture
def port(unused_tcp_port):
    return unused_tcp_port


async def test_breakpoints_are_hit_in_threads_and_in_the_event_loop(write, running, port):
    """A plain `def` runs in a thread, an `async def` in the event loop."""
    entry = write(STEPS, CONFIG) / "src/entry.py"
    async with running("--debug", str(port)) as dev, editor(port) as code:
        await code.attach({entry: [line_of(entry, "return amount"), line_of(entry, "amount += 1")]})
        answer = asyncio.create_task(dev.get())
        for name in ("charge", "add"):
            thread, frame = await code.halted()
            assert name == frame["name"]
            assert "41" == await code.evaluate("amount", frame)
            await code.go_on(thread)
        assert (200, "42") == await answer


async def test_a_reload_listens_on_the_same_port(write, running, port):
    """The editor is asked to attach again, may do so at once, and halts in the new code."""
    entry = write(STEPS, CONFIG) / "src/entry.py"
    async with running("--debug", str(port)) as dev:
        async with editor(port) as code:
            await code.attach({entry: [line_of(entry, "amount += 1")]})
            entry.write_text(entry.read_text().replace("amount += 1", "amount += 2"))
            assert {"restart": True} == await code.event("terminated")
        async with editor(port) as code:
            await code.attach({entry: [line_of(entry, "amount += 2")]})
            await dev.line("Reloaded in ")
            answer = asyncio.create_task(dev.get())
            thread, frame = await code.halted()
            assert "41" == await code.evaluate("amount", frame)
            await code.go_on(thread)
            assert (200, "43") == await answer


async def test_the_address_is_printed(write, running):
    """Once, at the start: with `--debug 0` nothing else tells which port was taken."""
    entry = write(STEPS, CONFIG) / "src/entry.py"
    async with running("--debug", "0") as dev:
        printed = re.findall(r"A debugger can attach on 127\.0\.0\.1:(\d+)\.", dev.text)
        assert 1 == len(printed)
        async with editor(int(printed[0])) as code:
            await code.attach({})
            entry.write_text(entry.read_text().replace("amount += 1", "amount += 2"))
            await dev.line("Reloaded in ")
        assert 1 == dev.text.count("A debugger can attach on ")


async def test_time_stands_still_while_a_thread_is_halted(write, running, port):
    """The timeout of a step does not come, nothing is said of a blocked event loop, and no save replaces the worker."""
    entry = write(STEPS, CONFIG) / "src/entry.py"
    async with running("--debug", str(port)) as dev, editor(port) as code:
        await code.attach({entry: [line_of(entry, "amount += 1")]})
        answer = asyncio.create_task(dev.get())
        thread, frame = await code.halted()
        entry.write_text(entry.read_text().replace("amount += 1", "amount += 2"))
        await dev.line("it is loaded when the debugger goes on")
        began = float(await code.evaluate("time.monotonic()", frame))
        while float(await code.evaluate("time.monotonic()", frame)) < began + 3:
            pass
        await code.go_on(thread)
        await dev.line("Reloaded in ")
        assert (200, "42") == await answer
        assert "blocked" not in dev.text


async def test_the_code_is_loaded_once_a_debugger_is_there(write, starting, port):
    """With --debug-wait, so that a breakpoint at the top of the module is hit; after a reload as well."""
    entry = write("began = 41\n" + "loaded = began + 1\n" + STEPS, CONFIG) / "src/entry.py"
    async with starting("--port", "0", "--debug", str(port), "--debug-wait") as dev:
        await dev.line("Waiting for a debugger on 127.0.0.1:")
        async with editor(port) as code:
            await code.attach({entry: [line_of(entry, "loaded = began + 1")]})
            thread, frame = await code.halted()
            assert "41" == await code.evaluate("began", frame)
            await code.go_on(thread)
            await dev.ready()
        entry.write_text(entry.read_text() + "\n")
        await dev.line("Waiting for a debugger on 127.0.0.1:")
        async with editor(port) as code:
            await code.attach({})
            await dev.line("Reloaded in ")
        assert 0 == await dev.stop()


async def test_a_save_replaces_a_worker_that_waits_for_a_debugger(write, starting, port):
    """It has loaded nothing yet; and Ctrl-C ends it."""
    async with starting("--port", "0", "--debug", str(port), "--debug-wait") as dev:
        write(STEPS, CONFIG)
        await dev.line("Waiting for a debugger on ")
        assert 0 == await dev.stop()


async def test_breakpoint_halts_for_the_editor_that_is_attached(write, running, port):
    """The call itself does, and the editor shows its line."""
    write(STEPS.replace("amount += 1", "amount += 1; breakpoint()"), CONFIG)
    async with running("--debug", str(port)) as dev, editor(port) as code:
        await code.attach({})
        answer = asyncio.create_task(dev.get())
        thread, frame = await code.halted()
        assert "42" == await code.evaluate("amount", frame)
        await code.go_on(thread)
        assert (200, "42") == await answer


async def test_breakpoint_without_an_editor_is_as_without_debug(write, running, port):
    """There is no terminal here: it is passed over, and nothing waits for an editor."""
    write(STEPS.replace("amount += 1", "amount += 1; breakpoint()"), CONFIG)
    async with running("--debug", str(port)) as dev:
        assert (200, "42") == await dev.get()
        line = await dev.line("passed over")
        assert line.startswith("warning: breakpoint() at src/entry.py:")


async def test_ctrl_c_ends_a_worker_that_is_halted(write, running, port):
    """At once: it would answer nothing. The adapter ends with it, and the port is free again."""
    entry = write(STEPS, CONFIG) / "src/entry.py"
    async with running("--debug", str(port)) as dev, editor(port) as code:
        await code.attach({entry: [line_of(entry, "amount += 1")]})
        answer = asyncio.create_task(dev.get())
        await code.halted()
        assert 0 == await dev.stop()
        with pytest.raises(OSError, match="closed"):
            await answer
        await code.event("terminated")


FORKS = """
import os

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        child = os.fork()
        if not child:
            code = 40
            code += 1
            breakpoint()
            os._exit(code)
        return Response(str(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])))
"""


async def test_a_process_that_the_worker_forks_is_not_halted(write, running, port):
    """Neither by a breakpoint of the editor nor by a call: nobody could let it go on."""
    entry = write(FORKS) / "src/entry.py"
    async with running("--debug", str(port)) as dev, editor(port) as code:
        await code.attach({entry: [line_of(entry, "code += 1")]})
        assert (200, "41") == await dev.get()


async def test_a_port_that_is_taken_ends_the_start(write, failing):
    """With the address, the reason, and the option."""
    write(STEPS, CONFIG)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        text = await failing("--debug", address)
    assert f"error: The debugger cannot listen on {address}: Address already in use. Choose another port" in text


def test_without_debugpy_the_start_says_what_to_install(monkeypatch):
    """Nothing is started."""
    monkeypatch.setitem(sys.modules, "debugpy", None)
    done = CliRunner().invoke(main, ["dev", "--debug-wait"])
    assert (1, "error: --debug needs debugpy, which is not installed: pip install 'cfworkflows[debug]'\n") == (
        done.exit_code,
        done.output,
    )


@pytest.mark.parametrize("value", ["src/entry.py", "localhost:", "65536", "localhost:http"])
def test_what_is_no_address_is_refused(value):
    """A script that comes behind the option is taken for its value, so the text says where it goes."""
    done = CliRunner().invoke(main, ["dev", "--debug", value])
    assert 2 == done.exit_code
    assert f"{value!r} is not [HOST:]PORT, as in --debug 5678. SCRIPT goes before --debug." in done.output
