"""`concurrency` and `default_retention` of the configuration, over HTTP and over a `kill -9`."""

import asyncio
import json
import signal

JOBS = """
go = asyncio.Event()

class Job(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("work", lambda: go.wait())

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        what, *ids = request.url.split("/")[3:]
        if what == "go":
            go.set()
        elif what == "create":
            await self.env.JOB.create_batch([{"id": id} for id in ids])
        return Response(what)
"""
CONFIG = """
[[workflows]]
name = "job"
binding = "JOB"
class_name = "Job"
concurrency = { limit = 2 }
default_retention = { success_retention = 1 }
"""
API = "/cdn-cgi/local/explorer/api/workflows/job"


async def result(dev, path=""):
    return json.loads((await dev.get(API + path))[1])["result"]


async def statuses(dev):
    return {row["id"]: row["status"] for row in await result(dev, "/instances")}


async def test_a_queue_survives_a_kill_and_what_has_ended_is_deleted(write, running):
    """Two of four run, before and after; then all complete, and a moment later there is none."""
    write(JOBS, CONFIG)
    queued = {"a": "running", "b": "running", "c": "queued", "d": "queued"}
    async with running() as dev:
        assert "not supported" not in dev.text
        await dev.get("/create/a/b/c/d")
        assert queued == await statuses(dev)
        counts = (await result(dev))["instances"]
        assert (2, 2) == (counts["queued"], counts["running"])
        waiting = await result(dev, "/instances/c")
        assert ("queued", None) == (waiting["status"], waiting["start"])
        assert waiting["queued"] is not None
        dev.signal(signal.SIGKILL)
        await dev.ended()
    async with running() as dev:
        assert queued == await statuses(dev)
        await dev.get("/go")
        async with asyncio.timeout(30):
            while await statuses(dev):
                pass
        assert 404 == (await dev.get(API + "/instances/a"))[0]
        assert 0 == await dev.stop()
