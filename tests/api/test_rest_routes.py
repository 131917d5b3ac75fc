"""What clients of the REST API rely on beyond the calls of Cloudflare's Python SDK for Workflows."""

import gzip
import json
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import shop
from cloudflare import AsyncCloudflare
from shop import BASE, REST, Explorer, served

ACCOUNT: Any = {"account_id": "any"}
ORDERS = f"{REST}/workflows/orders"
INSTANCES = f"{ORDERS}/instances"


async def test_lists_of_accounts_end(sdk: AsyncCloudflare) -> None:
    """The SDK walks pages until one is empty."""
    assert ["local"] == [each.id async for each in sdk.accounts.list()]
    assert [] == [each async for each in sdk.accounts.list(name="other")]
    (membership,) = [each async for each in sdk.memberships.list()]
    assert ("accepted", "local") == (membership.status, membership.account and membership.account.name)
    assert [] == [each async for each in sdk.memberships.list(status="pending")]


async def test_account_user_and_token_are_found(sdk: AsyncCloudflare) -> None:
    """What clients ask for to see whether they may go on."""
    account = await sdk.accounts.get(account_id="abc")
    assert account is not None
    assert ("abc", "standard") == (account.id, account.type)
    user = await sdk.user.get()
    token = await sdk.user.tokens.verify()
    assert user is not None
    assert token is not None
    assert ("local", "active") == (user.id, token.status)


LISTS = ["/client/v4/accounts", "/client/v4/memberships", f"{REST}/workflows", f"{ORDERS}/versions", INSTANCES]
LISTS += [f"{BASE}/workflows", f"{BASE}/workflows/orders/instances"]


@pytest.mark.parametrize("path", LISTS)
async def test_every_list_has_pages(explorer: Explorer, path: str) -> None:
    """The second is empty where all fits on the first one, and a page that is none is a mistake."""
    await explorer.orders.create(id="a")
    for query, length in (("", 1), ("?page=1&per_page=1", 1), ("?page=2", 0), ("?page=2147483648&per_page=100", 0)):
        status, answer = await explorer.get(path + query)
        assert (query, 200, length) == (query, status, len(answer["result"]))
    for query in ("page=0", "page=-1", "page=x", "page=", "page=1e99", "page=2147483649", "per_page=0", "per_page=101"):
        status, answer = await explorer.get(f"{path}?{query}")
        assert (query, 400, False) == (query, status, answer["success"])


async def test_pages_are_counted_from_a_cursor(explorer: Explorer, sdk: AsyncCloudflare) -> None:
    """So the SDK, which counts pages whatever else it is given, comes to an end."""
    ids = [each.id async for each in sdk.workflows.instances.bulk("orders", **ACCOUNT, body=[{}] * 5)]
    _, answer = await explorer.get(f"{INSTANCES}?per_page=2&direction=asc")
    cursor = answer["result_info"]["cursor"]
    walked = sdk.workflows.instances.list("orders", **ACCOUNT, cursor=cursor, per_page=1, direction="asc")
    assert ids[2:] == [each.id async for each in walked]


async def test_lists_are_searched(explorer: Explorer) -> None:
    """By a part of the name, of the id; nothing in it is a pattern."""
    for id in ("order-1", "order-2", "other_1"):
        await explorer.orders.create(id=id)
    for search, expected in (("order", ["order-2", "order-1"]), ("_", ["other_1"]), ("%25", [])):
        _, answer = await explorer.get(f"{BASE}/workflows/orders/instances?search={search}")
        assert (expected, len(expected)) == (
            [each["id"] for each in answer["result"]],
            answer["result_info"]["total_count"],
        )
    found = [(await explorer.get(f"{BASE}/workflows?search={text}"))[1]["result_info"] for text in ("rde", "zzz")]
    assert [{"count": 1}, {"count": 0}] == found


async def test_one_instance_is_deleted(explorer: Explorer) -> None:
    """Once; then there is none of that id."""
    await explorer.orders.create(id="a")
    status, answer = await explorer.send("DELETE", f"{INSTANCES}/a")
    assert (200, {"status": "ok", "success": True}) == (status, answer["result"])
    status, answer = await explorer.send("DELETE", f"{INSTANCES}/a")
    assert (404, 10400) == (status, answer["errors"][0]["code"])


async def test_an_id_given_twice_is_told_twice(explorer: Explorer) -> None:
    """By both APIs, for each position in the list, whether there was an instance or not."""
    for path in (INSTANCES, f"{BASE}/workflows/orders/instances"):
        await explorer.orders.create(id="a")
        _, answer = await explorer.send("POST", f"{path}/batch/delete", {"instances": ["a", "x", "a", "x"]})
        deleted, errors = answer["result"]["deleted"], answer["result"]["errors"]
        assert (["a", "a"], ["x", "x"]) == ([each["id"] for each in deleted], [each["id"] for each in errors])


@pytest.mark.parametrize("as_list", [True, False])
async def test_some_instances_are_terminated(explorer: Explorer, as_list: bool) -> None:
    """Those that have ended, or never were, are passed over."""
    for id in "abc":
        await explorer.orders.create(id=id)
    await explorer.clock.settle()
    await (await explorer.orders.get("b")).terminate()
    ids = ["a", "b", "ghost"]
    status, answer = await explorer.send("POST", f"{INSTANCES}/batch/terminate", ids if as_list else {"instances": ids})
    assert (200, {"status": "ok", "instancesTerminated": 1}) == (status, answer["result"])
    assert {"terminated": 2, "waiting": 1} == await explorer.project.engine.counts("orders")
    assert 400 == (await explorer.send("POST", f"{INSTANCES}/batch/terminate", []))[0]


async def test_terminating_all_is_asked_about(explorer: Explorer) -> None:
    """`terminate` is a route, not the id of an instance."""
    status, answer = await explorer.get(f"{INSTANCES}/terminate")
    assert (200, {"status": "ok"}) == (status, answer["result"])
    assert 404 == (await explorer.get(f"{REST}/workflows/nope/instances/terminate"))[0]


async def test_termination_says_who(explorer: Explorer) -> None:
    """The API or the binding, at once or after a rollback."""
    await explorer.orders.create(id="api")
    await explorer.orders.create(id="binding")
    await explorer.orders.create(id="undone")
    await explorer.clock.settle()
    await explorer.send("PATCH", f"{INSTANCES}/api/status", {"status": "terminate"})
    await (await explorer.orders.get("binding")).terminate()
    await explorer.send("PATCH", f"{INSTANCES}/undone/status", {"status": "terminate", "rollback": True})
    await explorer.clock.settle()
    for id, source in (("api", "api"), ("binding", "binding"), ("undone", "api")):
        _, answer = await explorer.get(f"{INSTANCES}/{id}")
        assert {"type": "termination", "trigger": {"source": source}} == answer["result"]["steps"][-1]


async def test_settings_are_those_of_the_configuration(explorer: Explorer) -> None:
    """They are read; what they are may be sent, anything else is to be changed in the file."""
    assert {"default_retention": {}} == (await explorer.get(f"{ORDERS}/settings"))[1]["result"]
    assert 200 == (await explorer.send("PATCH", f"{ORDERS}/settings", {}))[0]
    body = {"default_retention": {"success_retention": "1 day"}}
    status, answer = await explorer.send("PATCH", f"{ORDERS}/settings", body)
    assert (400, 10002) == (status, answer["errors"][0]["code"])
    assert "change that file" in answer["messages"][0]["message"]
    body = {"default_retention": {"success_retention": "soon"}}
    assert 400 == (await explorer.send("PATCH", f"{ORDERS}/settings", body))[0]


async def test_graph_has_its_older_name(explorer: Explorer) -> None:
    """`dag` gives what `graph` gives, and the version says that there is one."""
    _, answer = await explorer.get(f"{ORDERS}/versions")
    (version,) = answer["result"]
    assert version["has_dag"] is True
    paths = [f"{ORDERS}/versions/{version['id']}/{name}" for name in ("graph", "dag")]
    graph, dag = [(await explorer.get(path))[1]["result"] for path in paths]
    assert graph["graph"] is not None
    assert graph == dag
    (Path(explorer.project.config.directory) / "entry.py").write_text("class Orders(")
    assert (await explorer.get(f"{ORDERS}/versions"))[1]["result"][0]["has_dag"] is False


async def test_triggers_of_a_worker(explorer: Explorer) -> None:
    """The schedules of each of its workflows."""
    _, answer = await explorer.get(f"{REST}/workflows/triggers/shop")
    shown = {"workflow_name": "orders", "class_name": "Orders", "script_name": "shop", "schedules": []}
    assert [shown] == answer["result"]
    status, answer = await explorer.get(f"{REST}/workflows/triggers/nope")
    assert (404, True) == (status, "there are: shop" in answer["messages"][0]["message"])


@pytest.mark.parametrize("id", [f"cf_{'0a' * 32}", "batch", "terminate", "terminateAll"])
async def test_reserved_ids_are_refused(explorer: Explorer, id: str) -> None:
    """The platform keeps them for itself; one in a batch refuses the batch."""
    for path, body in (("", {"instance_id": id}), ("/batch", [{"instance_id": "x"}, {"instance_id": id}])):
        status, answer = await explorer.send("POST", INSTANCES + path, body)
        assert (400, 10002) == (status, answer["errors"][0]["code"])
    assert {} == await explorer.project.engine.counts("orders")


@pytest.mark.parametrize(
    ("coding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("GZIP, identity", gzip.compress), ("identity", bytes)],
)
async def test_compressed_bodies_are_read(explorer: Explorer, coding: str, compress: Any) -> None:
    """As some clients send them."""
    data = compress(json.dumps({"instance_id": "a", "params": {"n": 1}}).encode())
    headers = {"content-encoding": coding, "content-type": "application/json"}
    async with explorer.session.post(explorer.url + INSTANCES, data=data, headers=headers) as answer:
        assert (200, "a") == (answer.status, (await answer.json())["result"]["id"])


@pytest.mark.parametrize(
    ("coding", "data", "says"),
    [
        ("br", b"{}", "'br' is not understood"),
        ("gzip", b"{}", "is not gzip"),
        ("gzip", gzip.compress(b"{}")[:-9], "ends in the middle"),
        ("gzip", gzip.compress(b"{}") + b"no gzip at all", "is not gzip"),
        ("gzip, gzip", gzip.compress(gzip.compress(bytes(101 * 1024 * 1024))), "over 100 MiB"),
    ],
    ids=["unknown", "other", "cut", "more", "large"],
)
async def test_wrong_compression_is_a_mistake(explorer: Explorer, coding: str, data: bytes, says: str) -> None:
    """Nor does a small body fill the memory."""
    headers = {"content-encoding": coding}
    async with explorer.session.post(explorer.url + INSTANCES, data=data, headers=headers) as response:
        answer = await response.json()
        assert (400, True) == (response.status, says in answer["messages"][0]["message"])


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ([], "Invalid input: expected object, received array"),
        (7, "Invalid input: expected object, received number"),
        ({"instance_retention": "x"}, "instance_retention: Invalid input: expected object, received string"),
        (
            {"instance_retention": {"error_retention": [1]}},
            "instance_retention.error_retention: expected a number of milliseconds",
        ),
    ],
)
async def test_mistakes_are_told_in_words_of_json(explorer: Explorer, body: Any, says: str) -> None:
    """No name of ours is in them."""
    _, answer = await explorer.send("POST", INSTANCES, body)
    text = answer["messages"][0]["message"]
    assert says in text
    assert "Body" not in text


STREAMING = """
from cfworkflows import WorkflowEntrypoint


async def pieces():
    yield b"\\x00\\xff"
    yield b"two"


class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        async def sometimes(ctx):
            if ctx.attempt == 1:
                raise ValueError("once")
            return pieces()

        await step.do("plain", pieces)
        await step.do("again", sometimes, retries={"limit": 1, "delay": 1000})
        await step.do("secret", pieces, sensitive="output")
        return await step.do("values", lambda: {"a": [1, 2], "b": "x y"})
"""


@pytest.fixture
async def streaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Explorer]:
    """An instance with steps whose outputs are streams."""
    monkeypatch.setattr(shop, "WORKER", shop.WORKER + STREAMING)
    async with served(tmp_path) as explorer:
        await explorer.orders.create(id="a")
        await explorer.clock.advance("1 hour")
        yield explorer


@pytest.mark.parametrize(("step", "attempt"), [("plain-1", ""), ("plain-1", "&attempt=1"), ("again-1", "&attempt=2")])
async def test_stream_is_given_as_its_bytes(streaming: Explorer, step: str, attempt: str) -> None:
    """Not as the text that stands for it elsewhere."""
    url = f"{streaming.url}{INSTANCES}/a/step?name={step}&type=step{attempt}"
    async with streaming.session.get(url) as answer:
        assert (200, "application/octet-stream") == (answer.status, answer.content_type)
        assert b"\x00\xfftwo" == await answer.read()


async def test_what_is_no_stream_stays_json(streaming: Explorer) -> None:
    """An attempt that failed, and an output that is to be hidden."""
    _, answer = await streaming.get(f"{INSTANCES}/a/step?name=again-1&type=step&attempt=1")
    assert ("errored", "once") == (answer["result"]["status"], answer["result"]["error"]["message"])
    _, answer = await streaming.get(f"{INSTANCES}/a/step?name=secret-1&type=step")
    assert "[REDACTED]" == answer["result"]["output"]


async def test_outputs_are_written_as_javascript_does(streaming: Explorer) -> None:
    """Without spaces, those of steps and that of the instance."""
    details = (await streaming.get(f"{INSTANCES}/a"))[1]["result"]
    assert '{"a":[1,2],"b":"x y"}' == details["steps"][-1]["output"] == details["output"]
