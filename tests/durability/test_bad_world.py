"""Disks that are full or read-only, files that are damaged: what is told, and that nothing acknowledged is lost."""

import contextlib
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager

import pytest
from contract import History
from served import Served

MOST = 5_000  # instances that surely fill what is left


@contextmanager
def mounted(path, size):
    """A file system in memory, of so many bytes; skips where that is not allowed."""
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", path], capture_output=True)
    if done.returncode:
        pytest.skip("mounting is for root")
    try:
        yield lambda options: subprocess.run(["mount", "-o", f"remount,{options}", path], check=True)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


def use_up(path):
    """Write a file until nothing is left for others."""
    with path.open("wb", 0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))


async def fill(served):
    """Create instances until one is refused: the ids that were acknowledged, and the answer to the last one."""
    created = []
    while len(created) < MOST:
        id = f"i{len(created)}"
        status, answer = await served.create("waiter", id)
        if status != 200:
            return created, status, answer
        created.append(id)
    raise AssertionError("the disk was never full")


async def check_refusals(served, id):
    """Nothing that cannot be stored is acknowledged, and each answer tells why, as JSON."""
    path = f"/workflows/waiter/instances/{id}"
    for ask in (
        ("POST", f"{path}/events/item", "end"),
        ("PATCH", f"{path}/status", {"action": "pause"}),
        ("GET", path),
    ):
        status, answer = await served.ask(*ask)
        assert (500, False) == (status, answer["success"])
        assert "The state cannot be written" in answer["errors"][0]["message"]


async def check_kept(served, created):
    for id in created:
        assert "waiting" == (await served.instance("waiter", id))["status"]
    status, _ = await served.create("waiter", "afterwards")
    assert 200 == status


async def test_a_full_disk_is_told_and_got_over(tmp_path):
    """Every acknowledged instance is there when there is space again: without a restart, and without a key pressed."""
    with mounted(tmp_path / "state", "3m") as remount:
        async with Served(tmp_path) as served:
            created, status, answer = await fill(served)
            assert 500 == status
            assert f"{served.database}: database or disk is full" in answer["errors"][0]["message"]
            await check_refusals(served, created[0])
            remount("size=50m")
            await served.printed(r"Reloaded in .* \(the state can be written again\)")
            await check_kept(served, created)
            assert 0 == await served.stop()
            assert "Traceback" not in served.text
        History(served.database, served.effects).check()


@pytest.mark.parametrize("before", [True, False], ids=["after a failed commit", "before any"])
async def test_a_worker_that_starts_on_a_full_disk_is_got_over(tmp_path, before):
    """As at a reload, or when the worker dies meanwhile: another one goes on by itself when there is space again."""
    with mounted(tmp_path / "state", "3m") as remount:
        async with Served(tmp_path) as served:
            created = (await fill(served))[0] if before else [(await served.create("waiter", "i"))[1]["result"]["id"]]
            use_up(tmp_path / "state/big")
            await served.kill_worker()
            await served.printed("Waiting for a change; requests are answered with the error")
            status, answer = await served.ask("GET", f"/workflows/waiter/instances/{created[0]}")
            assert 500 == status
            assert "No space left on device" in str(answer)
            (tmp_path / "state/big").unlink()
            remount("size=50m")
            await served.printed(r"Reloaded in .* \(the state can be written again\)")
            await check_kept(served, created)
            assert 0 == await served.stop()
            assert "Traceback" not in served.text


@pytest.mark.parametrize("meanwhile", ["a save", "a wrong save", "a stop"])
async def test_whatever_happens_on_a_full_disk_is_got_over(tmp_path, meanwhile):
    """A reload, one to code that does not load, and an end in order: with space again all is there."""
    source = "from cfworkflows import *\nclass Waits(WorkflowEntrypoint):\n    async def run(self, event, step):\n"
    source += "        await step.wait_for_event('next', {'type': 'item'})\n"
    (tmp_path / "entry.py").write_text(source)
    workflow = 'name = "waiter"\nbinding = "W"\nclass_name = "Waits"\n'
    (tmp_path / "wrangler.toml").write_text(f'name = "w"\nmain = "entry.py"\n[[workflows]]\n{workflow}')
    with mounted(tmp_path / "state", "3m") as remount:
        async with Served(tmp_path, "--watch", config=tmp_path / "wrangler.toml") as served:
            created = (await fill(served))[0]
            use_up(tmp_path / "state/big")
            if meanwhile == "a stop":
                assert 0 == await served.stop()
            else:
                wrong = "raise ValueError\n" if meanwhile == "a wrong save" else "# changed\n"
                (tmp_path / "entry.py").write_text(source + wrong)
                await served.printed("Waiting for a change; requests are answered with the error")
            (tmp_path / "state/big").unlink()
            remount("size=50m")
            if meanwhile == "a stop":
                served.start()
                await served.ready()
            elif meanwhile == "a wrong save":
                (tmp_path / "entry.py").write_text(source)
                await served.printed(r"Reloaded in .* \(entry.py changed\)|Reloaded in .* \(.*/entry.py changed\)")
            else:
                await served.printed(r"Reloaded in .* \(the state can be written again\)")
            await check_kept(served, created)
            assert 0 == await served.stop()


async def test_a_start_on_a_full_disk_acknowledges_nothing(tmp_path):
    """It ends and says why; or, where it need not write to start, it refuses. With space again all is there."""
    with mounted(tmp_path / "state", "3m") as remount:
        async with Served(tmp_path) as served:
            created, _, _ = await fill(served)
            served.kill()
            use_up(tmp_path / "state/big")
            served.start()
            try:
                await served.ready()
            except RuntimeError:
                assert "No space left" in served.text or "database or disk is full" in served.text
            else:
                await fill(served)
                served.kill()
            assert "Traceback" not in served.text
            remount("size=50m")
            served.start()
            await served.ready()
            await check_kept(served, created)
            served.kill()


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced by a copy"])
async def test_a_state_folder_that_is_removed_is_noticed(tmp_path, replaced):
    """Nothing is acknowledged into nothing; by itself another worker goes on with what is there then."""
    async with Served(tmp_path) as served:
        await served.create("waiter", "before")
        await served.until("waiter", "before", "waiting")
        served.state.rename(tmp_path / "away")
        if replaced:
            shutil.copytree(tmp_path / "away", served.state)
        status, answer = await served.create("waiter", "i")
        assert (500, True) == (status, "was removed or replaced while it was in use" in str(answer))
        assert f"error: The state cannot be written: {served.database}: the file, or its folder, was" in served.text
        await served.printed(r"Reloaded in .* \(the state can be written again\)")
        assert replaced == (await served.instance("waiter", "before") is not None)
        assert 200 == (await served.create("waiter", "i"))[0]
        assert 0 == await served.stop()
        assert "Traceback" not in served.text
    assert served.database.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process are Linux's")
async def test_writes_that_fail_are_told_and_got_over(tmp_path):
    """The same for any error of the disk: here a limit that is set on the worker while it runs."""
    async with Served(tmp_path) as served:
        await served.create("waiter", "first")
        await served.until("waiter", "first", "waiting")
        resource.prlimit(served.worker.pid, resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        created, status, answer = await fill(served)
        assert (500, "disk I/O error" in str(answer)) == (status, True)
        await check_refusals(served, "first")
        resource.prlimit(served.worker.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        await served.printed("the state can be written again")
        await check_kept(served, ["first", *created])
        assert 0 == await served.stop()


async def test_a_folder_that_is_read_only_is_told_at_the_start(tmp_path):
    """Exit code 1, which folder it is, and what to do."""
    with mounted(tmp_path / "state", "50m") as remount:
        async with Served(tmp_path) as served:
            assert 0 == await served.stop()
            remount("ro")
            served.start()
            assert 1 == await served.ended()
        assert "Read-only file system. Choose a folder that can be written with --persist-to." in served.text
        assert "Traceback" not in served.text


# Damaged files


@pytest.fixture
async def stopped(tmp_path):
    """A server that has stopped in order, and some forty instances in its database."""
    async with Served(tmp_path) as served:
        for number in range(20):
            await served.create("waiter", f"i{number}")
            await served.create("sequential", f"i{number}")
        for number in range(20):
            await served.until("sequential", f"i{number}", "complete")
            await served.until("waiter", f"i{number}", "waiting")
        assert 0 == await served.stop()
        yield served


def flip(path, start, end):
    """Turn all the bits of a part of a file, from and to a fraction of its size."""
    data = bytearray(path.read_bytes())
    for place in range(int(len(data) * start), int(len(data) * end)):
        data[place] ^= 0xFF
    path.write_bytes(data)


def flip_journal(path):
    """Turn all the bits of a page in the middle of the journal."""
    data = bytearray(path.read_bytes())
    pages = sorted({match.start() // 4096 for match in re.finditer(b"step_completed", data)})
    start = pages[len(pages) // 2] * 4096
    data[start : start + 4096] = bytes(byte ^ 0xFF for byte in data[start : start + 4096])
    path.write_bytes(data)


def newer(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")


DAMAGES = {
    "most of it": (lambda path: flip(path, 0.1, 0.99), "The file is damaged"),
    "its head": (lambda path: flip(path, 0, 0.01), "file is not a database. The file is damaged"),
    "truncated": (lambda path: os.truncate(path, path.stat().st_size // 2), "The file is damaged"),
    "truncated within a page": (lambda path: os.truncate(path, path.stat().st_size // 2 + 99), "The file is damaged"),
    "emptied": (lambda path: os.truncate(path, 0), "it is empty, although this state folder was in use"),
    "a newer version's": (newer, "it was written by a newer cfworkflows (schema 99"),
    "a folder": (lambda path: (path.unlink(), path.mkdir()), "unable to open database file. Check the permissions"),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_database_that_cannot_be_used_ends_the_start(stopped, damage):
    """Exit code 1, which file it is, what is wrong with it and what to do; and the file stays as it is."""
    harm, message = DAMAGES[damage]
    harm(stopped.database)
    before = stopped.database.read_bytes() if stopped.database.is_file() else None
    stopped.start()
    assert 1 == await stopped.ended()
    assert f"error: {stopped.database}: " in stopped.text
    assert message in stopped.text
    assert "Traceback" not in stopped.text
    assert before == (stopped.database.read_bytes() if before is not None else None)


async def test_damage_in_the_middle_is_told_where_it_is_met(stopped):
    """Instances whose pages are whole are served; an answer about another one names the file and what to do."""
    flip_journal(stopped.database)
    stopped.start()
    await stopped.ready()
    answers = [
        await stopped.ask("GET", f"/workflows/{kind}/instances/i{number}")
        for kind in ("waiter", "sequential")
        for number in range(20)
    ]
    assert {200, 500} == {status for status, _ in answers}
    for status, answer in answers:
        if status == 500:
            message = answer["errors"][0]["message"]
            assert f"{stopped.database}: database disk image is malformed. The file is damaged" in message
    assert "Traceback" not in stopped.text


async def test_a_log_that_was_cut_is_used_up_to_its_last_whole_commit(tmp_path):
    """What is there after kill -9 and the loss of half of the log is a state that there was: nothing is half there."""
    async with Served(tmp_path) as served:
        for number in range(20):
            await served.create("sequential", f"i{number}")
        await served.until("sequential", "i19", "complete")
        served.kill()
        log = served.database.with_name("workflows.sqlite-wal")
        os.truncate(log, log.stat().st_size // 2)
        served.start()
        await served.ready()
        kept = [number for number in range(20) if await served.instance("sequential", f"i{number}") is not None]
        assert list(range(len(kept))) == kept
        assert 0 < len(kept) < 20
        for number in kept:
            await served.until("sequential", f"i{number}", "complete")
        served.kill()


async def test_a_log_that_is_gone_is_told(tmp_path):
    """After kill -9 all may be in the log: without it the database is empty, and no new one takes its place."""
    async with Served(tmp_path) as served:
        await served.create("waiter", "i")
        served.kill()
        for name in ("workflows.sqlite-wal", "workflows.sqlite-shm"):
            served.database.with_name(name).unlink()
        served.start()
        assert 1 == await served.ended()
        assert "it is empty, although this state folder was in use" in served.text
        assert "Traceback" not in served.text
        served.database.unlink()
        served.start()
        await served.ready()
        served.kill()


async def test_two_servers_do_not_share_a_folder(tmp_path):
    """The second one says who has it, and the first one goes on."""
    async with Served(tmp_path) as first:
        second = Served(tmp_path)
        second.log = tmp_path / "second"
        second.start()
        assert 1 == await second.ended()
        assert f"is in use by another process (pid {first.process.pid}: " in second.text
        assert (200, "i") == ((answer := await first.create("waiter", "i"))[0], answer[1]["result"]["id"])


async def test_a_copy_of_a_folder_is_a_folder(stopped, tmp_path):
    """What the errors say, move it away and put it back, works: a copy of a stopped server's folder is all there is."""
    copy = tmp_path / "copy"
    copy.mkdir()
    shutil.copytree(stopped.state, copy / "state")
    async with Served(copy) as served:
        for number in range(20):
            assert "complete" == (await served.instance("sequential", f"i{number}"))["status"]
