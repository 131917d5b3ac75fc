"""What the Local Explorer API changes."""

from typing import Any

import pytest
from shop import BASE, Explorer

INSTANCES = f"{BASE}/workflows/orders/instances"


async def status_of(explorer: Explorer, id: str) -> str:
    _, answer = await explorer.get(f"{INSTANCES}/{id}")
    return str(answer["result"]["status"])


async def test_instance_is_created(explorer: Explorer) -> None:
    """With the id and the params that are given, or without any; it says that the API created it."""
    status, answer = await explorer.send("POST", INSTANCES, {"id": "x", "params": {"n": 1}})
    assert (200, {"id": "x"}) == (status, answer["result"])
    async with explorer.session.post(explorer.url + INSTANCES) as bare:
        assert 36 == len((await bare.json())["result"]["id"])
    _, entries = await explorer.project.engine.history("orders", "x")
    assert ("api", '{"n":1}') == (entries[0].data["trigger"], entries[0].value)


@pytest.mark.parametrize("field", ["status", "action"])
async def test_status_is_changed(explorer: Explorer, field: str) -> None:
    """Pause, resume, terminate and restart, with the field of newer and of older clients."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    seen = []
    for change in ("pause", "resume", "terminate", "restart"):
        status, answer = await explorer.send("PATCH", f"{INSTANCES}/a/status", {field: change})
        await explorer.clock.settle()
        seen.append(answer["result"]["status"])
        assert (200, True) == (status, answer["result"]["success"])
    assert ["paused", "terminated"] == [seen[0], seen[2]]
    assert "waiting" == await status_of(explorer, "a")


async def test_instance_restarts_from_a_step(explorer: Explorer) -> None:
    """What came before the step stays; a step that never was is a 409."""
    await explorer.orders.create(id="a")
    await explorer.clock.advance("2 hours")
    status, _ = await explorer.send("PATCH", f"{INSTANCES}/a/status", {"status": "restart", "from": {"name": "flaky"}})
    await explorer.clock.settle()
    _, answer = await explorer.get(f"{INSTANCES}/a")
    assert (200, ["charge-1", "secret-1", "flaky-1"]) == (status, [each["name"] for each in answer["result"]["steps"]])
    status, answer = await explorer.send("PATCH", f"{INSTANCES}/a/status", {"status": "restart", "from": {"name": "x"}})
    assert 409 == status
    assert '(instance.cannot_restart) Step "x" not found' in answer["errors"][0]["message"]


async def test_termination_may_undo(explorer: Explorer) -> None:
    """`rollback` is for terminating only."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    status, _ = await explorer.send("PATCH", f"{INSTANCES}/a/status", {"status": "terminate", "rollback": True})
    assert (200, "terminated") == (status, await status_of(explorer, "a"))


async def test_event_reaches_its_wait(explorer: Explorer) -> None:
    """The body is the payload, whatever JSON it is; no body is no payload."""
    await explorer.orders.create(id="a")
    await explorer.orders.create(id="b")
    for id, body in (("a", b'"yes"'), ("b", None)):
        async with explorer.session.post(f"{explorer.url}{INSTANCES}/{id}/events/answer", data=body) as answer:
            assert {"success": True} == (await answer.json())["result"]
    await explorer.clock.advance("2 hours")
    outputs = [(await explorer.get(f"{INSTANCES}/{id}"))[1]["result"]["output"] for id in ("a", "b")]
    assert ["yes", None] == outputs


async def test_instances_are_deleted(explorer: Explorer) -> None:
    """One, several, and all; of several each is told of, one that is given twice twice."""
    for id in "abcdef":
        await explorer.orders.create(id=id)
    await explorer.send("DELETE", f"{INSTANCES}/a")
    _, answer = await explorer.send("POST", f"{INSTANCES}/batch/delete", {"instances": ["b", "b", "ghost"]})
    missing = {"id": "ghost", "code": 10400, "message": "workflows.api.error.instance.not_found"}
    assert {"deleted": [{"id": "b"}, {"id": "b"}], "errors": [missing]} == answer["result"]
    assert 4 == (await explorer.get(INSTANCES))[1]["result_info"]["total_count"]
    _, answer = await explorer.send("DELETE", f"{BASE}/workflows/orders")
    assert {"status": "ok", "success": True} == answer["result"]
    assert [] == (await explorer.get(INSTANCES))[1]["result"]


async def test_lists_are_filtered_by_date(explorer: Explorer) -> None:
    """Both ends are part of the range, and the count is that of the range."""
    start = explorer.clock.now()
    for n in range(3):
        await explorer.orders.create(id=f"i{n}")
        await explorer.clock.advance("1 day")
    from cfworkflows_emulator.views import iso

    second = iso(start + 86_400_000)
    _, answer = await explorer.get(f"{INSTANCES}?date_start={second}")
    assert (["i2", "i1"], 2) == ([each["id"] for each in answer["result"]], answer["result_info"]["total_count"])
    _, answer = await explorer.get(f"{INSTANCES}?date_end={second}&per_page=1&page=2")
    assert ["i0"] == [each["id"] for each in answer["result"]]
    status, answer = await explorer.get(f"{INSTANCES}?date_start={second}&date_end={iso(start)}")
    assert (400, 10502) == (status, answer["errors"][0]["code"])


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "says"),
    [
        ("POST", "", b"{", 400, "Invalid JSON request body"),
        ("POST", "", b'{"id": NaN}', 400, "Invalid JSON request body"),
        ("POST", "", b"[" * 100_000, 400, "Invalid JSON request body"),
        ("POST", "", b'{"id": 7}', 400, "id: Input should be a valid string"),
        ("POST", "", b'{"parms": 1}', 400, "parms: There is no such field"),
        ("POST", "", b'{"id": "dup"}', 400, "(instance.already_exists)"),
        ("POST", "", b'{"id": "no spaces"}', 400, "invalid id"),
        (
            "PATCH",
            "/dup/status",
            b'{"status": "explode"}',
            400,
            'expected one of "pause"|"resume"|"restart"|"terminate"',
        ),
        ("PATCH", "/dup/status", b'{"status": "pause", "rollback": true}', 400, "'rollback' is only valid"),
        ("PATCH", "/ghost/status", b'{"status": "pause"}', 404, "Workflow instance 'ghost' not found."),
        ("POST", "/ghost/events/x", b"{}", 404, "Workflow instance 'ghost' not found."),
        ("POST", "/dup/events/x", b"{", 400, "Invalid JSON request body"),
        ("POST", "/dup/events/a.b", b"{}", 400, "invalid_event_type"),
        ("POST", "/batch/delete", b'{"instances": []}', 400, "instances: Too small"),
        ("DELETE", "/ghost", None, 404, "Workflow instance 'ghost' not found."),
        ("PUT", "/dup", b"{}", 405, "only GET, DELETE"),
    ],
)
async def test_mistake_changes_nothing(
    explorer: Explorer, method: str, path: str, body: Any, status: int, says: str
) -> None:
    """A wrong request is a 4xx that names the mistake, and there are the same instances as before."""
    await explorer.orders.create(id="dup")
    async with explorer.session.request(method, explorer.url + INSTANCES + path, data=body) as answer:
        text = await answer.json()
        assert (status, False) == (answer.status, text["success"])
    assert says in text["errors"][0]["message"]
    assert ["dup"] == [each["id"] for each in (await explorer.get(INSTANCES))[1]["result"]]


async def test_worker_is_listed(explorer: Explorer) -> None:
    """With its workflow bindings, and every other kind of binding as an empty list."""
    _, answer = await explorer.get(f"{BASE}/local/workers")
    (worker,) = answer["result"]
    orders = {"id": "orders", "bindingName": "ORDERS", "className": "Orders", "scriptName": "shop"}
    assert (True, "shop", [orders], []) == (
        worker["isSelf"],
        worker["name"],
        worker["bindings"]["workflows"],
        worker["bindings"]["kv"],
    )


async def test_scheduled_handler_is_called(explorer: Explorer) -> None:
    """The answer has the outcome, also that of a Worker without one, and says which Worker is not there."""
    status, answer = await explorer.send("POST", f"{BASE}/local/scheduled?worker=shop", {"cron": "* * * * *"})
    assert (200, {"outcome": "exception", "noRetry": True}) == (status, answer["result"])
    status, answer = await explorer.send("POST", f"{BASE}/local/scheduled?worker=x", {"cron": "* * * * *"})
    assert (404, 'Worker "x" is not registered.') == (status, answer["errors"][0]["message"])
