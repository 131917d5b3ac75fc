"""The seven patterns, driven over HTTP as the README's curl lines do."""

import re
from pathlib import Path

import pytest
from serving import EXAMPLES, Served

SOURCES = EXAMPLES / "patterns" / "src"


def done(instance: dict) -> list[str]:
    return [step["name"] for step in instance["steps"] if step["done"]]


async def test_saga_runs_its_steps_in_order(patterns: Served) -> None:
    """An order that is paid is reserved, charged and confirmed, each once."""
    id = await patterns.create("saga", {"items": ["book"], "paymentMethod": "visa"})
    instance = await patterns.instance("saga", id)
    assert "complete" == instance["status"]
    assert ["reserve inventory-1", "charge payment-1", "confirm order-1"] == done(instance)


async def test_saga_compensates_and_fails(patterns: Served) -> None:
    """A declined card releases what was reserved, and the instance tells the original error."""
    id = await patterns.create("saga", {"items": ["book"], "paymentMethod": "declined"})
    instance = await patterns.instance("saga", id)
    assert "errored" == instance["status"]
    assert {"name": "NonRetryableError", "message": "card declined"} == instance["error"]
    assert ["reserve inventory-1", "charge payment-1", "release inventory-1"] == done(instance)


async def test_saga_checks_its_params(patterns: Served) -> None:
    """Params that do not fit the workflow's type are refused when the instance is created, with the field's name."""
    status, answer = await patterns.ask("POST", "/saga", {"items": "book"})
    assert 400 == status
    assert "paymentMethod" in answer["error"]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/approval/unknown", None, 404),
        ("POST", "/approval/unknown/events/manager_approval", {}, 404),
        ("POST", "/webhook/callback", {"instanceId": "unknown", "status": "done"}, 404),
        ("POST", "/webhook/callback", {}, 400),
        ("POST", "/webhook/callback", 5, 400),
        ("POST", "/webhook", 5, 400),
        ("POST", "/approval", None, 400),
    ],
)
async def test_mistakes_of_clients_are_told(
    patterns: Served, method: str, path: str, body: object, expected: int
) -> None:
    """An unknown instance is a 404, and a body that is not what is asked for a 400, both with a text."""
    status, answer = await patterns.ask(method, path, body)
    assert (expected, True) == (status, bool(answer["error"]))


@pytest.mark.parametrize(
    ("approved", "last"), [(True, "execute action-1"), (False, "notify rejection-1")], ids=["approved", "rejected"]
)
async def test_approval_waits_for_the_manager(patterns: Served, approved: bool, last: str) -> None:
    """After six days of waiting the manager's answer decides which step runs."""
    id = await patterns.create("approval", {"approverEmail": "a@b.c"})
    await patterns.clock.advance("6 days")
    instance = await patterns.instance("approval", id)
    assert "waiting" == instance["status"]
    assert ["send approval request-1"] == done(instance)
    assert (200, {"sent": "manager_approval"}) == await patterns.ask(
        "POST", f"/approval/{id}/events/manager_approval", {"approved": approved}
    )
    instance = await patterns.instance("approval", id)
    assert "complete" == instance["status"]
    assert ["send approval request-1", "wait for approval-1", last] == done(instance)


async def test_approval_times_out_after_seven_days(patterns: Served) -> None:
    """Nobody answers for a week: the wait's timeout fails the instance."""
    id = await patterns.create("approval", {"approverEmail": "a@b.c"})
    await patterns.clock.advance("7 days")
    instance = await patterns.instance("approval", id)
    assert "errored" == instance["status"]
    assert {
        "name": "WorkflowTimeoutError",
        "message": "Execution timed out after 604800000ms",
    } == instance["error"]


async def test_reminders_take_three_days(patterns: Served) -> None:
    """A reminder a day, and the instance is over a day after the third."""
    id = await patterns.create("reminders", {"userId": "u1"})
    for day in range(3):
        instance = await patterns.instance("reminders", id)
        assert "waiting" == instance["status"]
        assert day + 1 == len([name for name in done(instance) if name.startswith("send reminder")])
        await patterns.clock.advance("1 day")
    assert "complete" == (await patterns.instance("reminders", id))["status"]


async def test_backoff_doubles_its_delays(patterns: Served) -> None:
    """Three failures are followed by waits of 1, 2 and 4 seconds."""
    id = await patterns.create("backoff", {"failures": 3})
    for delay in ("1 second", "2 seconds"):
        await patterns.clock.advance(delay)
        assert "waiting" == (await patterns.instance("backoff", id))["status"]
    await patterns.clock.advance("3 seconds")
    assert "waiting" == (await patterns.instance("backoff", id))["status"]
    await patterns.clock.advance("1 second")
    instance = await patterns.instance("backoff", id)
    assert "complete" == instance["status"]
    assert {"answer": "42"} == instance["output"]


async def test_fan_out_gathers_its_results(patterns: Served) -> None:
    """Each item is a step of its own, and the last step counts the results."""
    id = await patterns.create("fan-out", {"items": [{"id": 1}, {"id": 2}, {"id": 4}]})
    instance = await patterns.instance("fan-out", id)
    assert {"total": 3, "success": 2} == instance["output"]
    assert ["process 1-1", "process 2-1", "process 4-1", "aggregate results-1"] == done(instance)


async def test_webhook_calls_back(patterns: Served) -> None:
    """The job is started with a real request, and its callback completes the instance."""
    id = await patterns.create("webhook", {})
    assert "waiting" == (await patterns.instance("webhook", id))["status"]
    assert (200, "OK") == await patterns.ask("POST", "/webhook/callback", {"instanceId": id, "status": "done"})
    instance = await patterns.instance("webhook", id)
    assert {"jobId": "job-7", "status": "done"} == instance["output"]


async def test_fallback_is_taken_after_five_minutes(patterns: Served) -> None:
    """Without an answer the cached value is the output."""
    id = await patterns.create("fallback", {"key": "k1"})
    await patterns.clock.advance("5 minutes")
    assert {"key": "k1", "source": "cache"} == (await patterns.instance("fallback", id))["output"]


async def test_fallback_is_not_taken_when_the_answer_comes(patterns: Served) -> None:
    """An event that arrives in time is the output, as the whole event."""
    id = await patterns.create("fallback", {"key": "k1"})
    await patterns.ask("POST", f"/fallback/{id}/events/api_response", {"value": 1})
    output = (await patterns.instance("fallback", id))["output"]
    assert ("api_response", {"value": 1}) == (output["type"], output["payload"])


async def test_instances_are_listed(patterns: Served) -> None:
    """The list of a pattern has its instances, newest first, with their statuses."""
    first = await patterns.create("fallback", {"key": "k1"})
    await patterns.clock.advance("5 minutes")
    second = await patterns.create("fallback", {"key": "k2"})
    await patterns.clock.settle()
    _, listed = await patterns.ask("GET", "/fallback")
    assert [(second, "waiting"), (first, "complete")] == [(entry["id"], entry["status"]) for entry in listed]


@pytest.mark.parametrize(
    ("method", "path", "body", "expected"),
    [
        ("GET", "/approval/nobody", None, 404),
        ("POST", "/approval/nobody/events/x", {}, 404),
        ("GET", "/nothing", None, 404),
        ("DELETE", "/approval", None, 404),
    ],
)
async def test_wrong_questions_get_a_reason(
    patterns: Served, method: str, path: str, body: object, expected: int
) -> None:
    """What is not there is answered with 404 and an error in JSON."""
    status, answer = await patterns.ask(method, path, body)
    assert expected == status
    assert answer["error"]


async def test_home_page_shows_curl_lines(patterns: Served) -> None:
    """`GET /` lists a curl line for each pattern, with the address it is served at."""
    _, text = await patterns.ask("GET", "/")
    assert text.count(f"curl -X POST {patterns.url}/") >= 7


STEP = re.compile(r"step\.(?:do|sleep|waitForEvent|wait_for_event)(?:<[^(]*>)?\(\s*f?[\"'`]([^\"'`]+)[\"'`]")


@pytest.mark.parametrize("source", sorted(SOURCES.glob("*.ts")), ids=lambda path: path.stem)
def test_port_has_the_steps_of_its_typescript(source: Path) -> None:
    """Each Python file names the same steps as the TypeScript beside it, in the same order."""

    def steps(path: Path) -> list[str]:
        return [re.sub(r"\$?\{[^}]*\}", "{}", name) for name in STEP.findall(path.read_text())]

    expected = steps(source)
    assert expected
    assert expected == steps(source.with_suffix(".py"))
