"""The Worker whose states are kept: what it was then. It may change in no way that a replay would notice."""

from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint


class Order(WorkflowEntrypoint):
    """Complete, asleep, or to be tried again, as its params say."""

    async def run(self, event, step):
        first = await step.do("first", lambda: {"item": event.payload["item"], "count": 3})

        async def flaky(ctx):
            if ctx.attempt == 1 and event.payload["item"] == "retried":
                raise ValueError("not yet")
            return ctx.attempt

        attempt = await step.do("flaky", {"retries": {"limit": 3, "delay": "1 minute"}}, flaky)
        if event.payload["item"] == "asleep":
            await step.sleep("nap", "1 minute")
        return [first["item"], attempt, await step.do("last", lambda: "done")]


class Approval(WorkflowEntrypoint):
    async def run(self, event, step):
        got = await step.wait_for_event("approval", {"type": "approval", "timeout": "365 days"})
        return got.payload


class Refused(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("reserve", lambda: "r1", {"rollback": lambda it: None})
        raise ValueError("refused")


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        _, workflow, id, act = request.url.partition("//")[2].split("/")
        binding = getattr(self.env, workflow.upper())
        if act == "create":
            await binding.create({"id": id, "params": {"item": id}})
        elif act != "status":
            await getattr(await binding.get(id), act)()
        return Response.json((await (await binding.get(id)).status()).status)
