"""The supervisor outlives its workers, in whatever order they die, and while it cannot act itself."""

import asyncio
import os
import random
import signal
from contextlib import suppress

import aiohttp
import psutil
import pytest

ROUNDS = 25
NO_ANSWER = (aiohttp.ClientConnectionError, aiohttp.ClientPayloadError, TimeoutError)
VERSIONED = """
from version import VERSION
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(str(VERSION))
"""


def save(folder, version):
    (folder / "src/version.new").write_text(f"VERSION = {version}\n")
    (folder / "src/version.new").rename(folder / "src/version.py")


def kill(process, number=signal.SIGKILL):
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)


@pytest.fixture
def chance():
    """STORM_SEED repeats the decisions."""
    seed = int(os.environ.get("STORM_SEED", random.randrange(2**32)))
    print(f"STORM_SEED={seed}")
    return random.Random(seed)


async def served(dev, session, version):
    """Wait until the code of this version answers."""
    async with asyncio.timeout(30):
        while dev.process.returncode is None:
            with suppress(*NO_ANSWER):
                async with session.get(dev.url, timeout=aiohttp.ClientTimeout(5)) as answer:
                    if await answer.text() == str(version):
                        return
            await asyncio.sleep(0.01)
    raise AssertionError(f"the supervisor ended with {dev.process.returncode}")


async def test_the_supervisor_outlives_any_order_of_deaths(write, running, chance):
    """The worker, its successor, or both die at any moment of a reload, also while the supervisor is suspended."""
    folder = write(VERSIONED)
    save(folder, 0)
    async with running() as dev, aiohttp.ClientSession() as kept:
        supervisor = psutil.Process(dev.process.pid)
        reading = asyncio.create_task(dev.process.stdout.read())
        await served(dev, kept, 0)
        for version in range(1, ROUNDS + 1):
            # Connections that are kept alive, and one with half a request, which are handed over.
            asking = [asyncio.create_task(kept.post(dev.url, data=b"x" * 100)) for _ in range(5)]
            _, half = await asyncio.open_connection("127.0.0.1", int(dev.url.rpartition(":")[2]))
            half.write(b"GET / HTTP/1.1\r\nHost:")
            await asyncio.sleep(chance.random() * 0.01)
            save(folder, version)
            await asyncio.sleep(chance.random() * 0.08)
            suspended = chance.random() < 0.4
            if suspended:
                supervisor.suspend()
            workers = supervisor.children()
            chance.shuffle(workers)
            for worker in workers[: chance.randint(1, 3)]:
                kill(worker, chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM]))
                if chance.random() < 0.5:
                    await asyncio.sleep(chance.random() * 0.02)
            if suspended:
                if chance.random() < 0.5:
                    save(folder, version)
                await asyncio.sleep(chance.random() * 0.05)
                supervisor.resume()
            half.close()
            for answer in await asyncio.gather(*asking, return_exceptions=True):
                if isinstance(answer, aiohttp.ClientResponse):
                    answer.release()
                else:
                    assert isinstance(answer, NO_ANSWER), answer
            await served(dev, kept, version)
        dev.signal()
        assert 0 == await dev.process.wait()
        assert b"Traceback" not in await reading


async def test_a_worker_that_died_while_the_supervisor_was_suspended_is_no_error(write, running):
    """A save comes together with the death: the supervisor sees the end of the worker, and has to tell it to stop."""
    folder = write(VERSIONED)
    save(folder, 1)
    async with running() as dev, aiohttp.ClientSession() as session:
        supervisor = psutil.Process(dev.process.pid)
        await served(dev, session, 1)
        for version in range(2, 6):
            supervisor.suspend()
            for worker in supervisor.children():
                worker.kill()
            save(folder, version)
            supervisor.resume()
            await served(dev, session, version)
        assert 0 == await dev.stop()
