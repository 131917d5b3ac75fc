async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
  await step.do("send approval request", async () => {
    await sendSlackMessage(event.payload.approverEmail);
  });

  const approval = await step.waitForEvent<{ approved: boolean }>("wait for approval", {
    type: "manager_approval",
    timeout: "7 days"
  });

  if (approval.approved) {
    await step.do("execute action", async () => { /* ... */ });
  } else {
    await step.do("notify rejection", async () => { /* ... */ });
  }
}
