"""Processes that code of the user forks, and which are still there when the worker is not."""

import asyncio
import os
import signal
from contextlib import suppress

import psutil
import pytest

FORKING = """
import multiprocessing, os, signal, subprocess, time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from version import VERSION
FORK = multiprocessing.get_context("fork")

def rest():
    time.sleep(600)

def by_fork():
    pid = os.fork()
    if not pid:
        rest()
        os._exit(0)
    return pid

def by_process():
    process = FORK.Process(target=rest)
    process.start()
    return process.pid

def by_pool():
    global pool
    pool = ProcessPoolExecutor(1, mp_context=FORK)
    return pool.submit(os.getpid).result()

def by_program():
    return subprocess.Popen(["sleep", "600"], close_fds=False).pid

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        return await step.do("fork", lambda: globals()[event.payload]())

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        name = request.url.rpartition("/")[2]
        if "/step/" in request.url:
            instance = await self.env.ORDERS.create(params=name)
            while (status := await instance.status()).status not in ("complete", "errored"):
                await asyncio.sleep(0.01)
            return Response(str(status.output))
        if "/do/" in request.url:
            return Response(str(globals()[name]()))
        return Response(str(VERSION))
"""
CONFIG = '[[workflows]]\nname = "order"\nbinding = "ORDERS"\nclass_name = "Order"\n'
WAYS = ["do/by_fork", "do/by_process", "do/by_pool", "do/by_program", "step/by_fork", "step/by_pool"]


class Children(list):
    """Processes to end with the block, since they keep the output open."""

    def add(self, pid):
        self.append(psutil.Process(pid))
        return self[-1]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for child in self:
            with suppress(psutil.NoSuchProcess):
                child.kill()


def save(folder, version):
    (folder / "src/version.py").write_text(f"VERSION = {version}\n")


async def gone(process):
    async with asyncio.timeout(20):
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", WAYS)
async def test_a_reload_does_not_mind_what_was_forked(write, running, way):
    """A child of the worker holds neither the state, nor the port, nor the supervisor; nor does it after kill -9."""
    folder = write(FORKING, CONFIG)
    save(folder, 1)
    async with running() as dev:
        with Children() as children:
            children.add(int((await dev.get(f"/{way}"))[1]))
            save(folder, 2)
            await dev.line("Reloaded in")
            assert (200, "2") == await dev.get()
            worker = max(psutil.Process(dev.process.pid).children(), key=lambda each: each.create_time())
            children.add(int((await dev.get(f"/{way}"))[1]))
            worker.kill()
            await dev.line("The worker process was ended by SIGKILL")
            await dev.line("Reloaded in")
            assert (200, "2") == await dev.get()
            dev.signal()
            await dev.line("Shutting down")
            await gone(psutil.Process(dev.process.pid))
            async with running("--port", dev.url.rpartition(":")[2]) as again:
                assert (200, "2") == await again.get()
        assert 0 == await dev.ended()


async def test_pools_end_with_their_worker(write, running):
    """They would wait for work for ever: a reload ends them, and so does the end of the command."""
    folder = write(FORKING, CONFIG)
    save(folder, 1)
    async with running() as dev:
        with Children() as children:
            pool = children.add(int((await dev.get("/do/by_pool"))[1]))
            save(folder, 2)
            await dev.line("Reloaded in")
            await gone(pool)
            pool = children.add(int((await dev.get("/do/by_process"))[1]))
            assert 0 == await dev.stop()
            await gone(pool)


async def test_a_fork_is_ended_by_the_signal_that_ends_processes(write, running):
    """As `terminate` of multiprocessing sends it, though the worker itself does nothing at it."""
    write(FORKING.replace("from version import VERSION", "VERSION = 1"), CONFIG)
    async with running() as dev:
        with Children() as children:
            child = children.add(int((await dev.get("/do/by_fork"))[1]))
            child.send_signal(signal.SIGTERM)
            await gone(child)


@pytest.mark.parametrize("path", ["/handler", "/thread"])
async def test_a_fork_does_not_come_back_to_the_event_loop(write, running, path):
    """Code that forks and goes on in both processes: one answers, and the other one ends; nothing is done twice."""
    write(
        """
        import os
        async def on_fetch(request):
            if "handler" in request.url:
                asyncio.get_running_loop().call_soon(print, "next")
                os.fork()
            elif "thread" in request.url:
                await asyncio.to_thread(os.fork)
                print("next")
            return Response("answered")
        """
    )
    async with running() as dev:
        for _ in range(5):
            assert (200, "answered") == await dev.get(path)
        worker = psutil.Process(dev.process.pid).children()[0]
        for child in worker.children():
            await gone(child)
        assert 0 == await dev.stop()
    assert 5 == dev.lines.count("next")
    assert 5 == dev.text.count("200 OK")


async def test_a_fork_goes_on_at_the_first_interrupt_only(write, running):
    """Ctrl+C comes to it too: a callback that uses it may end in order, and nothing of it is left at the second one."""
    write(FORKING.replace("from version import VERSION", "VERSION = 1"), CONFIG)
    async with running() as dev:
        with Children() as children:
            child = children.add(int((await dev.get("/do/by_fork"))[1]))
            os.kill(child.pid, signal.SIGINT)
            assert (200, "1") == await dev.get()
            assert child.is_running()
            async with asyncio.timeout(20):  # two that come before it has seen the first are one to the system
                while child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
                    child.send_signal(signal.SIGINT)
                    await asyncio.sleep(0.01)
