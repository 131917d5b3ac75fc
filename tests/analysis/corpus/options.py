"""Durations, retries, timeouts and types of events."""

import math
from datetime import UTC, datetime, timedelta

from cfworkflows import WorkflowEntrypoint, WorkflowRetryConfig, WorkflowStepConfig

DELAY = "5minutes"
SECONDS = 1_000
RETRIES = {"limit": 3, "delay": "1 second"}


class Durations(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep("a", "5minutes")  # !duration
        await step.sleep("b", DELAY)  # !duration
        await step.sleep("c", -1)  # !duration
        await step.sleep("d", "2 years")  # !duration
        await step.sleep("e", timedelta(days=400))  # !duration
        await step.sleep_until("f", 1_800_000_000)  # !duration
        await step.sleepUntil("g", "2027-01-01")  # !duration
        await step.wait_for_event("h", {"type": "go", "timeout": "soon"})  # !duration
        await step.wait_for_event("i", type="go", timeout=0)  # !duration
        await step.sleep("j", "1 year")
        await step.sleep("k", 24 * 60 * 60 * SECONDS)
        await step.sleep("l", timedelta(days=3))
        await step.sleep("m", event.payload.delay)
        await step.sleep_until("n", 1_800_000_000_000)
        await step.sleep_until("o", datetime(2027, 1, 1, tzinfo=UTC))


class Options(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("a", {"retries": {"limit": 3}}, lambda: 1)  # !step-options
        await step.do("b", {"retries": {"limit": 20_000, "delay": 1}}, lambda: 1)  # !step-options
        await step.do("c", {"retry": 3}, lambda: 1)  # !step-options
        await step.do("d", {"timeout": "10 secnds"}, lambda: 1)  # !duration
        await step.do("e", lambda: 1, timeout=0)  # !step-options
        await step.do("f", {"timeout": "2 hours"}, lambda: 1)  # !long-timeout
        await step.do("g", lambda: 1, {"rollback": print, "rollbackConfig": {"limit": 1}})  # !step-options
        await step.do("h", WorkflowStepConfig(timeout="1 eon"), lambda: 1)  # !duration

        @step.do("i", config={"retries": {"limit": 1, "delay": 1, "backoff": "slowly"}})  # !step-options
        async def load():
            return 1

        await load()
        await step.do("j", {"retries": RETRIES, "timeout": "30 seconds"}, lambda: 1)
        await step.do("k", {"retries": {"limit": math.inf, "delay": lambda it: 1}}, lambda: 1)
        await step.do("l", {"retries": event.payload.retries, "timeout": event.payload.timeout}, lambda: 1)
        await step.do("m", WorkflowStepConfig(retries=WorkflowRetryConfig(limit=1, delay=1)), lambda: 1)
        await step.do("n", {"retries": {"limit": event.payload.limit, "delay": "1 second"}}, lambda: 1)


class Events(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.wait_for_event("a", {"type": "order.paid"})  # !event-type
        await step.wait_for_event("b", "x" * 101)  # !event-type
        await step.wait_for_event("c")  # !event-type
        await step.wait_for_event("g", {"event": "order_paid"})  # !event-type
        await step.wait_for_event("h", {"timeout": "1 day"})  # !event-type
        await step.wait_for_event("d", {"type": event.payload.type, "timeout": "1 day"})
        await step.wait_for_event("e", "order_paid", timeout="1 day")
        await step.wait_for_event("i", {**event.payload.wait})
        await step.wait_for_event("j", event.payload.wait)
        await step.wait_for_event("k", {"timeout": "1 day"}, type="order_paid")
        return await step.waitForEvent("f", {"type": "order-paid"})
