async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
  for (let i = 0; i < 3; i++) {
    await step.do(`send reminder ${i + 1}`, async () => {
      await sendReminder(event.payload.userId);
    });
    await step.sleep(`wait ${i + 1}`, "1 day");
  }
}
