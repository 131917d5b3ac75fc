"""Code of `run()` that kills the process, outside of any step: its instance ends alone, and everything else goes on."""

import asyncio
import json
import urllib.error
import urllib.request

import pytest

API = "/cdn-cgi/local/explorer/api/workflows"

SHOP = """
import ctypes, os, signal

async def alone(step):
    os._exit(3)

async def nested(step):
    async def branch(name):
        await step.do(name, lambda: 1)
        await asyncio.sleep(0)
        ctypes.string_at(0)
    await asyncio.gather(branch("x"), branch("y"))

async def undone(step):
    await step.do("booked", lambda: 1, rollback=lambda it: print("it was undone!", flush=True))
    os.kill(os.getpid(), signal.SIGKILL)

async def late(step):
    await step.sleep("nap", 1)
    os.abort()

class Killer(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("before", lambda: 1)
        await globals()[event.payload](step)

class Steady(WorkflowEntrypoint):
    async def run(self, event, step):
        got = []
        while (item := await step.wait_for_event("next", {"type": "item", "timeout": "1 day"})).payload != "end":
            got.append(await step.do("handle", lambda: item.payload))
        return got

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("hello")
"""
CONFIG = """
[[workflows]]
binding = "KILLER"
name = "killer"
class_name = "Killer"
[[workflows]]
binding = "STEADY"
name = "steady"
class_name = "Steady"
"""


async def ask(dev, path, body=None):
    def ask():
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(dev.url + API + path, data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)["result"]

    while True:
        try:
            return await asyncio.to_thread(ask)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 400 or b"already exists" not in error.read():  # created before the worker died
                    raise
                return None
        except OSError:  # the worker died meanwhile
            if dev.process.returncode is not None:
                raise


async def ended(dev, path):
    while (found := await ask(dev, path))["status"] not in ("complete", "errored"):
        pass
    return found


@pytest.mark.parametrize("way", ["alone", "nested", "undone", "late"])
async def test_an_instance_that_kills_the_process_ends_alone(write, running, way):
    """It is named, and has an error that says why; others go on, also new ones, and no step of it is called again."""
    write(SHOP, CONFIG)
    async with running() as dev:
        await ask(dev, "/steady/instances", {"id": "s"})
        await ask(dev, "/steady/instances/s/events/item", 1)
        await ask(dev, "/killer/instances", {"id": "k", "params": way})
        await dev.line("killer/k errored")
        found = await ended(dev, "/killer/instances/k")
        assert "errored" == found["status"]
        assert "WorkflowInternalError" == found["error"]["name"]
        assert "The process was killed 3 times while code of this run()" in found["error"]["message"]
        await ask(dev, "/steady/instances/s/events/item", "end")
        assert [1] == (await ended(dev, "/steady/instances/s"))["output"]
        assert (200, "hello") == await dev.get()
        assert 0 == await dev.stop()
    assert "it was undone!" not in dev.text
    assert 3 == dev.text.count("The worker process ")


async def test_a_command_starts_whatever_its_instances_do(write, running):
    """Several of them kill the process that resumes them, from the first moment on: it is ready all the same."""
    write(SHOP, CONFIG)
    async with running() as dev:
        await ask(dev, "/steady/instances", {"id": "s"})
        for number, way in enumerate(["alone", "nested", "late", "undone"]):
            await ask(dev, "/killer/instances", {"id": f"k{number}", "params": way})
        dev.process.kill()
        await dev.process.wait()
    async with running() as dev:
        for number in range(4):
            assert "errored" == (await ended(dev, f"/killer/instances/k{number}"))["status"]
        assert "waiting" == (await ask(dev, "/steady/instances/s"))["status"]
        assert 0 == await dev.stop()
    assert 1 == dev.text.count("Ready on")
    assert "in a row" not in dev.text


@pytest.mark.parametrize("callback", ["inline", "in_task"])
async def test_a_step_that_kills_the_process_runs_out_of_attempts(write, running, callback):
    """However many those are, it fails by itself, and `run()` goes on: what counts for `run()` is not for its steps."""
    write(
        f"""
        import os

        class Killer(WorkflowEntrypoint):
            async def run(self, event, step):
                try:
                    await step.do("x", {{"retries": {{"limit": 3, "delay": 0}}}}, {callback})
                except Exception:
                    return "it went on"

        inline = lambda: os._exit(3)

        async def in_task():
            os._exit(3)

        Steady = Killer
        """,
        CONFIG,
    )
    async with running() as dev:
        await ask(dev, "/killer/instances", {"id": "k"})
        assert "it went on" == (await ended(dev, "/killer/instances/k"))["output"]
