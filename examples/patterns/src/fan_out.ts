async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
  const items = event.payload.items;

  // Fan-out: process each item
  const results = [];
  for (const item of items) {
    const result = await step.do(`process ${item.id}`, async () => {
      return await processItem(item);
    });
    results.push(result);
  }

  // Fan-in: aggregate
  const summary = await step.do("aggregate results", async () => {
    return { total: results.length, success: results.filter(r => r.ok).length };
  });

  return summary;
}
