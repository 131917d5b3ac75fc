from services import send_reminder

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Reminders(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        for i in range(3):
            await step.do(f"send reminder {i + 1}", lambda: send_reminder(event.payload.userId))
            await step.sleep(f"wait {i + 1}", "1 day")
