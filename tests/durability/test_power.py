"""`--durability full`: what is acknowledged was synced to the disk, and never by the event loop."""

import asyncio
import re
import shutil
import subprocess
import threading

import pytest
from contract import History
from served import CFWF, Served

from cfworkflows_emulator.engine import MIGRATIONS, Entry, InstanceRow
from cfworkflows_emulator.engine.journal.store import InstanceStore
from cfworkflows_emulator.storage.database import Database

STRACE = shutil.which("strace")


async def test_each_commit_waits_for_the_disk_in_a_thread(tmp_path):
    """The loop neither commits nor reads while a commit is under way; another connection sees what is durable."""
    database = await Database.open(tmp_path / "s", MIGRATIONS, "full")
    threads = []
    await database.run(
        lambda connection: connection.set_trace_callback(
            lambda statement: threads.append((statement, threading.get_ident()))
        )
    )
    store = InstanceStore(database)
    for key in range(1, 4):
        row = InstanceRow(key, "w", str(key), "queued", 0, 0)
        assert await store.create(row, [Entry(1, 0, "workflow_queued")])
    assert 2 == await database.run(lambda connection: connection.execute("PRAGMA synchronous").fetchone()[0])
    commits = [thread for statement, thread in threads if statement == "COMMIT"]
    assert 3 == len(commits)
    assert threading.get_ident() not in commits
    await store.close()


async def traced(tmp_path, *options):
    """The threads that synced after the start, each as often as it did, and the commits there were."""
    trace = tmp_path / "trace"
    command = [STRACE, "--follow-forks", "--quiet=all", "--trace=fsync,fdatasync", f"--output={trace}", str(CFWF)]
    async with Served(tmp_path, *options, command=command) as served:
        worker = served.worker.children()[0].pid
        before = len(trace.read_text().splitlines())
        await served.create("sequential", "i")
        await served.until("sequential", "i", "complete")
        lines = trace.read_text().splitlines()[before:]
        served.kill()
        history = History(served.database, served.effects)
    history.check_end("sequential/i")
    return worker, [int(line.split()[0]) for line in lines if re.search(r"f(data)?sync\(", line)]


@pytest.mark.skipif(STRACE is None, reason="strace shows what is synced")
async def test_the_disk_is_asked_for_each_step(tmp_path):
    """A workflow of four steps takes five commits, each of which is synced; by default none is."""
    if (await asyncio.to_thread(subprocess.run, [STRACE, "true"], capture_output=True)).returncode:
        pytest.skip("tracing is not allowed here")
    _, syncs = await traced(tmp_path / "normal")
    assert [] == syncs
    worker, syncs = await traced(tmp_path / "full", "--durability", "full")
    assert len(syncs) >= 5
    assert worker not in syncs


async def test_nothing_is_different_after_kill_9(tmp_path):
    """Every kind of workflow ends as it does by default."""
    async with Served(tmp_path, "--durability", "full") as served:
        for kind in ("sequential", "parallel", "retried", "undone", "streamed"):
            await served.create(kind, "i")
        served.kill()
        served.start()
        await served.ready()
        for kind in ("sequential", "parallel", "retried", "undone", "streamed"):
            await served.until(kind, "i", "complete", "errored")
        assert 0 == await served.stop()
    history = History(served.database, served.effects)
    history.check()
    for name in history.status:
        history.check_end(name)
