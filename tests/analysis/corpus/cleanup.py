"""What is done whenever a wait is left by force."""

import asyncio

from notifications import client, notify

from cfworkflows import WorkflowEntrypoint, fetch


class Effects(WorkflowEntrypoint):
    async def run(self, event, step):
        try:
            await step.sleep("wait", "1 day")
        finally:
            await self.env.ALARMS.create({"id": event.instance_id})  # !cleanup
            open("log", "a").write("over")  # !cleanup
        try:
            await self.wait(step)
        except BaseException:
            await notify(event.payload["user"])  # !cleanup
            raise
        try:
            await step.wait_for_event("approval", {"type": "approval"})
        except (asyncio.CancelledError, ValueError):
            await client.post("/failed")  # !cleanup
            raise

    async def wait(self, step):
        await step.sleep("in a helper", "1 day")


class Steps(WorkflowEntrypoint):
    async def run(self, event, step):
        try:
            await step.sleep("wait", "1 day")
        finally:
            await step.do("release", lambda: notify("released"))
        try:
            await step.sleep("wait again", "1 day")
        except Exception:
            await step.do("notify", lambda: notify(event.payload["user"]))
            raise
        try:
            await step.sleep("and again", "1 day")
        finally:
            await self.undo(step)

    async def undo(self, step):
        await step.do("undo", lambda: notify("undone"))


class LetsGo(WorkflowEntrypoint):
    async def run(self, event, step):
        lock = asyncio.Lock()
        await lock.acquire()
        try:
            await step.sleep("wait", "1 day")
        finally:
            lock.release()
            await client.aclose()
            print("done")


class NoStep(WorkflowEntrypoint):
    async def run(self, event, step):
        try:
            order = dict(event.payload)
        finally:
            await notify("parsed")

        async def work():
            try:
                return await fetch("https://example.com")
            finally:
                await notify("fetched")

        return await step.do("work", lambda: work_of(order, work))


async def work_of(order, work):
    response = await work()
    return [order, response.status]
