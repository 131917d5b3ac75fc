from services import get_cached_value

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Fallback(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        response: object
        try:
            response = await step.wait_for_event("wait for API", {
                "type": "api_response",
                "timeout": "5 minutes",
            })  # fmt: skip
        except Exception:
            # Timeout: use cached/default value
            response = await step.do("get fallback", lambda: get_cached_value(event.payload.key))

        return response
