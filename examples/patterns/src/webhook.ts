async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
  // Start async job
  const jobId = await step.do("start job", async () => {
    const resp = await fetch("https://api.example.com/jobs", {
      method: "POST",
      body: JSON.stringify({ callbackInstanceId: event.instanceId })
    });
    return (await resp.json()).jobId;
  });

  // Wait for callback
  const result = await step.waitForEvent<{ status: string }>("wait for job", {
    type: "job_complete",
    timeout: "1 hour"
  });

  return { jobId, status: result.status };
}

// Webhook handler Worker
export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { instanceId, status } = await request.json();
    const instance = await env.MY_WORKFLOW.get(instanceId);
    await instance.sendEvent({ type: "job_complete", payload: { status } });
    return new Response("OK");
  }
};
