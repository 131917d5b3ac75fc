from services import flaky_api

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Backoff(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        result = await step.do("call flaky API", {
            "retries": {
                "limit": 10,
                "delay": "1 second",
                "backoff": "exponential",  # 1s, 2s, 4s, 8s...
            },
            "timeout": "30 seconds",
        }, lambda: flaky_api.call())  # fmt: skip
        return result
