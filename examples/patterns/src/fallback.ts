async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
  let response;

  try {
    response = await step.waitForEvent<ApiResponse>("wait for API", {
      type: "api_response",
      timeout: "5 minutes"
    });
  } catch (e) {
    // Timeout: use cached/default value
    response = await step.do("get fallback", async () => {
      return await getCachedValue(event.payload.key);
    });
  }

  return response;
}
