"""The Local Explorer API, over a real socket, as its clients call it."""

import pytest
from shop import BASE, Explorer


async def test_workflows_are_listed_with_their_classes(explorer: Explorer) -> None:
    """The list has each configured workflow, its class and its script, in the platform's envelope."""
    status, answer = await explorer.get(f"{BASE}/workflows")
    assert 200 == status
    assert {
        "success": True,
        "errors": [],
        "messages": [],
        "result": [{"name": "orders", "class_name": "Orders", "script_name": "shop"}],
        "result_info": {"count": 1},
    } == answer


async def test_workflow_counts_its_instances(explorer: Explorer) -> None:
    """A workflow tells how many of its instances are in each status, at this moment."""
    await explorer.orders.create(id="a")
    await (await explorer.orders.create(id="b")).terminate()
    await explorer.clock.advance("1 minute")
    _, answer = await explorer.get(f"{BASE}/workflows/orders")
    counts = {status: count for status, count in answer["result"]["instances"].items() if count}
    assert {"waiting": 1, "terminated": 1} == counts


async def test_instances_come_in_pages_newest_first(explorer: Explorer) -> None:
    """Pages follow each other without gaps, and the page info counts all of them."""
    for n in range(5):
        await explorer.orders.create(id=f"i{n}")
    _, first = await explorer.get(f"{BASE}/workflows/orders/instances?per_page=2&page=1")
    _, last = await explorer.get(f"{BASE}/workflows/orders/instances?per_page=2&page=3")
    assert ["i4", "i3"] == [entry["id"] for entry in first["result"]]
    assert ["i0"] == [entry["id"] for entry in last["result"]]
    info = {key: first["result_info"][key] for key in ("page", "per_page", "total_count", "total_pages")}
    assert {"page": 1, "per_page": 2, "total_count": 5, "total_pages": 3} == info


async def test_instances_are_filtered_by_status(explorer: Explorer) -> None:
    """Only instances in the status that is asked for are listed and counted."""
    await explorer.orders.create(id="a")
    await (await explorer.orders.create(id="b")).terminate()
    _, answer = await explorer.get(f"{BASE}/workflows/orders/instances?status=terminated")
    assert ["b"] == [entry["id"] for entry in answer["result"]]
    assert 1 == answer["result_info"]["total_count"]


async def test_instance_tells_its_steps_and_attempts(explorer: Explorer) -> None:
    """Steps come in the order they started, with attempts and readable outputs; sensitive ones are redacted."""
    await explorer.orders.create(id="a", params={"n": 1})
    await explorer.clock.advance("2 hours")
    _, answer = await explorer.get(f"{BASE}/workflows/orders/instances/a")
    result = answer["result"]
    assert ("waiting", {"n": 1}, 5) == (result["status"], result["params"], result["step_count"])
    charge, secret, flaky, nap, wait = result["steps"]
    assert {"at": "2026-01-01T00:00:00.000Z", "raw": "[2 bytes]", "n": "nan"} == charge["output"]
    assert "[REDACTED]" == secret["output"]
    assert [False, True] == [attempt["success"] for attempt in flaky["attempts"]]
    assert {"name": "ValueError", "message": "once"} == flaky["attempts"][0]["error"]
    assert ("sleep", True) == (nap["type"], nap["finished"])
    assert ("waitForEvent", False, None) == (wait["type"], wait["finished"], wait["end"])


async def test_finished_instance_tells_its_end(explorer: Explorer) -> None:
    """A failed instance has its error, the event it got, and the time it ended."""
    instance = await explorer.orders.create(id="a")
    await instance.send_event(type="answer", payload="fail")
    await explorer.clock.advance("2 hours")
    _, answer = await explorer.get(f"{BASE}/workflows/orders/instances/a")
    result = answer["result"]
    assert ("errored", {"name": "ValueError", "message": "as told"}) == (result["status"], result["error"])
    assert "fail" == result["steps"][-1]["output"]["payload"]
    assert result["end"].endswith("Z")


async def test_rollback_tells_its_outcome(explorer: Explorer) -> None:
    """Once it is over; its handlers are not among the steps."""
    instance = await explorer.orders.create(id="a")
    await instance.send_event(type="answer", payload="undo")
    await explorer.clock.advance("61 minutes")
    _, answer = await explorer.get(f"{BASE}/workflows/orders/instances/a")
    assert ("rollingBack", None) == (answer["result"]["status"], answer["result"]["rollback"])
    await explorer.clock.advance("1 hour")
    _, answer = await explorer.get(f"{BASE}/workflows/orders/instances/a")
    error = {"name": "ZeroDivisionError", "message": "division by zero"}
    assert {"outcome": "failed", "error": error} == answer["result"]["rollback"]
    assert (6, "errored") == (answer["result"]["step_count"], answer["result"]["status"])


async def test_wait_that_timed_out_says_so(explorer: Explorer) -> None:
    """A wait whose time passed is finished, with the timeout as its error."""
    await explorer.orders.create(id="a")
    await explorer.clock.advance("2 days")
    _, answer = await explorer.get(f"{BASE}/workflows/orders/instances/a")
    wait = answer["result"]["steps"][-1]
    assert (True, "WorkflowTimeoutError") == (wait["finished"], wait["error"]["name"])


@pytest.mark.parametrize(
    ("path", "status", "code", "says"),
    [
        ("/workflows/nope", 404, 10501, "Workflow 'nope' not found."),
        ("/workflows/orders/instances/nope", 404, 10501, "Workflow instance 'nope' not found."),
        ("/workflows/orders/instances?page=0", 400, 10001, "page: Too small: expected number to be >=1"),
        ("/workflows/orders/instances?page=1.5", 400, 10001, "page: "),
        ("/workflows/orders/instances?page=99999999999999999999", 400, 10001, "page: Too big"),
        ("/workflows/orders/instances?per_page=101", 400, 10001, "per_page: Too big: expected number to be <=100"),
        ("/workflows/orders/instances?status=bogus", 400, 10001, "status: Invalid option"),
        ("/nothing", 404, 10001, "/nothing"),
    ],
)
async def test_mistakes_are_the_clients(explorer: Explorer, path: str, status: int, code: int, says: str) -> None:
    """A wrong question is a 4xx in the envelope, with the platform's code and a text that names the mistake."""
    got, answer = await explorer.get(BASE + path)
    assert (status, False, code) == (got, answer["success"], answer["errors"][0]["code"])
    assert says in answer["errors"][0]["message"]


async def test_asking_for_an_unknown_instance_makes_none(explorer: Explorer) -> None:
    """Looking up what is not there leaves no trace in the list."""
    await explorer.get(f"{BASE}/workflows/orders/instances/ghost")
    _, answer = await explorer.get(f"{BASE}/workflows/orders/instances")
    assert [] == answer["result"]


async def test_older_path_answers_too(explorer: Explorer) -> None:
    """Clients that know the former address are served."""
    status, _ = await explorer.get("/cdn-cgi/explorer/api/workflows")
    assert 200 == status


async def test_other_control_paths_go_to_the_worker(explorer: Explorer) -> None:
    """What is not the Explorer's is the Worker's, as on the platform."""
    assert (200, "the Worker") == await explorer.get("/cdn-cgi/anything")
