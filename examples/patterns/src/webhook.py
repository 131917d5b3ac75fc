import json

from cfworkflows import Request, Response, WorkflowEntrypoint, WorkflowEvent, WorkflowStep, fetch


class Webhook(WorkflowEntrypoint):
    async def run(self, event: WorkflowEvent, step: WorkflowStep):
        # Start async job
        @step.do("start job")
        async def start_job():
            resp = await fetch(event.payload.jobsUrl, {
                "method": "POST",
                "body": json.dumps({"callbackInstanceId": event.instance_id}),
            })  # fmt: skip
            return (await resp.json())["jobId"]

        job_id = await start_job()

        # Wait for callback
        result = await step.wait_for_event("wait for job", {
            "type": "job_complete",
            "timeout": "1 hour",
        })  # fmt: skip

        return {"jobId": job_id, "status": result.payload.status}


# Webhook handler Worker
async def on_callback(request: Request, env) -> Response:
    body = await request.json()
    instance = await env.MY_WORKFLOW.get(body["instanceId"])
    await instance.send_event({"type": "job_complete", "payload": {"status": body["status"]}})
    return Response("OK")
