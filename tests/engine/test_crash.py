"""What a crash leaves behind: after each commit there is, and after a real `kill -9`."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap

import programs
import pytest
from programs import OUTPUTS, effects
from world import Death

from cfworkflows import WorkflowError
from cfworkflows_emulator.engine import open_database
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.journal.store import InstanceStore

PROGRAMS = pytest.mark.parametrize("program", OUTPUTS, ids=lambda program: program.__name__)


async def _until_death(server, death):
    """Whether the workflow ended before."""

    async def live():
        try:
            instance = await server[server.classes[0]].create(id="i")
        except WorkflowError:
            instance = await server.get("i")
        return await programs.finish(server, instance)

    life, end = asyncio.ensure_future(live()), asyncio.ensure_future(death.came.wait())
    await asyncio.wait({life, end}, return_when=asyncio.FIRST_COMPLETED)
    end.cancel()
    if life.done():
        return life.result()
    life.cancel()
    return None


async def _on_disk(path):
    """The state of the only instance, as a process that starts finds it."""
    store = InstanceStore(await open_database(path))
    try:
        return InstanceState.fold(await store.journal(1))
    finally:
        await store.close()


@PROGRAMS
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_killed_after_any_commit_it_ends_the_same(serve, monkeypatch, program, evict_after_ms):
    """Same output; what was finished is not called again; a deadline stays; each attempt that began counts."""
    status, commits = None, 0
    while status is None:
        effects.clear()
        server = await serve(program, file=True, evict_after_ms=evict_after_ms)
        with monkeypatch.context() as patch:
            status = await _until_death(server, Death(patch, commits))
        await server.kill()
        calls = effects.copy()
        before = await _on_disk(server.path)
        done = {name for name, step in before.steps.items() if step.done}
        ends = {name: sleep.until for name, sleep in before.sleeps.items()}
        await server.start()
        if before.queued is None:
            await server[program.__name__].create(id="i")
        instance = await server.get("i")
        assert OUTPUTS[program] == (await programs.finish(server, instance)).output, commits
        after = await server.state(instance)
        assert {name: calls[name] for name in done} == {name: effects[name] for name in done}
        assert ends == {name: after.sleeps[name].until for name in ends}
        for name, count in effects.items():
            assert count <= after.steps[name].attempts <= calls[name] + 3
        await server.stop()
        commits += 1
    assert commits > 3


@PROGRAMS
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_a_teardown_of_the_loop_writes_nothing(serve, program, evict_after_ms):
    """All tasks cancelled, as at ctrl-C, at any moment: the journal knows of nothing, and the next process goes on."""
    for turns in range(0, 120, 7):
        server = await serve(program, file=True, evict_after_ms=evict_after_ms)
        instance = await server[program.__name__].create(id="i")
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.cancel_all()
        await server.engine.store.flushed()
        await server.restart()
        assert OUTPUTS[program] == (await programs.finish(server, await server.get(instance.id))).output
        await server.stop()


async def test_a_run_that_catches_its_cancellation_is_not_complete(serve):
    """At the end of the process `except CancelledError: return` is no result, and raising something else no error."""
    how = []

    async def run(step):
        try:
            await step.sleep("nap", "1 day")
        except asyncio.CancelledError:
            if how.pop() == "raise":
                raise ValueError("cancelled") from None
            return "cancelled"
        return "slept"

    server = await serve(run, file=True)
    instance = await server.create(id="i")
    for way in ("return", "raise"):
        how.append(way)
        await server.cancel_all()
        await server.engine.store.flushed()
        assert ["workflow_queued", "workflow_started", "workflow_running", "sleep_started nap-1"] == (
            await server.journal(instance)
        )
        await server.restart()
        instance = await server.get("i")
    await server.clock.advance(0)
    assert "slept" == (await server.finish(instance)).output


async def test_an_attempt_is_on_disk_before_its_callback_starts(serve, tmp_path):
    """Another connection sees it: so a callback that kills the process runs out of attempts."""
    seen = []

    async def run(step):
        async def look():
            with sqlite3.connect(server.path) as other:
                seen.extend(other.execute("SELECT type FROM journal WHERE step = 'look-1' ORDER BY seq").fetchall())
            other.close()

        await step.do("look", look)

    server = await serve(run, file=True)
    await server.run()
    assert [("step_started",), ("attempt_started",)] == seen


async def test_an_interrupted_attempt_counts(serve):
    """With `limit: 1` it is tried twice, and the last one is repeated once, since it was cut off; then it fails."""
    attempts, began = [], asyncio.Event()

    async def run(step):
        async def die(ctx):
            attempts.append(ctx.attempt)
            began.set()
            await asyncio.Event().wait()

        await step.do("die", {"retries": {"limit": 1, "delay": 0}}, die)

    server = await serve(run, file=True)
    instance = await server[run.__name__].create(id="i")
    for _ in range(3):
        await began.wait()
        began.clear()
        await server.restart()
    status = await server.finish(await server.get(instance.id))
    assert [1, 2, 3] == attempts
    assert ("WorkflowInternalError", "Attempt failed due to internal workflows error") == tuple(status.error.values())


@pytest.mark.parametrize("act", ["send_event", "pause", "terminate", "restart", "create"])
async def test_what_a_call_told_survives_a_kill_right_after_it(serve, act):
    """Nobody hears of what is not on disk."""

    async def run(step):
        got = await step.wait_for_event("go", type="go", timeout="1 day")
        await step.sleep("nap", "1 day")
        return got.payload

    server = await serve(run, file=True)
    instance = await server[run.__name__].create(id="i")
    if act != "create":
        await server.clock.settle()
        await getattr(instance, act)(**({"type": "go", "payload": 1} if act == "send_event" else {}))
    before = await instance.status()
    await server.restart()
    instance = await server.get("i")
    after = await server.settled(instance)
    assert (before.status == "running" and after.status == "waiting") or before == after
    if act == "send_event":
        assert 1 == (await server.finish(instance)).output


async def test_an_instance_at_work_is_taken_up_though_a_timer_of_it_is_far(serve):
    """A parallel sleep of a year does not keep the step that was cut off from being repeated at the next start."""
    reached = asyncio.Event()

    async def run(step):
        async def work():
            await step.wait_for_event("go", type="go")
            await step.do("work", effect)
            return "worked"

        async def effect(ctx):
            reached.set()
            if ctx.attempt == 1:
                await asyncio.Event().wait()

        nap = step.sleep("nap", "300 days")
        done = await work()
        nap.cancel()
        return done

    server = await serve(run, file=True)
    instance = await server.create(id="i")
    await instance.send_event(type="go")
    await reached.wait()
    assert "running" == (await server.engine.list("run"))[0].status
    await server.restart()
    assert "complete" == (await server.settled(await server.get("i"))).status


async def test_no_status_is_told_before_it_is_on_disk(serve, monkeypatch):
    """An end that comes between the flush and the answer, and is not committed yet, is not told."""

    async def run(step):
        await step.sleep("nap", "1 day")

    server = await serve(run)
    instance = await server.create()
    flushed = server.engine.store.flushed

    async def flush_and_end():
        monkeypatch.undo()
        await flushed()
        next(iter(server.engine.residents.actors.values())).terminate()

    monkeypatch.setattr(server.engine.store, "flushed", flush_and_end)
    assert "waiting" == (await instance.status()).status
    assert "terminated" == (await instance.status()).status


SERVER = textwrap.dedent(
    """
    import asyncio, os, sys
    from pathlib import Path
    from cfworkflows import WorkflowEntrypoint
    from cfworkflows_emulator.clock import SystemClock
    from cfworkflows_emulator.engine import Engine, WorkflowDefinition, open_database
    from cfworkflows_bindings import WorkflowBinding

    class W(WorkflowEntrypoint):
        async def run(self, event, step):
            def effect(n):
                with open(sys.argv[2], "a") as log:
                    print(n, file=log)
                return n
            got = [await step.do("a", lambda: effect(n)) for n in range(3)]
            async def hang():
                effect("hang")
                print("hangs", flush=True)
                if sys.argv[3] == "first":
                    await asyncio.Event().wait()
                return "went on"
            got.append(await step.do("hang", {"retries": {"limit": 1, "delay": 0}}, hang))
            return got

    async def main():
        database = await open_database(Path(sys.argv[1]))
        engine = await Engine.open([WorkflowDefinition("w", lambda: W(None, None))], SystemClock(), database)
        await engine.resume_all()
        w = WorkflowBinding(engine, "w")
        instance = await (w.create(id="i") if sys.argv[3] == "first" else w.get("i"))
        while (status := await instance.status()).status != "complete":
            await asyncio.sleep(0.01)
        print(status.output)
        await engine.close()

    asyncio.run(main())
    """
)


def test_kill_9_of_a_process(tmp_path):
    """The next process takes the instance up by itself: finished steps are not repeated, the cut-off one is."""
    command = [sys.executable, "-c", SERVER, str(tmp_path / "state.sqlite"), str(tmp_path / "effects")]
    with subprocess.Popen([*command, "first"], stdout=subprocess.PIPE, text=True) as first:
        assert "hangs\n" == first.stdout.readline()
        os.kill(first.pid, signal.SIGKILL)
    second = subprocess.run([*command, "second"], capture_output=True, text=True, timeout=30, check=True)
    assert "hangs\n[0, 1, 2, 'went on']\n" == second.stdout
    assert ["0", "1", "2", "hang", "hang"] == (tmp_path / "effects").read_text().split()
