async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
  const reservation = await step.do("reserve inventory", async () => {
    return await reserveItems(event.payload.items);
  });

  try {
    const payment = await step.do("charge payment", async () => {
      return await chargeCard(event.payload.paymentMethod);
    });

    await step.do("confirm order", async () => {
      return await confirmOrder(reservation.id, payment.id);
    });
  } catch (error) {
    // Compensating transaction
    await step.do("release inventory", async () => {
      await releaseReservation(reservation.id);
    });
    throw error;
  }
}
