"""The seven patterns of Cloudflare's documentation, with short durations."""

from journal import note

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Saga(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        id, order = event.instanceId, event.payload

        async def reserve():
            await note(id, "reserve", order["items"])
            return {"id": "r-1", "items": order["items"]}

        async def charge(ctx):
            await note(id, "charge", ctx.attempt)
            if order.get("failAt") == "charge":
                raise Exception("card declined")
            return {"id": "p-1", "amount": len(order["items"]) * 10}

        reservation = await step.do("reserve inventory", reserve)
        try:
            retries = {"limit": 1, "delay": 100, "backoff": "constant"}
            payment = await step.do("charge payment", {"retries": retries}, charge)
            await step.do("confirm order", lambda: note(id, "confirm", [reservation.id, payment.id]))
        except Exception:
            await step.do("release inventory", lambda: note(id, "release", reservation.id))
            raise
        return {"ok": True, "reservation": reservation.id, "payment": payment.id}


class Approval(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        id = event.instanceId
        await step.do("send approval request", lambda: note(id, "ask", event.payload.approverEmail))
        approval = await step.wait_for_event("wait for approval", {"type": "manager_approval", "timeout": "7 days"})
        if approval.payload.approved:
            await step.do("execute action", lambda: note(id, "execute"))
            return "executed"
        await step.do("notify rejection", lambda: note(id, "reject"))
        return "rejected"


class Reminders(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        id, user = event.instanceId, event.payload.userId
        for i in range(1, 4):
            await step.do(f"send reminder {i}", lambda i=i: note(id, f"reminder {i}", user))
            await step.sleep(f"wait {i}", event.payload.get("unit", "1 second"))


class Backoff(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        id, params = event.instanceId, event.payload
        retries = {"limit": params.get("limit", 10), "delay": params.get("delay", 500), "backoff": "exponential"}

        @step.do("call flaky API", {"retries": retries, "timeout": "30 seconds"})
        async def call(ctx):
            await note(id, "attempt", ctx.attempt)
            if ctx.attempt < params.succeedOn:
                raise Exception("flaky API 503")
            return {"attempt": ctx.attempt}

        return await call()


class FanOut(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        async def process(item):
            await note(event.instanceId, "process", item.id)
            return {"id": item.id, "ok": item.id % 2 == 0}

        results = []
        for item in event.payload["items"]:
            results.append(await step.do(f"process {item.id}", lambda item=item: process(item)))  # noqa: PERF401
        return await step.do(
            "aggregate results", lambda: {"total": len(results), "success": sum(result.ok for result in results)}
        )


class Callback(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        async def start():
            await note(event.instanceId, "start", {"callbackInstanceId": event.instanceId})
            return "job-7"

        job = await step.do("start job", start)
        result = await step.wait_for_event("wait for job", {"type": "job_complete", "timeout": "1 hour"})
        return {"jobId": job, "status": result.payload.status}


class Fallback(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        timeout = event.payload.get("timeout", "1 second")
        if timeout == 600:  # milliseconds, less than production allows
            timeout = 1_000
        try:
            answer = await step.wait_for_event("wait for API", {"type": "api_response", "timeout": timeout})
        except Exception as error:  # noqa: BLE001 - as in the TypeScript
            await note(event.instanceId, "caught", error)
            return await step.do("get fallback", lambda: {"cached": event.payload.key})
        return answer.payload
