"""The table of the journal's entries, against all that names them elsewhere."""

import asyncio
from typing import get_args, get_type_hints

import pytest

from cfworkflows.types import STATUSES, EventType
from cfworkflows_emulator.cli.workflows.online import LAST
from cfworkflows_emulator.engine.journal.entries import ENTRIES, EVENT_TYPES, STARTS, TERMINAL, UNDOING, EntryType
from cfworkflows_emulator.engine.journal.state import _APPLY, Status


def misfit(entry):
    """What is wrong with the data of an entry, by the table; nothing, it is hoped."""
    shape = ENTRIES[entry.type].data
    missing, unknown = shape.__required_keys__ - entry.data.keys(), entry.data.keys() - get_type_hints(shape).keys()
    return {entry.type: (missing, unknown)} if missing or unknown else {}


def test_every_type_has_its_line_and_its_fold():
    """What the enumeration has, the table and the state know too, and nothing else."""
    assert list(EntryType) == list(ENTRIES)
    assert set(EntryType) == set(_APPLY)


def test_the_sdk_names_the_same_events():
    """The SDK cannot import the emulator, so it has the list once more."""
    assert set(get_args(EventType)) == EVENT_TYPES


def test_the_sdk_names_the_same_statuses():
    """For the same reason."""
    assert set(STATUSES) == set(Status)


def test_the_command_line_ends_with_the_same_events():
    """`cfwf workflows instances watch` imports no engine: that takes longer than to ask a server."""
    assert set(LAST) == TERMINAL < EVENT_TYPES


def test_each_kind_of_step_begins_with_one_entry():
    """By which a replay, a restart from a step and a rehearsal know it."""
    assert {"step_started": "do", "sleep_started": "sleep", "wait_started": "wait"} == STARTS


@pytest.mark.parametrize("type", sorted(UNDOING))
def test_the_undoing_of_a_step_is_told_under_the_names_of_steps(type):
    """With `rollback_` in front, as on the platform."""
    assert f"rollback_{type}" == UNDOING[type]


async def test_what_is_written_has_the_shape_that_the_table_says(serve):
    """A journal with nearly all there is: attempts, streams, sleeps, waits, a pause, a restart, a rollback."""

    async def stream():
        yield b"bytes"

    async def run(event, step):
        @step.do("outer")
        async def outer():
            return await step.do("inner", lambda: 1)

        await outer()
        await step.do("stream", stream)
        await step.sleep("nap", "1 hour")
        await step.sleep_until("later", event.timestamp.timestamp() * 1000 + 7_200_000)
        await step.wait_for_event("go", type="go")
        await asyncio.gather(
            step.do("flaky", {"retries": {"limit": 1, "delay": "1 minute"}}, lambda: 1 / 0, rollback=undo),
            step.wait_for_event("never", type="never", timeout="1 day"),
        )

    tries = []

    async def undo():
        tries.append(1)
        if len(tries) == 1:
            raise ValueError("not yet")

    server = await serve(run)
    instance = await server.create(id="i")
    await server.clock.settle()
    await instance.pause()
    await server.clock.settle()
    await instance.resume()
    await instance.send_event(type="go", payload=1)
    await server.engine.skip("run", "i", "nap-1", "sleep")
    await server.finish(instance)
    _, entries = await server.engine.history("run", "i")
    await instance.restart(from_={"name": "nap", "type": "sleep"})
    await instance.send_event(type="go", payload=2)
    await server.finish(instance)
    entries += (await server.engine.history("run", "i"))[1]
    assert {} == {kind: wrong for entry in entries for kind, wrong in misfit(entry).items()}
    unseen = {"wait_timed_out", "replay_diverged", "workflow_completed", "workflow_terminated", "rollback_errored"}
    assert unseen | {"step_abandoned"} == set(EntryType) - {entry.type for entry in entries} - {"rollback_step_errored"}
    assert {str} == {type(entry.type) for entry in entries}  # exactly: the database would take longer for another
