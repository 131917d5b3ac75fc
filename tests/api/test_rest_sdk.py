"""The REST API, through Cloudflare's own Python SDK."""

import json
from typing import Any

import aiohttp
import cloudflare
import pytest
from cloudflare import AsyncCloudflare
from cloudflare.types.workflows import instance_get_response as shapes
from shop import REST, Explorer

ACCOUNT: Any = {"account_id": "any"}
ORDERS: Any = {"account_id": "any", "workflow_name": "orders"}


async def test_workflow_is_described(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """Listed and alone, with counts, and with one version."""
    await sdk.workflows.instances.create("orders", **ACCOUNT, instance_id="a")
    await explorer.clock.settle()
    (listed,) = [each async for each in sdk.workflows.list(**ACCOUNT)]
    alone = await sdk.workflows.get("orders", **ACCOUNT)
    assert ("orders", "Orders", "shop") == (listed.name, listed.class_name, listed.script_name)
    assert (listed.id, 1) == (alone.id, listed.instances["waiting"])
    assert [] == [each async for each in sdk.workflows.list(**ACCOUNT, search="zzz")]
    (version,) = [each async for each in sdk.workflows.versions.list("orders", **ACCOUNT)]
    found = await sdk.workflows.versions.get(version.id, **ORDERS)
    assert ("python", listed.id) == (found.language, found.workflow_id)


async def test_graph_is_read_off_the_source(sdk: AsyncCloudflare) -> None:
    """The steps of `run()`, in the SDK's own model."""
    (version,) = [each async for each in sdk.workflows.versions.list("orders", **ACCOUNT)]
    drawn = await sdk.workflows.versions.graph(version.id, **ORDERS)
    assert drawn.graph is not None
    assert "Orders" == drawn.graph.workflow.class_name
    kinds = [node.type for node in drawn.graph.workflow.nodes]
    assert ["step_do", "step_do", "step_do", "step_sleep", "step_wait_for_event", "if"] == kinds


async def test_deployment_is_checked_against_the_configuration(sdk: AsyncCloudflare) -> None:
    """A workflow that is described as it is passes; anything else is to be changed in the file."""
    update = sdk.workflows.update
    deployed = await update("orders", **ACCOUNT, class_name="Orders", script_name="shop")
    assert ("orders", 0) == (deployed.name, deployed.is_deleted)
    with pytest.raises(cloudflare.BadRequestError, match="change that file") as caught:
        await update("orders", **ACCOUNT, class_name="Orders", script_name="shop", limits={"steps": 5})
    assert 10002 == caught.value.errors[0].code
    with pytest.raises(cloudflare.BadRequestError, match=r"add it to `workflows` in wrangler\.toml"):
        await update("new", **ACCOUNT, class_name="New", script_name="shop")


@pytest.mark.parametrize(
    ("params", "stored"),
    [('{"a":[1]}', {"a": [1]}), ({"a": [1]}, {"a": [1]}), ("plain text", "plain text"), ("null", None)],
)
async def test_params_come_as_json_or_as_its_text(
    explorer: Explorer, sdk: AsyncCloudflare, params: Any, stored: Any
) -> None:
    """The SDK sends a string, other clients a value."""
    await sdk.workflows.instances.create("orders", **ACCOUNT, instance_id="a", params=params)
    assert stored == (await sdk.workflows.instances.get("a", **ORDERS)).params


async def test_instances_are_listed_to_the_end(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """By pages, as the SDK walks them, and by cursors, as others do, in both directions: each instance once."""
    created = [each.id async for each in sdk.workflows.instances.bulk("orders", **ACCOUNT, body=[{}] * 7)]
    await explorer.orders.create(id="b")
    newest_first = ["b", *reversed(created)]
    listed = [each async for each in sdk.workflows.instances.list("orders", **ACCOUNT, per_page=3)]
    assert newest_first == [each.id for each in listed]
    assert ["binding", "api"] == [listed[0].trigger_source, listed[1].trigger_source]
    for direction, expected in (("desc", newest_first), ("asc", newest_first[::-1])):
        walked, cursor = [], ""
        while True:
            path = f"{REST}/workflows/orders/instances/?per_page=3&direction={direction}&cursor={cursor}"
            _, answer = await explorer.get(path)
            walked += [each["id"] for each in answer["result"]]
            if not (cursor := answer["result_info"]["cursor"]):
                break
        assert expected == walked


async def test_list_tells_times_and_filters(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """Start and end of each instance, those of a status only, those of a range of dates only."""
    await sdk.workflows.instances.create("orders", **ACCOUNT, instance_id="a")
    await explorer.clock.advance("1 day")
    await sdk.workflows.instances.create("orders", **ACCOUNT, instance_id="b")
    await explorer.clock.settle()
    await sdk.workflows.instances.status.edit("a", **ORDERS, status="terminate")
    listing = sdk.workflows.instances.list
    (ended,) = [each async for each in listing("orders", **ACCOUNT, status="terminated")]
    (waiting,) = [each async for each in listing("orders", **ACCOUNT, status="waiting")]
    assert ("a", None) == (ended.id, waiting.ended_on)
    assert ended.ended_on is not None
    assert ended.started_on is not None
    assert 86400 == (ended.ended_on - ended.started_on).total_seconds()
    since = [each.id async for each in listing("orders", **ACCOUNT, date_start=waiting.created_on)]
    assert ["b"] == since


async def test_steps_are_typed(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """Steps that go on are of their own classes too, with the end that is planned; outputs are text."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    await explorer.clock.advance("10 seconds")
    details = await sdk.workflows.instances.get("a", **ORDERS)
    nap = details.steps[-1]
    assert isinstance(nap, shapes.StepUnionMember1)
    assert (3600, False) == ((nap.end - nap.start).total_seconds(), nap.finished)
    await explorer.clock.advance("1 hour")
    details = await sdk.workflows.instances.get("a", **ORDERS)
    charge, secret, flaky, _, wait = details.steps
    assert isinstance(charge, shapes.StepUnionMember0)
    assert isinstance(secret, shapes.StepUnionMember0)
    assert isinstance(flaky, shapes.StepUnionMember0)
    assert isinstance(wait, shapes.StepUnionMember3)
    assert {"at": "2026-01-01T00:00:00.000Z", "raw": "[2 bytes]", "n": "nan"} == json.loads(charge.output or "")
    assert ("[REDACTED]", [False, True]) == (secret.output, [attempt.success for attempt in flaky.attempts])
    assert (86400, "answer") == ((wait.end - wait.start).total_seconds(), wait.event_type)
    assert ("binding", "waiting", 5) == (details.trigger.source, details.status, details.step_count)


async def test_steps_may_be_reversed_or_left_out(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """`order` and `simple`, whichever the client asks for."""
    await explorer.orders.create(id="a")
    await explorer.clock.advance("2 hours")
    newest_first = await sdk.workflows.instances.get("a", **ORDERS, order="desc")
    simple = await sdk.workflows.instances.get("a", **ORDERS, simple="true")
    assert "wait" in newest_first.steps[0].type.lower()
    assert ([], 5) == (simple.steps, simple.step_count)


async def test_events_and_rollback_show(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """An event's payload may be any JSON; the handlers that undo are steps of their own type."""
    await explorer.orders.create(id="a")
    sent = await sdk.workflows.instances.events.create("answer", **ORDERS, instance_id="a", body="undo")
    assert "a" == sent.instance_id
    await explorer.clock.advance("3 hours")
    details = await sdk.workflows.instances.get("a", **ORDERS)
    assert ("errored", False, "as told") == (details.status, details.success, details.error and details.error.message)
    assert details.rollback is not None
    assert ("failed", "rollback") == (details.rollback.outcome, details.steps[-1].type)


async def test_status_is_edited(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """All four changes; the end of a terminated instance is among its steps."""
    await explorer.orders.create(id="a")
    await explorer.clock.settle()
    edit = sdk.workflows.instances.status.edit
    assert "paused" == (await edit("a", **ORDERS, status="pause")).status
    await edit("a", **ORDERS, status="resume")
    await edit("a", **ORDERS, status="restart", from_={"name": "secret", "type": "do"})
    assert "terminated" == (await edit("a", **ORDERS, status="terminate")).status
    details = await sdk.workflows.instances.get("a", **ORDERS)
    assert isinstance(details.steps[-1], shapes.StepUnionMember2)


async def test_step_output_is_whole(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """In the details it is cut; of the step alone, or of one attempt, it is the value itself."""
    await explorer.orders.create(id="a")
    await explorer.clock.advance("2 hours")
    step = sdk.workflows.instances.step
    assert {"at": "2026-01-01T00:00:00.000Z", "raw": "[2 bytes]", "n": "nan"} == (
        await step("a", **ORDERS, name="charge-1", type="step")
    ).output
    failed = await step("a", **ORDERS, name="flaky-1", type="step", attempt=1)
    assert ("errored", "once") == (failed.status, failed.error and failed.error.message)
    waiting = await step("a", **ORDERS, name="answer-1", type="waitForEvent")
    assert ("waiting", "answer") == (waiting.status, waiting.event_type)
    with pytest.raises(cloudflare.NotFoundError, match="no step called 'nope-1'"):
        await step("a", **ORDERS, name="nope-1", type="step")


async def test_long_output_is_cut(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """At 1024 characters, with a mark."""
    await explorer.orders.create(id="a")
    await explorer.orders.create(id="b")
    instance = await explorer.orders.get("a")
    await instance.send_event(type="answer", payload="é" * 5000)
    await explorer.clock.advance("2 hours")
    details = await sdk.workflows.instances.get("a", **ORDERS)
    output = details.steps[-1].output
    assert '"' + "é" * 1023 + " [truncated output]" == output


async def test_workflow_is_emptied(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """Terminating all ends those of a status; deleting the workflow deletes its instances, and it stays."""
    async for _ in sdk.workflows.instances.bulk("orders", **ACCOUNT, body=[{"instance_id": id} for id in "abc"]):
        pass
    await explorer.clock.settle()
    await sdk.workflows.instances.status.edit("a", **ORDERS, status="pause")
    await explorer.send("PUT", f"{REST}/workflows/orders/instances/terminate?status=paused")
    assert {"terminated": 1} == {
        k: v for k, v in (await explorer.project.engine.counts("orders")).items() if k[0] == "t"
    }
    await explorer.send("PUT", f"{REST}/workflows/orders/instances/terminate")
    assert {"terminated": 3} == await explorer.project.engine.counts("orders")
    assert "ok" == (await sdk.workflows.delete("orders", **ACCOUNT)).status
    assert (await sdk.workflows.get("orders", **ACCOUNT)).instances["terminated"] == 0


async def mistake(sdk: AsyncCloudflare, what: str) -> None:
    instances = sdk.workflows.instances
    match what:
        case "workflow":
            await instances.create("nope", **ACCOUNT)
        case "instance":
            await instances.get("ghost", **ORDERS)
        case "status":
            await instances.status.edit("ghost", **ORDERS, status="pause")
        case "event":
            await instances.events.create("x", **ORDERS, instance_id="ghost", body={})
        case "taken":
            await instances.create("orders", **ACCOUNT, instance_id="dup")
        case "id":
            await instances.create("orders", **ACCOUNT, instance_id="a b")
        case "retention":
            await instances.create("orders", **ACCOUNT, instance_retention={"error_retention": "soon"})
        case "hint":
            await instances.create("orders", **ACCOUNT, location_hint="moon")  # type: ignore[arg-type]
        case "batch":
            await instances.bulk("orders", **ACCOUNT, body=[{"instance_id": "x"}, {"instance_id": "dup"}])
        case "twice":
            await instances.bulk("orders", **ACCOUNT, body=[{"instance_id": "x"}, {"instance_id": "x"}])
        case "empty":
            await instances.bulk("orders", **ACCOUNT, body=[])
        case "ended":
            await instances.status.edit("dup", **ORDERS, status="terminate")
            await instances.status.edit("dup", **ORDERS, status="terminate")
        case "version":
            await sdk.workflows.versions.get("nope", **ORDERS)


@pytest.mark.parametrize(
    ("what", "status", "code"),
    [
        ("workflow", 404, 10200),
        ("instance", 404, 10400),
        ("status", 404, 10400),
        ("event", 404, 10400),
        ("taken", 400, 10405),
        ("id", 400, 10002),
        ("retention", 400, 10002),
        ("hint", 400, 10002),
        ("batch", 400, 10405),
        ("twice", 400, 10415),
        ("empty", 400, 10002),
        ("ended", 400, 10401),
        ("version", 404, 10002),
    ],
)
async def test_mistake_is_the_clients(
    explorer: Explorer, sdk: AsyncCloudflare, what: str, status: int, code: int
) -> None:
    """A 4xx with the platform's code, which the SDK does not try again; and no instance comes of it."""
    await explorer.orders.create(id="dup")
    with pytest.raises(cloudflare.APIStatusError) as caught:
        await mistake(sdk, what)
    assert (status, code) == (caught.value.status_code, caught.value.errors[0].code)
    assert "false" == caught.value.response.headers["x-should-retry"]
    assert ["dup"] == [row.id for row in await explorer.project.engine.list("orders")]


@pytest.mark.parametrize("path", ["//accounts/any/workflows", "/accounts/any/workflows/", "/accounts", "/memberships"])
async def test_other_spellings_are_understood(explorer: Explorer, path: str) -> None:
    """Doubled and trailing slashes, and what clients ask for to find their account."""
    status, answer = await explorer.get(f"/client/v4{path}")
    assert (200, 1) == (status, len(answer["result"]))


async def test_unknown_route_answers_in_the_envelope(explorer: Explorer) -> None:
    """With the code that Cloudflare's API has for it."""
    status, answer = await explorer.get("/client/v4/zones")
    assert (404, 7003) == (status, answer["errors"][0]["code"])


async def test_ids_of_schedules_may_be_sent_raw(explorer: Explorer) -> None:
    """They have slashes and spaces in them, which some clients do not encode."""
    await explorer.project.engine._creation.scheduled("orders", "*/30 * * * *", 0)
    for id in ("*/30%20*%20*%20*%20*-0", "*%2F30%20*%20*%20*%20*-0"):
        async with aiohttp.ClientSession() as session:
            from yarl import URL

            url = URL(f"{explorer.url}{REST}/workflows/orders/instances/{id}", encoded=True)
            async with session.get(url) as answer:
                result = (await answer.json())["result"]
                assert ("cron", "*/30 * * * *") == (result["trigger"]["source"], result["schedule"]["cron"])
