"""The Worker's handlers, called by a test."""

from pathlib import Path

import pytest

from cfworkflows import Request
from cfworkflows.testing import Message, WorkerClient
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.testing.opening import project_world

CONFIG = """
name = "handlers"
main = "entry.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]
"""
HANDLERS = """
from cfworkflows import Response, WorkerEntrypoint

seen = []

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        headers = dict(request.headers.items())
        return Response.json({"url": request.url, "method": request.method, "headers": headers,
                              "body": await request.text()})

    async def scheduled(self, controller, env, ctx):
        seen.append((controller.cron, controller.scheduledTime))
        controller.noRetry()

    async def queue(self, batch, env, ctx):
        for message in batch.messages:
            if message.body == "first":
                message.ack()
                message.retry()
            elif message.body == "later":
                message.retry(delay_seconds=5)
        batch.retryAll({"delaySeconds": 60})
        batch.ackAll()
        if batch.queue == "broken":
            raise ValueError("broken")
"""


@pytest.fixture
async def client(tmp_path: Path, request: pytest.FixtureRequest):
    (tmp_path / "wrangler.toml").write_text(CONFIG)
    (tmp_path / "entry.py").write_text(getattr(request, "param", HANDLERS))
    async with project_world(load_config(cwd=tmp_path, process_env={})) as world:
        yield WorkerClient(world)


async def test_fetch_takes_paths_urls_and_requests(client):
    """With the options of Request, or json, which brings its content type."""
    told = await (await client.fetch("/a?b=1", method="POST", json={"n": 1}, headers={"x-user": "u1"})).json()
    assert ("http://localhost:8787/a?b=1", "POST", '{"n":1}') == (told.url, told.method, told.body.replace(" ", ""))
    assert ("application/json", "u1") == (told.headers["content-type"], told.headers["x-user"])
    told = await (await client.fetch("https://shop.example/x", {"method": "PUT", "body": "text"})).json()
    assert ("https://shop.example/x", "PUT", "text") == (told.url, told.method, told.body)
    assert "DELETE" == (await (await client.fetch(Request("https://a.example/", method="DELETE"))).json()).method
    with pytest.raises(TypeError, match="body or json"):
        await client.fetch("/", method="POST", body="x", json={})


async def test_scheduled_gets_its_controller(client):
    """At the time of the clock, unless another is given; ctx.noRetry is told."""
    import entry

    controller = await client.scheduled("0 3 * * *")
    await client.scheduled("0 4 * * *", 1_767_240_000_000)
    assert [("0 3 * * *", 1_767_225_600_000), ("0 4 * * *", 1_767_240_000_000)] == entry.seen
    assert not controller.retried


async def test_queue_tells_what_became_of_each_message(client):
    """What was said of a message counts before what was said of the batch, and the first call before the second."""
    batch = await client.queue("incoming", ["first", Message("later", id="m2", attempts=3), "rest"])
    assert ["first"] == [message.body for message in batch.acked]
    assert [("later", 5), ("rest", 60)] == [(each.body, batch.delay_of(each)) for each in batch.retried]
    assert "2026-01-01T00:00:00+00:00" == batch.messages[0].timestamp.isoformat()
    with pytest.raises(ValueError, match="broken"):
        await client.queue("broken", [])


@pytest.mark.parametrize("client", ["from cfworkflows import WorkerEntrypoint"], indirect=True)
async def test_missing_handlers_are_named(client):
    """With what to write."""
    with pytest.raises(RuntimeError, match=r"does not export a queue\(\) function.*\n.*\n.*def queue\(self, batch"):
        await client.queue("incoming", ["x"])
    with pytest.raises(RuntimeError, match=r"does not export a scheduled\(\) function"):
        await client.scheduled("* * * * *")
    with pytest.raises(RuntimeError, match=r"does not export a fetch\(\) function"):
        await client.fetch("/")
