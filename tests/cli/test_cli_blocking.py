"""Code of the Worker that blocks the event loop is named, in a real process. A block is told after two seconds."""

import asyncio
import re

import pytest

# `blocked()` returns when there is a file "go": tests end the block when they have seen what they wait for.
BLOCKED = """
import re, subprocess, time
from pathlib import Path

async def blocked():
    while not Path("go").exists(): time.sleep(0.01)  # one line: the report may see the loop in either half of it

def waiting():
    subprocess.run(["sh", "-c", "while [ ! -e go ]; do sleep 0.02; done"], check=True)

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        match event.payload:
            case "async":
                await step.do("charge", blocked)
            case "lambda":
                await step.do("look", lambda: waiting())
            case "delay":
                await step.do("retried", {"retries": {"limit": 1, "delay": lambda request: waiting()}}, self.failing)
            case "run":
                waiting()
            case "gather":
                await asyncio.gather(blocked())
            case "nested":
                async def outer():
                    await step.do("inner", blocked)
                await step.do("outer", outer)

    async def failing(self):
        raise ValueError("no")

def backtrack(length):
    started = time.monotonic()
    re.match(r"(a+)+$", "a" * length + "b")
    return time.monotonic() - started

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        kind = request.url.rpartition("/")[2].partition("?")[0]
        if kind == "length":
            return Response(str(next(n for n in range(15, 99) if backtrack(n) > 0.4)))
        if kind == "request":
            await blocked()
        elif kind == "background":
            self.ctx.wait_until(blocked())
        elif kind == "regex":
            backtrack(int(request.url.partition("?")[2]))
        elif kind != "hello":
            await self.env.ORDERS.create(id=kind, params=kind)
        return Response(kind)
"""
CONFIG = """
[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""
SLEEPS = "src/entry.py:8"
RUNS = "src/entry.py:11"


@pytest.fixture
def blocking(write, running):
    """A server whose Worker can block it."""
    write(BLOCKED, CONFIG)
    return running


@pytest.mark.parametrize(
    ("kind", "what", "place", "remedy"),
    [
        ("async", 'step "charge-1" of orders/async', SLEEPS, "Make the callback a plain `def`"),
        ("lambda", 'step "look-1" of orders/lambda', RUNS, "Make the callback a plain `def`"),
        ("delay", 'step "retried-1" of orders/delay', RUNS, "Make the callback a plain `def`"),
        ("nested", 'step "inner-1" of orders/nested', SLEEPS, "Make the callback a plain `def`"),
        ("run", "run() of orders/run", RUNS, "Move it into a step"),
        ("gather", "run() of orders/gather", SLEEPS, "Move it into a step"),
        ("request", "GET http://localhost:*/request", SLEEPS, "asyncio.to_thread"),
        ("background", "GET http://localhost:*/background", SLEEPS, "asyncio.to_thread"),
    ],
)
async def test_what_blocks_is_named_while_it_does(blocking, tmp_path, kind, what, place, remedy):
    """The step or request, the innermost line of the project, and what to do; when it is over, how long it took."""
    async with blocking() as dev:
        asking = asyncio.create_task(dev.get(f"/{kind}"))
        line = re.sub(r"localhost:\d+", "localhost:*", await dev.line("has blocked"))
        assert line.startswith(f"warning: {what} has blocked the event loop for 2.")
        assert f" s at {place}. Everything else waits meanwhile." in line
        assert remedy in line
        (tmp_path / "go").touch()
        assert re.search(rf"it was blocked for [2-9]\.\d s at {place}\.$", await dev.line("goes on"))
        assert (200, kind) == await asking
        assert (200, "hello") == await dev.get("/hello")


async def test_it_is_named_again_when_it_has_lasted_twice_as_long(blocking, tmp_path):
    """After two seconds, and four: no flood of lines."""
    async with blocking() as dev:
        asking = asyncio.create_task(dev.get("/request"))
        await dev.line("has blocked the event loop for 4.")
        assert 2 == dev.text.count("has blocked")
        (tmp_path / "go").touch()
        await dev.line("goes on")
        await asking


async def test_a_call_that_lets_no_thread_run_is_told_afterwards(blocking):
    """Nothing can be seen while it runs; what it was is guessed, or seen in the moment when it ends."""
    async with blocking() as dev:
        _, length = await dev.get("/length")
        assert (200, "regex") == await dev.get(f"/regex?{int(length) + 3}")  # each character takes twice as long
        assert re.search("(by a call that let no other thread run|src/entry.py:)", await dev.line("blocked"))


async def test_worker_process_is_replaced_when_a_block_has_lasted(blocking, tmp_path):
    """Another one serves, and the step is tried again there: the attempt of before counts as cut off."""
    async with blocking("--max-block", "2.5") as dev:
        await dev.get("/async")
        line = await dev.line("this process is replaced by another one")
        assert re.search(rf'step "charge-1" of orders/async has blocked .* s at {SLEEPS}, and no other instance', line)
        (tmp_path / "go").touch()
        died = await dev.line("The worker process was ended")
        assert "code of the Worker blocked its event loop for too long. It is started again" in died
        await dev.line("Reloaded")
        assert (200, "hello") == await dev.get("/hello")


async def test_block_may_last_for_ever_if_that_is_asked_for(blocking, tmp_path):
    """Nothing is ended."""
    async with blocking("--max-block", "0") as dev:
        asking = asyncio.create_task(dev.get("/request"))
        await dev.line("has blocked the event loop for 4.")
        (tmp_path / "go").touch()
        assert (200, "request") == await asking
        assert "replaced" not in dev.text
