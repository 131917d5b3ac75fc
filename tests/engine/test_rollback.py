"""Rollback: handlers undo the steps in reverse order, whatever happens meanwhile."""

import asyncio
import dataclasses
import threading
from collections import Counter
from contextlib import suppress

import pytest
from world import ENDED, Death

from cfworkflows import NonRetryableError, WorkflowError, WorkflowFatalError
from cfworkflows_emulator.engine import open_database
from cfworkflows_emulator.engine.state import InstanceState
from cfworkflows_emulator.storage import Entry, InstanceStore

ONCE = {"retries": {"limit": 0, "delay": 0}}
TERMINATED = ("Terminated", "Instance terminated during rollback")
MISSING = ("RollbackMissing", "Rollback function not available in registry")


@dataclasses.dataclass
class Reservation:
    id: int


def fail():
    raise ValueError("no money")


class Undone:
    """Handlers that note the name of their step and, in `calls`, what they got."""

    def __init__(self):
        self.names = []
        self.calls = []

    def __call__(self, failing=0, with_error=ValueError):
        left = [failing]

        async def undo(rollback):
            self.names.append(rollback.ctx.step.name)
            self.calls.append(rollback)
            if left[0]:
                left[0] -= 1
                raise with_error("cannot undo")

        return {"rollback": undo}


def outcome(status):
    error = status.rollback.error
    return status.rollback.outcome, error and (error.name, error.message)


async def until(server, instance, status):
    """Let time pass until the instance has a status."""
    while (found := (await server.settled(instance)).status) != status:
        assert found not in ENDED
        await server.clock.advance_to_next()


async def rolled_back(server, instance):
    """The entries of the journal that tell of the rollback and of the end."""
    return [entry for entry in await server.journal(instance) if entry.startswith(("rollback", "workflow_e"))]


async def test_handlers_run_in_reverse_order_of_the_starts(serve):
    """Parallel steps too; the failing step's own comes first, and a step without a handler has none."""
    undone = Undone()

    async def run(step):
        await step.do("one", lambda: 1, undone())
        await step.do("plain", lambda: 1)
        await asyncio.gather(step.do("p1", lambda: 1, undone()), step.do("p2", lambda: 2, undone()))
        await step.do("bad", ONCE, lambda: fail(), undone())

    server = await serve(run)
    status = await server.finish(await server.create())
    assert ["bad", "p2", "p1", "one"] == undone.names
    assert ("errored", "ValueError", "no money") == (status.status, status.error.name, status.error.message)
    assert ("complete", None) == outcome(status)


async def test_the_handlers_do_not_overlap(serve):
    """The next one starts when the one before has ended."""
    seen = []

    async def run(step):
        async def undo(rollback):
            seen.append(f"{rollback.step_name} in")
            for _ in range(20):
                await asyncio.sleep(0)
            seen.append(f"{rollback.stepName} out")

        for _ in range(2):
            await step.do("x", lambda: 1, rollback=undo)
        fail()

    server = await serve(run)
    await server.finish(await server.create())
    assert ["x-2 in", "x-2 out", "x-1 in", "x-1 out"] == seen


async def test_the_journal_of_a_rollback(serve):
    """The platform's events, all of them before `workflow_errored`."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone(failing=1), rollback_config={"retries": {"limit": 1, "delay": 100}})
        fail()

    server = await serve(run)
    instance = await server.create()
    await server.finish(instance)
    assert [
        "rollback_started",
        "rollback_step_started a-1",
        "rollback_attempt_started a-1",
        "rollback_attempt_errored a-1",
        "rollback_attempt_started a-1",
        "rollback_attempt_completed a-1",
        "rollback_step_completed a-1",
        "rollback_completed",
        "workflow_errored",
    ] == await rolled_back(server, instance)


async def test_what_a_handler_is_given(serve):
    """The forward step's context, the error that set it off, and the output with its class; None if there is none."""
    undone = Undone()

    async def run(step):
        async def reserve() -> Reservation:
            return Reservation(7)

        async def bad(ctx):
            fail()

        await step.do("reserve", {"timeout": "1 minute"}, reserve, undone())
        await step.do("bad", {"retries": {"limit": 2, "delay": lambda _: 1000}}, bad, undone())

    server = await serve(run)
    await server.finish(await server.create())
    bad, reserve = undone.calls
    assert (None, 3, "ValueError", "no money") == (
        bad.output,
        bad.ctx.attempt,
        type(bad.error).__name__,
        str(bad.error),
    )
    assert {"retries": {"limit": 2, "backoff": "exponential"}, "timeout": "10 minutes"} == bad.ctx.config
    assert (Reservation(7), "1 minute", 1) == (reserve.output, reserve.ctx.config["timeout"], reserve.ctx.attempt)
    assert ("reserve-1", {"name": "reserve", "count": 1}) == (reserve.step_name, reserve.ctx.step)


async def test_every_form_of_a_handler(serve):
    """With one argument or none; async, a lambda called inline, a plain def in a thread, in the decorator too."""
    seen = []

    async def run(step):
        async def coroutine():
            seen.append("coroutine")

        def in_thread(rollback):
            seen.append(("thread", threading.current_thread() is threading.main_thread(), rollback.output))

        def by_name(*, ctx):
            seen.append(("keyword", ctx.output))
            return object()  # what it returns is of no interest

        await step.do("1", lambda: 1, {"rollback": coroutine})
        await step.do("2", lambda: 2, rollback=in_thread)
        await step.do("3", lambda: 3, rollback=by_name)
        await step.do("4", lambda: 4, rollback=lambda: seen.append(threading.current_thread().name))

        @step.do("5", rollback=lambda rollback: seen.append(rollback.output))
        async def decorated():
            return 5

        await decorated()
        fail()

    server = await serve(run)
    assert ("complete", None) == outcome(await server.finish(await server.create()))
    assert [5, "MainThread", ("keyword", 3), ("thread", False, 2), "coroutine"] == seen


async def test_a_handler_that_asks_for_more_is_refused_at_the_call(serve):
    """The error is that of the step's call."""

    async def run(step):
        with pytest.raises(WorkflowFatalError, match=r"rollback handler asks for 2 arguments \(output, error\)"):
            step.do("a", lambda: 1, rollback=lambda output, error: None)

    server = await serve(run)
    await server.run()


async def test_retries_and_delays(serve):
    """Under the handler's own configuration; the step's is not inherited."""
    undone, times = Undone(), []

    async def run(step):
        async def undo():
            times.append(server.clock.now())
            if len(times) < 4:
                fail()

        config = {"retries": {"limit": 3, "delay": "1 second", "backoff": "linear"}}
        await step.do("first", lambda: 1, undone(failing=1))
        await step.do("a", ONCE, lambda: 1, {"rollback": undo, "rollbackConfig": config})
        fail()

    server = await serve(run)
    began = server.clock.now()
    status = await server.finish(await server.create())
    assert [0, 1000, 3000, 6000] == [time - began for time in times]
    assert 16_000 == server.clock.now() - began  # the default: the first retry after 10 seconds
    assert ("complete", None) == outcome(status)


async def test_a_delay_function_of_a_handler(serve):
    """It is asked as a step's is, and told the attempt of the handler."""
    undone, asked = Undone(), []
    handler = undone(failing=2)

    async def run(step):
        config = {"retries": {"limit": 2, "delay": lambda it: asked.append(it.ctx.attempt) or "1 minute"}}
        await step.do("a", lambda: 1, handler, rollback_config=config)
        fail()

    server = await serve(run)
    assert ("complete", None) == outcome(await server.finish(await server.create()))
    assert ([1, 2], 3) == (asked, len(undone.names))


async def test_the_chain_ends_at_the_first_handler_that_fails(serve):
    """The outcome tells its error; the instance's own error stays."""
    undone = Undone()

    async def run(step):
        await step.do("one", lambda: 1, undone())
        await step.do("two", lambda: 2, undone(failing=9), rollback_config={"retries": {"limit": 1, "delay": 1}})
        raise KeyError("outside")

    server = await serve(run)
    instance = await server.create()
    status = await server.finish(instance)
    assert ["two", "two"] == undone.names
    assert ("errored", {"name": "KeyError", "message": "outside"}) == (status.status, status.error)
    assert ("failed", ("ValueError", "cannot undo")) == outcome(status)
    assert ["rollback_step_errored two-1", "rollback_errored", "workflow_errored"] == (
        await rolled_back(server, instance)
    )[-3:]


async def test_a_non_retryable_error_of_a_handler(serve):
    """Ends it at once."""
    undone = Undone()

    async def run(step):
        await step.do("one", lambda: 1, undone())
        await step.do("two", lambda: 2, undone(failing=1, with_error=NonRetryableError))
        fail()

    server = await serve(run)
    status = await server.finish(await server.create())
    assert (["two"], ("failed", ("NonRetryableError", "cannot undo"))) == (undone.names, outcome(status))


async def test_a_handler_times_out(serve):
    """After the timeout of its own configuration."""
    began = asyncio.Event()

    async def run(step):
        async def hang():
            began.set()
            await asyncio.Event().wait()

        config = {"retries": {"limit": 0, "delay": 0}, "timeout": "5 seconds"}
        await step.do("a", lambda: 1, rollback=hang, rollback_config=config)
        fail()

    server = await serve(run)
    instance = await server[run.__name__].create()
    await server.time_out(began)
    status = await server.settled(instance)
    assert ("failed", ("WorkflowTimeoutError", "Execution timed out after 5000ms")) == outcome(status)


@pytest.mark.parametrize("error", [NonRetryableError("fatal"), TimeoutError("late"), SystemExit(1)])
async def test_any_error_that_leaves_run_sets_it_off(serve, error):
    """Also those that no step raised."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone())
        raise error

    server = await serve(run)
    status = await server.finish(await server.create())
    assert (["a"], "errored", type(error).__name__) == (undone.names, status.status, status.error.name)


async def test_what_sets_off_no_rollback(serve):
    """A success, an error that was caught, an output that cannot be stored, a plain terminate."""
    undone = Undone()

    async def success(step):
        await step.do("a", lambda: 1, undone())

    async def caught(step):
        await success(step)
        with suppress(ValueError):
            await step.do("bad", ONCE, lambda: fail(), undone())

    async def unstorable(step):
        await success(step)
        return object()

    async def terminated(step):
        await success(step)
        await step.sleep("nap", "1 day")

    server = await serve(success, caught, unstorable, terminated)
    for workflow, end in zip(server.classes, ("complete", "complete", "errored", "terminated"), strict=True):
        instance = await server[workflow].create()
        if workflow is server.classes[-1]:
            await server.clock.settle()
            await instance.terminate({"rollback": "yes"})  # as on the platform, only True counts
        status = await server.finish(instance)
        assert (end, None) == (status.status, status.rollback)
        assert not [entry for entry in await server.journal(instance) if entry.startswith("rollback")]
    assert [] == undone.names


async def test_without_handlers_there_is_no_rollback(serve):
    """Neither after an error, nor after a terminate that asks for one."""

    async def run(step):
        await step.do("a", lambda: 1)
        await step.sleep("nap", "1 day")
        fail()

    server = await serve(run)
    instance = await server.create()
    await instance.terminate(rollback=True)
    assert ("terminated", None) == ((status := await instance.status()).status, status.rollback)
    assert None is (await server.finish(await server.create())).rollback


@pytest.mark.parametrize("rest", ["sleep", "wait", "retry", "paused", "evicted"])
async def test_terminate_with_rollback(serve, rest):
    """From whatever the instance is doing: the handlers see the platform's error, the status ends as terminated."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone())
        if rest == "wait":
            await step.wait_for_event("go", type="go")
        elif rest == "retry":
            await step.do("bad", lambda: fail(), undone())
        else:
            await step.sleep("nap", "1 day")

    server = await serve(run)
    instance = await server.create()
    if rest == "paused":
        await instance.pause()
    elif rest == "evicted":
        await server.clock.advance("1 minute")
        assert not server.engine.residents.instances
    await instance.terminate({"rollback": True})
    status = await server.settled(instance)
    assert (["bad", "a"] if rest == "retry" else ["a"]) == undone.names
    assert ("terminated", ("complete", None)) == (status.status, outcome(status))
    assert (Exception, TERMINATED[1]) == (type(undone.calls[0].error), str(undone.calls[0].error))
    assert ["rollback_completed", "workflow_terminated"] == (await server.journal(instance))[-2:]


@pytest.mark.parametrize("end", ["terminate", "error"])
async def test_a_step_that_is_at_work_is_cut_off_and_undone(serve, end):
    """Its output is None, and nothing of it happens after its handler."""
    seen, undone = [], Undone()
    began, go_on = asyncio.Event(), asyncio.Event()

    async def run(step):
        async def work():
            began.set()
            try:
                await go_on.wait()
                seen.append("went on")
            finally:
                seen.append("cut off")

        task = step.do("work", work, undone())
        await began.wait()
        if end == "error":
            fail()
        await task

    server = await serve(run)
    instance = await server[run.__name__].create()
    await began.wait()
    if end == "terminate":
        await instance.terminate({"rollback": True})
    status = await server.settled(instance)
    go_on.set()
    assert ("terminated" if end == "terminate" else "errored") == status.status
    assert (["work"], None, 1) == (undone.names, undone.calls[0].output, undone.calls[0].ctx.attempt)
    assert ["cut off"] == seen


async def test_while_it_runs_the_status_is_rolling_back(serve):
    """There is no outcome and no error yet."""
    undone = Undone()

    async def run(step):
        await step.do("a", lambda: 1, undone(failing=1))
        fail()

    server = await serve(run)
    instance = await server.create()
    assert {"status": "rollingBack", "output": None, "error": None, "rollback": None} == await instance.status()
    assert "rollingBack" == (await server.engine.list("run"))[0].status
    assert {
        "status": "errored",
        "output": None,
        "error": {"name": "ValueError", "message": "no money"},
        "rollback": {"outcome": "complete", "error": None},
    } == await server.finish(instance)


@pytest.mark.parametrize("verb", ["do", "sleep", "sleep_until", "wait_for_event"])
async def test_steps_cannot_be_called_by_a_handler(serve, verb):
    """It fails at once, and says why."""
    arguments = {"do": [lambda: 1], "sleep": [1], "sleep_until": [2e15], "wait_for_event": ["go"]}[verb]

    async def run(step):
        await step.do("a", lambda: 1, rollback=lambda: getattr(step, verb)("inner", *arguments))
        fail()

    server = await serve(run)
    status = await server.finish(await server.create())
    assert ("failed", ("WorkflowFatalError", "Cannot execute steps during rollback phase")) == outcome(status)


@pytest.mark.parametrize("replayed", [False, True])
async def test_steps_cannot_be_called_by_run_meanwhile(serve, replayed):
    """Not even where it cleans up."""
    raised, undone = [], Undone()

    async def run(step):
        try:
            await step.do("a", lambda: 1, undone())
            await step.sleep("nap", "1 day")
        finally:
            try:
                await step.do("clean up", lambda: 1)
            except WorkflowFatalError as error:
                raised.append(str(error))

    server = await serve(run, evict_after_ms=0 if replayed else None)
    instance = await server.create()
    if replayed:
        await server.clock.advance(1)
    await instance.terminate(rollback=True)
    assert ("complete", None) == outcome(await server.settled(instance))
    assert ["Cannot execute steps during rollback phase"] == raised
    assert "step_started clean up-1" not in await server.journal(instance)


# Lifecycle


async def _in_a_retry_delay(serve, **options):
    """A server with an instance whose second handler waits for its retry."""
    undone = Undone()
    handlers = {name: undone(failing=1 if name == "a" else 0) for name in "ab"}

    async def run(step):
        await step.do("first", lambda: 1)
        await step.do("a", lambda: 1, handlers["a"])
        await step.do("b", lambda: 2, handlers["b"])
        fail()

    server = await serve(run, **options)
    instance = await server.create(id="i")
    assert ["b", "a"] == undone.names
    return server, instance, undone


async def test_pause_and_resume_do_nothing_meanwhile(serve):
    """As with an instance that has ended."""
    server, instance, _ = await _in_a_retry_delay(serve)
    before = await server.journal(instance)
    await instance.pause()
    await instance.resume()
    assert "rollingBack" == (await server.settled(instance)).status
    assert before == await server.journal(instance)
    assert ("complete", None) == outcome(await server.finish(instance))


async def test_an_event_is_refused_meanwhile(serve):
    """Nobody will wait for it."""
    _, instance, _ = await _in_a_retry_delay(serve)
    with pytest.raises(WorkflowError, match=r"\(instance.not_running\) .* it is rollingBack"):
        await instance.send_event(type="go")


@pytest.mark.parametrize("evict_after_ms", [None, 0])
async def test_terminate_gives_up_the_rest(serve, evict_after_ms):
    """It says so in the outcome; to ask for a rollback is refused, there is one."""
    server, instance, undone = await _in_a_retry_delay(serve, evict_after_ms=evict_after_ms)
    with pytest.raises(WorkflowError, match=r"\(instance.cannot_terminate\) .* rolling back already"):
        await instance.terminate({"rollback": True})
    assert "rollingBack" == (await instance.status()).status
    await instance.terminate()
    status = await server.settled(instance)
    assert ("terminated", ("failed", TERMINATED)) == (status.status, outcome(status))
    await server.clock.advance("1 hour")
    assert ["b", "a"] == undone.names
    with pytest.raises(WorkflowError, match="finite state"):
        await instance.terminate({"rollback": True})


async def test_restart_begins_anew(serve):
    """Nothing of the rollback is left; it may come to another one."""
    server, instance, undone = await _in_a_retry_delay(serve)
    await instance.restart()
    status = await server.finish(instance)
    assert ["b", "a", "b", "a"] == undone.names
    assert ("errored", ("complete", None)) == (status.status, outcome(status))


async def test_terminate_takes_only_its_option(serve):
    """Anything else is a mistake of the caller's."""
    _, instance, _ = await _in_a_retry_delay(serve)
    with pytest.raises(TypeError, match="does not know rolback; it takes rollback"):
        await instance.terminate({"rolback": True})
    with pytest.raises(TypeError, match="takes an object with rollback"):
        await instance.terminate(True)


# Crashes and evictions


@pytest.mark.parametrize("way", ["evict", "kill"])
async def test_the_retry_delay_of_a_handler_survives(serve, way):
    """The handlers are found again by a replay in which no step is repeated; what is undone is not undone twice."""
    server, instance, undone = await _in_a_retry_delay(serve, file=True, evict_after_ms=0 if way == "evict" else None)
    began = server.clock.now()
    if way == "kill":
        await instance.status()  # that it is parked is on disk now
        await server.restart()
        instance = await server.get("i")
    else:
        await server.clock.advance(1)
    assert ("rollingBack", None) == ((status := await server.settled(instance)).status, status.rollback)
    assert not server.engine.residents.instances  # its time has not come
    assert ("complete", None) == outcome(await server.finish(instance))
    assert (["b", "a", "a"], 10_000) == (undone.names, server.clock.now() - began)
    assert 1 == (await server.journal(instance)).count("attempt_started first-1")


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
    server.engine.residents.instances[1].terminate(roll_back=True)
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
