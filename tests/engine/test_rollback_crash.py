"""A rollback goes on after a crash or an eviction, and every step is undone."""

import asyncio
from collections import Counter
from contextlib import suppress

import pytest
from undoing import ONCE, Undone, fail, outcome, rolled_back
from world import Death

from cfworkflows import WorkflowError, WorkflowFatalError
from cfworkflows_emulator.engine import Entry, open_database
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.engine.journal.store import InstanceStore

MISSING = ("RollbackMissing", "Rollback function not available in registry")


async def test_the_handlers_see_what_run_has_set_meanwhile(serve):
    """A variable that a replay assigns after the step, as the first run did."""
    seen = []

    async def run(step):
        reservation = None
        undo = lambda: seen.append(reservation)  # noqa: E731 - a handler that closes over a variable of run()
        reservation = await step.do("reserve", lambda: 7, rollback=undo)
        await step.sleep("nap", "1 day")

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance(1)
    await instance.terminate(rollback=True)
    await server.finish(instance)
    assert [7] == seen


async def test_a_replay_for_the_handlers_starts_nothing(serve):
    """A step that was cut off, and steps, sleeps and waits that were never met: none of them happens now."""
    undone, calls, began = Undone(), [], asyncio.Event()
    killed = []

    async def run(step):
        async def work():
            calls.append("work")
            began.set()
            await asyncio.Event().wait()

        await step.do("a", lambda: 1, undone())
        with suppress(Exception):
            await step.sleep_until("past", 0)
        with suppress(WorkflowFatalError):
            await step.wait_for_event("wrong", type="no type")
        await step.do("b", lambda: 2, undone())
        verbs = [step.do("work", work, undone())]
        if killed:  # as if the code had been changed
            verbs += [
                step.do("new", lambda: calls.append("new"), undone()),
                step.sleep("new", 1),
                step.sleep_until("until", server.clock.now() + 1),
                step.wait_for_event("new", type="go"),
            ]
            calls.append("replayed")
        await asyncio.gather(*verbs)

    server = await serve(run, file=True)
    instance = await server[run.__name__].create(id="i")
    await began.wait()
    server.engine.residents.actors[1].terminate(roll_back=True)
    await server.engine.store.flushed()
    killed.append(True)
    await server.restart()
    status = await server.settled(await server.get("i"))
    assert ["work", "replayed"] == calls
    # Before the kill no handler was begun, or the first one; attempts that were cut off are repeated.
    assert ["work", "b", "a"] == list(dict.fromkeys(undone.names))
    assert ("terminated", ("complete", None)) == (status.status, outcome(status))
    assert not [entry for entry in await server.journal(await server.get(instance.id)) if "new" in entry]


async def test_a_handler_that_is_gone(serve):
    """The code was changed meanwhile: the platform's error, and the chain ends."""
    undone, changed = Undone(), []

    async def run(step):
        await step.do("a", lambda: 1, undone())
        if not changed:
            await step.do("b", lambda: 2, undone())
        await step.sleep("nap", "1 day")

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance(1)
    changed.append(True)
    await instance.terminate(rollback=True)
    status = await server.finish(instance)
    assert ([], "terminated", ("failed", MISSING)) == (undone.names, status.status, outcome(status))
    assert ["rollback_step_started b-1", "rollback_step_errored b-1", "rollback_errored"] == (
        await rolled_back(server, instance)
    )[1:]


async def test_what_is_undone_is_not_missed(serve):
    """A step whose handler has run may go from the code: the rollback goes on with the next one."""
    undone, changed = Undone(), []
    handlers = [undone(failing=1), undone()]

    async def run(step):
        await step.do("a", lambda: 1, handlers[0])
        if not changed:
            await step.do("b", lambda: 2, handlers[1])
        fail()

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance(1)
    changed.append(True)
    assert ("complete", None) == outcome(await server.finish(instance))
    assert ["b", "a", "a"] == undone.names


async def test_steps_within_a_callback_are_undone_by_the_run_that_called_them(serve):
    """Even if another handler has to be looked for; a replay does not call the callback, and does not find them."""
    undone, changed = Undone(), []

    async def run(step):
        async def outer():
            await step.do("inner", lambda: 1, undone())

        await step.do("a", lambda: 1, None if changed else undone())
        await step.sleep("nap", "1 day")
        await step.do("outer", outer)
        fail()

    server = await serve(run, evict_after_ms=0)
    instance = await server.create()
    await server.clock.advance(1)
    changed.append(True)
    status = await server.finish(instance)
    assert (["inner"], ("failed", MISSING)) == (undone.names, outcome(status))


async def test_an_interrupted_attempt_of_a_handler_counts(serve):
    """By the rule of steps: with no retries it is repeated once, since it was cut off; then it fails."""
    attempts = []
    began = asyncio.Event()

    async def run(step):
        async def die():
            attempts.append(len(attempts))
            began.set()
            await asyncio.Event().wait()

        await step.do("a", lambda: 1, rollback=die, rollback_config=ONCE)
        fail()

    server = await serve(run, file=True)
    instance = await server[run.__name__].create(id="i")
    for _ in range(2):
        await began.wait()
        began.clear()
        await server.restart()
    status = await server.finish(await server.get(instance.id))
    assert [0, 1] == attempts
    expected = ("WorkflowInternalError", "Attempt failed due to internal workflows error")
    assert ("failed", expected) == outcome(status)


class Saga:
    """A workflow that fails, or is terminated, and effects that survive the death of its server."""

    def __init__(self, terminate):
        self.terminate = terminate
        self.effects = Counter()

    async def run(self, step):
        def undo(failing):
            async def handler(rollback):
                name = rollback.step_name
                self.effects[name] += 1
                assert rollback.output == (name[:-2] if name[0] in "abc" else None)
                if failing and self.effects[name] == 1:
                    fail()

            return handler

        await step.do("a", lambda: "a", rollback=undo(False))
        await asyncio.gather(
            step.do("b", lambda: "b", rollback=undo(True)),
            step.do("c", lambda: "c", rollback=undo(False)),
        )
        if self.terminate:
            await step.sleep("nap", "1 day")
        await step.do("x", ONCE, lambda: fail(), {"rollback": undo(True)})

    def program(self):
        async def run(step):
            await self.run(step)

        return run

    async def live(self, server):
        try:
            instance = await server["run"].create(id="i")
        except WorkflowError:
            instance = await server.get("i")
        await server.clock.settle()
        if self.terminate:
            with suppress(WorkflowError):
                await instance.terminate({"rollback": True})
        return await server.finish(instance)


@pytest.mark.parametrize("terminate", [False, True])
@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_killed_after_any_commit_everything_is_undone(serve, monkeypatch, terminate, evict_after_ms):
    """The same end; what was undone is not undone again; the order stays; each attempt that began counts."""
    over, commits = False, 0
    while not over:
        saga = Saga(terminate)
        server = await serve(saga.program(), file=True, evict_after_ms=evict_after_ms)
        with monkeypatch.context() as patch:
            over = await _lives(saga, server, patch, commits)
        await server.kill()
        calls = saga.effects.copy()
        store = InstanceStore(await open_database(server.path))
        before = InstanceState.fold(await store.journal(1))
        await store.close()
        await server.start()
        status = await saga.live(server)
        assert ("terminated" if terminate else "errored", ("complete", None)) == (status.status, outcome(status))
        after = (await server.state(await server.get("i"))).rollback
        assert (["c-1", "b-1", "a-1"] if terminate else ["x-1", "c-1", "b-1", "a-1"]) == list(after.steps)
        for name, step in after.steps.items():
            assert saga.effects[name] <= step.attempts <= calls[name] + 3
            if before.rollback is not None and name in before.rollback.steps and before.rollback.steps[name].done:
                assert calls[name] == saga.effects[name]
        await server.stop()
        commits += 1
    assert commits > 10


async def _lives(saga, server, monkeypatch, commits):
    """Whether it came to its end in this many commits; after them nothing is written any more."""
    life, death = (
        asyncio.ensure_future(saga.live(server)),
        asyncio.ensure_future(Death(monkeypatch, commits).came.wait()),
    )
    await asyncio.wait({life, death}, return_when=asyncio.FIRST_COMPLETED)
    death.cancel()
    ended = life.done()
    life.cancel()
    return ended


async def test_an_attempt_of_a_handler_is_durable_before_it_starts(serve):
    """So a handler that kills the process every time runs out of attempts."""
    seen = []

    async def run(step):
        async def look():
            seen.extend(await server.engine.store.journal(1))

        await step.do("a", lambda: 1, rollback=look)
        fail()

    server = await serve(run)
    await server.finish(await server.create())
    assert ["rollback_started", "rollback_step_started", "rollback_attempt_started"] == [e.type for e in seen[-3:]]


async def test_a_teardown_of_the_loop_writes_nothing(serve):
    """All tasks cancelled at any moment: the next process undoes the rest."""
    for turns in range(0, 150, 9):
        saga = Saga(terminate=False)
        server = await serve(saga.program(), file=True)
        await server["run"].create(id="i")
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.cancel_all()
        await server.engine.store.flushed()
        await server.restart()
        assert ("complete", None) == outcome(await server.finish(await server.get("i")))
        await server.stop()


def test_an_entry_of_a_rollback_that_never_started_is_refused():
    """The error names the entry."""
    with pytest.raises(ValueError, match=r"Journal entry 1 \(rollback_completed\) comes before rollback_started"):
        InstanceState().apply(Entry(1, 0, "rollback_completed"))
