"""Every call in every status, as docs/lifecycle.md says: its tables are the data of these tests."""

import asyncio
import dataclasses
import re
from pathlib import Path

import pytest

from cfworkflows import WorkflowError
from cfworkflows_emulator.engine import Status, WorkflowDefinition
from cfworkflows_emulator.engine.journal.entries import EVENT_TYPES

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "lifecycle.md"
FIELDS = ("output", "error", "rollback")
QUEUES = "concurrency_limit" in {field.name for field in dataclasses.fields(WorkflowDefinition)}

CALLS = {
    "pause": lambda instance: instance.pause(),
    "resume": lambda instance: instance.resume(),
    "terminate": lambda instance: instance.terminate(),
    "terminate, rollback": lambda instance: instance.terminate({"rollback": True}),
    "restart": lambda instance: instance.restart(),
    "restart from a step": lambda instance: instance.restart({"from": {"name": "first"}}),
    "send_event": lambda instance: instance.send_event({"type": "other", "payload": 1}),
    "delete": lambda instance: instance.delete(),
    "status": lambda instance: instance.status(),
    "subscribe": lambda instance: instance.subscribe(),
}


def _tables():
    """The tables of the document, each a list of rows, each a dict by the names of the columns."""
    tables = []
    for block in re.findall(r"(?:^\|.*\n)+", DOCUMENT.read_text(), re.MULTILINE):
        head, _, *rows = ([cell.strip() for cell in line.strip("|\n").split("|")] for line in block.splitlines())
        tables.append([dict(zip(head, row, strict=True)) for row in rows])
    return tables


_, TABLE, REFUSALS = _tables()
TEXTS = {row["code"]: row["text"] for row in REFUSALS}
STATUSES = [row["the instance is"] for row in TABLE]
CELLS = [(row["the instance is"], call, row[call]) for row in TABLE for call in CALLS]


class World:
    """A server with an instance in one of the statuses. After a restart it stays in its first step."""

    def __init__(self):
        self.firsts = 0
        self.began, self.work, self.undo = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self, event, step):
        await step.do("first", self.first, {"rollback": self.undone})
        if event.payload == "works":
            await step.do("work", self.works)
        elif event.payload == "sleeps":
            await step.sleep("nap", "1 day")
        elif event.payload == "fails":
            raise ValueError("no")
        return "out"

    async def first(self):
        self.firsts += 1
        if self.firsts > 1:
            await asyncio.Event().wait()

    async def works(self):
        self.began.set()
        await self.work.wait()

    async def undone(self):
        self.began.set()
        await self.undo.wait()

    async def enter(self, serve, status):
        """The server, and an instance of that status."""

        async def run(event, step):
            return await self.run(event, step)

        server = await serve(run, **({"concurrency_limit": 1} if status == "queued" else {}))
        if status == "queued":
            await server["run"].create(id="before", params="works")
            await self.began.wait()
        if status == "errored":
            self.undo.set()
        payload = {"running": "works", "waitingForPause": "works", "rollingBack": "fails", "errored": "fails"}
        payload |= {"complete": "ends"}
        instance = await server["run"].create(id="i", params=payload.get(status, "sleeps"))
        if status in ("running", "waitingForPause", "rollingBack"):
            await self.began.wait()
        elif status != "queued":
            await server.clock.settle()
        if status in ("waitingForPause", "paused"):
            await instance.pause()
        if status == "terminated":
            await instance.terminate()
        if status == "deleted":
            await instance.delete()
        else:
            assert status == (await instance.status()).status
        return server, instance

    async def go_on(self, server, instance):
        """The status once nothing holds the instance up."""
        self.work.set()
        self.undo.set()
        return (await server.settled(instance)).status


def test_the_table_is_whole():
    """Every status of the engine is in it, and one for instances that are gone; so is every call."""
    assert [*Status, "deleted"] == STATUSES
    assert {"the instance is", *CALLS} == set(TABLE[0])
    assert {code for _, _, cell in CELLS if (code := cell.removeprefix("✗ ")) != cell} == set(TEXTS)


@pytest.mark.parametrize(("status", "call", "cell"), CELLS, ids=lambda value: value.replace(" ", "-"))
async def test_each_call_does_in_each_status_what_the_table_says(serve, status, call, cell):
    """The status that is told right after it, or the platform's refusal; then what becomes of it by itself."""
    if status == "queued" and not QUEUES:
        pytest.skip("workflows have no concurrency limit, so that no instance is queued")
    world = World()
    server, instance = await world.enter(serve, status)
    if cell.startswith("✗ "):
        await _refuses(CALLS[call](instance), cell.removeprefix("✗ "), status)
        return
    before = [] if call == "delete" else await server.journal(instance)
    result = await CALLS[call](instance)
    if call == "delete":
        assert "gone" == cell
        await _refuses(instance.status(), "`instance.not_found`", status)
        await server["run"].create(id="i", params="ends")
        return
    if call == "subscribe":
        await _tells(server, instance, result, cell)
        return
    now = await instance.status()
    if call == "status":
        assert re.findall(r"`(\w+)`", cell) == [field for field in FIELDS if now[field] is not None]
        return
    if cell in ("nothing", "kept"):
        assert status == now.status
        assert before + ["event_received"] * (cell == "kept") == await server.journal(instance)
        return
    first, _, then = cell.partition(", then ")
    assert first == f"`{now.status}`"
    if then:
        assert then == f"`{await world.go_on(server, instance)}`"


async def _refuses(call, code, status):
    with pytest.raises(WorkflowError) as caught:
        await call
    name = code.split("`")[1]
    assert (name, f"({name}) {TEXTS[code].format(status=status)}") == (caught.value.code, str(caught.value))


async def _tells(server, instance, subscription, cell):
    told = [type for entry in await server.journal(instance) if (type := entry.split()[0]) in EVENT_TYPES]
    assert told == [(await subscription.next()).value.type for _ in told]
    if cell == "open":
        following = asyncio.create_task(subscription.next())
        await instance.terminate()
        assert not (await following).done
    else:
        assert (cell, True) == (f"`{told[-1]}`", (await subscription.next()).done)
