async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
  const result = await step.do("call flaky API", {
    retries: {
      limit: 10,
      delay: "1 second",
      backoff: "exponential"  // 1s, 2s, 4s, 8s...
    },
    timeout: "30 seconds"
  }, async () => {
    return await flakyApiCall();
  });
}
