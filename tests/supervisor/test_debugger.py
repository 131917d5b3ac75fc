"""`breakpoint()` in the code of a Worker that runs in a terminal."""

import urllib.request
from asyncio import create_task, to_thread

import pytest

PAUSES = """
import time

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        config = {"timeout": "1 second", "retries": {"limit": 0, "delay": 1}}
        return await step.do("charge", config, self.charge)

    def charge(self):
        began = time.monotonic()
        breakpoint()
        return began

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if request.url.endswith("/order"):
            await self.env.ORDERS.create(id="7")
            return Response("created")
        amount = 41
        breakpoint()
        amount += 1
        return Response(str(amount))
"""
CONFIG = """
[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""
PROMPT = "(Pdb) "

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork.*:DeprecationWarning")


@pytest.fixture
def debugged(write, terminal):
    """The folder of a Worker that stops at breakpoints, and its session in a terminal."""
    write(PAUSES, CONFIG)
    return terminal


async def started(session):
    """A function that asks the server for a path, once it is ready."""
    await session.shows("Ready on ")
    origin = (await session.shows(" ")).strip()
    await session.shows("[x] exit")

    def ask(path):
        with urllib.request.urlopen(origin + path, timeout=30) as response:
            return response.read().decode()

    return lambda path: create_task(to_thread(ask, path))


async def test_a_breakpoint_takes_commands_and_gives_the_keys_back(debugged):
    """What is typed goes to the debugger until it goes on, and is a key afterwards."""
    async with debugged() as session:
        ask = await started(session)
        answer = ask("/")
        await session.shows(PROMPT)
        session.press("p amount\n")
        assert "41" in await session.shows(PROMPT)
        session.press("amount = 1\n")
        await session.shows(PROMPT)
        session.press("n\n")
        assert "Shutting down" not in await session.shows(PROMPT)
        session.press("c\n")
        assert "2" == await answer
        await session.shows("GET / ")
        session.press("h")
        await session.shows("restart the worker")
        session.press("x")
        assert 0 == await session.ended()


async def test_time_stands_still_while_the_debugger_reads(debugged):
    """The timeout of a step does not come while its callback is looked at; nothing is said of a blocked event loop."""
    async with debugged() as session:
        ask = await started(session)
        await ask("/order")
        await session.shows(PROMPT)
        shown = ""
        while "True" not in shown:
            session.press("p time.monotonic() > began + 3\n")
            shown = await session.shows(PROMPT)
        session.press("c\n")
        assert "blocked" not in await session.shows("orders/7 complete")


async def test_a_reload_waits_for_the_debugger(debugged, write):
    """What is saved meanwhile is loaded when the program goes on: the prompt is not taken away."""
    async with debugged() as session:
        ask = await started(session)
        answer = ask("/")
        await session.shows(PROMPT)
        write(PAUSES.replace("amount += 1", "amount += 2"), CONFIG)
        await session.shows("it is loaded when the debugger goes on")
        session.press("p amount\n")
        assert "41" in await session.shows(PROMPT)
        session.press("c\n")
        assert "42" == await answer
        await session.shows("Reloaded in ")
        answer = ask("/")
        await session.shows(PROMPT)
        session.press("c\n")
        assert "43" == await answer


async def test_ctrl_c_at_the_prompt_ends_the_server(debugged):
    """At once and in order: there is nothing to wait for."""
    async with debugged() as session:
        ask = await started(session)
        answer = ask("/")
        await session.shows(PROMPT)
        session.press("\x03")
        await session.shows("Shutting down local server...")
        assert 0 == await session.ended()
        with pytest.raises(OSError, match="closed"):
            await answer


async def test_a_worker_that_dies_gives_the_keys_back(debugged):
    """The terminal is as it was before, whatever the debugger had made of it."""
    async with debugged() as session:
        ask = await started(session)
        answer = ask("/")
        await session.shows(PROMPT)
        session.press("import os; os._exit(3)\n")
        await session.shows("ended with exit code 3")
        with pytest.raises(OSError, match="closed"):
            await answer
        await session.shows("Reloaded in ")
        session.press("x")
        await session.shows("Shutting down local server...")
        assert 0 == await session.ended()


async def test_without_a_terminal_a_breakpoint_is_passed_over(write, running):
    """It is said, with its place, and the request is answered."""
    write(PAUSES, CONFIG)
    async with running() as dev:
        assert (200, "42") == await dev.get()
        line = await dev.line("passed over")
    assert line.startswith("warning: breakpoint() at src/entry.py:")
    assert line.endswith("is passed over: there is no terminal to type commands into.")
