"""The standard streams of `cfwf dev`: a reader that does not read, files that run out, and code that closes them."""

import re
import resource
import socket
import subprocess
import sys
from contextlib import ExitStack, contextmanager

import psutil
import pytest
from devserver import CFWF, clean_environment, fetch

TALKER = """
import os
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        print("x" * 2000)
        return Response("hello")
"""
CLOSER = """
import os, sys
sys.stdout.close()
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "fork" in request.url and not os.fork():
            raise SystemExit
        sys.stderr.close()
        return Response("hello")
"""


@contextmanager
def unread(folder):
    """A server, of whose output only as much is read as the test reads: the process, and its URL."""
    command = [CFWF, "dev", "--port", "0"]
    process = subprocess.Popen(
        command, cwd=folder, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        for line in process.stdout:
            if line.startswith("Ready on "):
                yield process, line.split()[2]
                break
    finally:
        process.kill()
        process.communicate()


def running_below(pid):
    found = psutil.Process(pid).children(recursive=True)
    return [each for each in found if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


def test_an_output_that_nobody_reads_stops_nothing(write):
    """Requests are answered, a reload happens, and who reads later sees how much is missing."""
    folder = write(TALKER)
    with unread(folder) as (process, url):
        for _ in range(1_000):
            assert (200, "hello") == fetch(url)
        write(TALKER.replace("hello", "changed"))
        while (200, "changed") != fetch(url):
            assert process.poll() is None
        lines = iter(process.stdout.readline, "")
        dropped = next(match for line in lines if (match := re.search(r"(\d+) lines were dropped here", line)))
        assert int(dropped[1]) > 100
        assert (200, "changed") == fetch(url)
        process.terminate()
        assert "Shutting down local server" in process.stdout.read()
        assert 0 == process.wait(30)


async def test_streams_that_code_closes_are_its_own(write, running):
    """Requests are answered and logged, and what is forked ends."""
    write(CLOSER)
    async with running() as dev:
        for path in ("/", "/fork", "/"):
            assert (200, "hello") == await dev.get(path)
        await dev.line("GET /fork 200 OK")
        while 1 < len(running_below(dev.process.pid)):
            assert (200, "hello") == await dev.get()
        assert 0 == await dev.stop()
    assert "Traceback" not in dev.text


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
async def test_too_many_open_files_are_told_once(write, running):
    """As a line without a traceback; when there are fewer, connections are accepted again."""
    write()
    async with running() as dev:
        (worker,) = psutil.Process(dev.process.pid).children()
        resource.prlimit(worker.pid, resource.RLIMIT_NOFILE, (worker.num_fds() + 20, 1024))
        host, _, port = dev.url.removeprefix("http://").rpartition(":")
        with ExitStack() as stack:
            for _ in range(100):
                stack.enter_context(socket.create_connection((host, int(port))))
            await dev.line("No connection is accepted for now: Too many open files (the limit is ")
        assert (200, "hello") == await dev.get()
        assert 0 == await dev.stop()
    assert "Traceback" not in dev.text
    assert 1 == dev.text.count("Too many open files")
