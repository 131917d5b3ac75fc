"""What our Local Explorer API has beyond the platform's: skip, timeline, export and import."""

import copy
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter
from shop import BASE, Explorer, served
from world import TestEngine

from cfworkflows import ReadableStream, Response, WorkflowError
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.explorer.transfer import InstanceDocument, export_instance, import_instance

INSTANCES = f"{BASE}/workflows/orders/instances"


async def created(explorer: Explorer, id: str = "i") -> str:
    """An instance that waits for its next attempt; its path."""
    await explorer.orders.create(id=id, params={"n": 1})
    await explorer.clock.settle()
    return f"{INSTANCES}/{id}"


async def test_time_is_skipped_step_by_step(explorer: Explorer) -> None:
    """A retry delay, a sleep, and a wait; then there is nothing left."""
    path = await created(explorer)
    found = []
    for body in ({}, {"step": "nap", "type": "sleep"}, None):
        status, answer = await explorer.send("POST", f"{path}/skip", body)
        await explorer.clock.settle()
        found.append((status, answer["result"]["type"], answer["result"]["step"]))
    assert [(200, "step", "flaky-1"), (200, "sleep", "nap-1"), (200, "waitForEvent", "answer-1")] == found
    status, answer = await explorer.send("POST", f"{path}/skip", {})
    assert (409, True) == (status, "nothing to skip: the instance is errored" in answer["errors"][0]["message"])
    assert 404 == (await explorer.send("POST", f"{INSTANCES}/nobody/skip", {}))[0]
    assert 400 == (await explorer.send("POST", f"{path}/skip", {"type": "do"}))[0]


async def test_a_timeline_tells_all(explorer: Explorer) -> None:
    """At each point of its life it has the type that the description says, and nothing sensitive."""
    path = await created(explorer)
    known = TypeAdapter(results.Timeline)

    async def timeline() -> dict:
        _, answer = await explorer.get(f"{path}/timeline")
        known.validate_python(answer["result"], strict=True)
        assert "s3cret" not in str(answer)
        return answer["result"]

    shown = await timeline()
    assert ("orders", "i", "waiting", {"source": "binding"}) == tuple(
        shown[key] for key in ("workflow", "id", "status", "trigger")
    )
    charge, secret, flaky = shown["steps"]
    assert ("charge-1", "complete") == (charge["name"], charge["state"])
    assert {"at": "2026-01-01T00:00:00.000Z", "raw": "[2 bytes]", "n": "nan"} == charge["output"]
    assert ("[REDACTED]", 8) == (secret["output"], secret["bytes"])
    assert ("retrying", shown["wake"]) == (flaky["state"], flaky["until"])
    assert flaky["at"].endswith("entry.py:15")
    (attempt,) = flaky["attempts"]
    assert (1, False, 1000, "ValueError", "once") == (
        attempt["attempt"], attempt["success"], attempt["retry_delay_ms"], attempt["error"]["name"],
        attempt["error"]["message"],
    )  # fmt: skip
    assert "entry.py" in attempt["error"]["traceback"]

    await explorer.clock.advance("1 second")
    nap = (await timeline())["steps"][-1]
    assert ("sleeping", False) == (nap["state"], nap["skipped"])
    await explorer.send("POST", f"{path}/skip", {})
    await explorer.clock.settle()
    shown = await timeline()
    assert [("complete", True), ("waiting", False)] == [
        (each["state"], each["skipped"]) for each in shown["steps"][-2:]
    ]
    assert ("answer", 86_400_000) == (shown["steps"][-1]["event_type"], shown["steps"][-1]["timeout_ms"])

    await explorer.send("POST", f"{path}/events/other", [1])
    assert [("other", [1])] == [(each["type"], each["payload"]) for each in (await timeline())["events"]]
    await explorer.send("POST", f"{path}/events/answer", "undo")
    await explorer.clock.settle()
    await explorer.clock.advance("1 hour")
    shown = await timeline()
    assert ("undo", "errored") == (shown["steps"][4]["output"], shown["status"])
    assert ("ValueError", "as told") == (shown["error"]["name"], shown["rollback"]["cause"]["message"])
    assert ("failed", "ZeroDivisionError") == (shown["rollback"]["outcome"], shown["rollback"]["error"]["name"])
    (undo,) = shown["rollback"]["steps"]
    assert ("rollback", "refund-1", "errored", 6) == (
        undo["type"],
        undo["name"],
        undo["state"],
        len(undo["attempts"]),
    )


async def test_an_instance_goes_on_elsewhere(tmp_path: Path) -> None:
    """With what it had: finished steps do not run again, and its sleep ends when it would have."""
    async with served(tmp_path) as explorer:
        path = await created(explorer)
        await explorer.clock.advance("30 minutes")
        status, exported = await explorer.get(f"{path}/export")
    assert (200, "orders", "i", "waiting") == (
        status,
        *(exported["result"][key] for key in ("workflow", "id", "status")),
    )
    async with served(tmp_path) as other:
        await other.clock.advance("30 minutes")
        status, answer = await other.send("POST", f"{INSTANCES}/import", exported["result"])
        assert (200, {"id": "i"}) == (status, answer["result"])
        await other.clock.settle()
        _, again = await other.get(f"{path}/export")
        assert exported["result"]["journal"] == again["result"]["journal"]
        status, answer = await other.send("POST", f"{INSTANCES}/import", exported["result"])
        assert (400, True) == (status, "already exists" in answer["errors"][0]["message"])
        assert 200 == (await other.send("POST", f"{INSTANCES}/import?id=second", exported["result"]))[0]
        await other.clock.advance("29 minutes")
        assert "nap-1" == (await other.get(f"{path}/timeline"))[1]["result"]["steps"][-1]["name"]
        await other.clock.advance("1 hour")
        for id in ("i", "second"):
            await other.send("POST", f"{INSTANCES}/{id}/events/answer", {"ok": id})
            await other.clock.settle()
            ended = (await other.get(f"{INSTANCES}/{id}/timeline"))[1]["result"]
            assert ("complete", {"ok": id}) == (ended["status"], ended["output"])
            assert 2 == len(ended["steps"][2]["attempts"])


async def test_an_ended_instance_is_kept_for_its_retention(explorer: Explorer) -> None:
    """From its import on: otherwise an old one would be gone at once."""
    path = await created(explorer)
    await explorer.send("PATCH", f"{path}/status", {"status": "terminate"})
    _, exported = await explorer.get(f"{path}/export")
    await explorer.clock.advance("8 days")
    assert 404 == (await explorer.get(path))[0]
    assert 200 == (await explorer.send("POST", f"{INSTANCES}/import", exported["result"]))[0]
    await explorer.clock.advance("6 days")
    assert 200 == (await explorer.get(path))[0]
    await explorer.clock.advance("2 days")
    assert 404 == (await explorer.get(path))[0]


def deep(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("place", "value", "problem"),
    [
        (("format",), 2, "exported in format 2, and this version"),
        (("format",), None, "This is not an exported instance"),
        (("journal",), [], "too short|Too small"),
        (("journal", 1, "type"), "step_imagined", "is a 'step_imagined', which cfworkflows"),
        (("journal", 1, "seq"), 1, "entry 1 comes behind entry 1"),
        (("journal", 1, "time"), "yesterday", "journal.1.time"),
        (("journal", 0, "data"), {}, "does not begin with `workflow_queued`"),
        (("journal", 3, "data"), {}, "entry 4 is wrong in data.config: Field required"),
        (("journal", 3, "data", "config"), [], "entry 4 is wrong in data.config"),
        (("journal", 3, "data", "config", "retries", "limit"), "5", "data.config.retries.limit"),
        (("journal", 3, "data", "config", "retries", "limit"), 2**60, "negative, or too large"),
        (("journal", 3, "data", "config", "retries", "limit"), 20_000, "retries.limit"),
        (("journal", 3, "data", "config", "timeout"), "soon", "data.config: timeout"),
        (("journal", 3, "data", "config", "retries", "delay"), -1, "negative"),
        (("journal", 3, "data", "at"), 7, "data.at"),
        (("journal", 3, "data", "more"), 7, "data.more"),
        (("journal", 3, "data", "branch"), 7, "data.branch"),
        (("journal", 3, "data", "branch"), "0..1", "no path of numbers"),
        (("journal", 3, "step"), "charge", "not a name with its number"),
        (("journal", 3, "step"), "x" * 400 + "-1", "not a name with its number"),
        (("journal", 3, "value"), 1, "has a value, and a step_started has none"),
        (("journal", 0, "value"), deep(300), "more than 200 levels"),
        (("journal", 0, "data", "timestamp"), "now", "data.timestamp"),
        (("journal", 0, "data", "retention"), {"errorRetention": "x"}, "data.retention.errorRetention"),
        (("journal", 0, "data", "schedule"), {"cron": 1}, "data.schedule.cron"),
        (("journal", 1, "time"), 5, "journal.1.time"),
        (("journal", 4, "step"), "other-1", "about other-1, which has not begun"),
        (("journal", 4, "data", "attempt"), True, "data.attempt"),
        (("journal", 4, "data", "attempt"), 0, "attempt 0 of charge-1, whose turn it is not"),
        (("journal", 3, "step"), "\ud800", "not Unicode text"),
        (("journal", 3, "step"), None, "names no step"),
        (("journal", 6, "value"), {"$": "imagined"}, "imagined"),
        (("streams",), [{"step": "charge-1", "attempt": 1, "chunks": ["AA=="]}], "not those that the journal"),
        (("streams",), [{"step": "charge-1", "attempt": 1, "chunks": ["?"]}], "not base64"),
        (("more",), 1, "There is no such field"),
        (("id",), "no id!", "Instance ID is invalid"),
    ],
)
async def test_what_is_no_instance_is_refused(explorer: Explorer, place: tuple, value: object, problem: str) -> None:
    """With 400 and a reason; nothing of it is stored, and the server goes on."""
    path = await created(explorer)
    _, exported = await explorer.get(f"{path}/export")
    document = copy.deepcopy(exported["result"]) | {"id": "other"}
    target = document
    for key in place[:-1]:
        target = target[key]
    target[place[-1]] = value
    status, answer = await explorer.send("POST", f"{INSTANCES}/import", document)
    text = "\n".join(each["message"] for each in answer["errors"])
    assert (400, True) == (status, any(each in text for each in problem.split("|"))), text
    _, answer = await explorer.send("POST", INSTANCES, {"id": "after"})
    assert ["after", "i"] == [each["id"] for each in (await explorer.get(INSTANCES))[1]["result"]], answer


async def test_streams_are_taken_along(serve: Callable[..., Awaitable[TestEngine]]) -> None:
    """Byte for byte, also one that is empty; without its pieces an instance is refused."""

    async def run(step: Any) -> int:
        first = await step.do("full", lambda: ReadableStream([b"\x00\xff" * 200_000]))
        await step.do("empty", lambda: ReadableStream([]))
        await step.sleep("nap", "1 hour")
        return len(await Response(first).bytes())

    server, other = await serve(run), await serve(run)
    await server.create(id="i")
    document = await export_instance(server.engine, "run", "i")
    known = TypeAdapter(InstanceDocument).validate_python(document)
    assert "i" == await import_instance(other.engine, "run", known)
    assert 400_000 == (await other.finish(await other.get("i"))).output
    cut = TypeAdapter(InstanceDocument).validate_python({**document, "streams": []})
    with pytest.raises(WorkflowError, match="not those that the journal tells of"):
        await import_instance(other.engine, "run", cut, "cut")
    document["journal"][0]["value"] = "x" * 2**21
    large = TypeAdapter(InstanceDocument).validate_python(document)
    with pytest.raises(WorkflowError, match="entry 1 has a value of 2MiB, and one has at most 1MiB"):
        await import_instance(other.engine, "run", large, "large")
