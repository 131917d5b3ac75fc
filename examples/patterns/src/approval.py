from services import send_slack_message

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Approval(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        await step.do("send approval request", lambda: send_slack_message(event.payload.approverEmail))

        approval = await step.wait_for_event("wait for approval", {
            "type": "manager_approval",
            "timeout": "7 days",
        })  # fmt: skip

        if approval.payload.approved:
            await step.do("execute action", lambda: print("executed the action"))
        else:
            await step.do("notify rejection", lambda: print("told them that it was rejected"))
