from dataclasses import dataclass

from services import charge_card, confirm_order, release_reservation, reserve_items

from cfworkflows import WorkflowEntrypoint, WorkflowEvent, WorkflowStep


@dataclass
class Order:
    items: list[str]
    paymentMethod: str


class OrderSaga(WorkflowEntrypoint[object, Order]):
    async def run(self, event: WorkflowEvent[Order], step: WorkflowStep):
        reservation = await step.do("reserve inventory", lambda: reserve_items(event.payload.items))

        try:
            payment = await step.do("charge payment", lambda: charge_card(event.payload.paymentMethod))

            await step.do("confirm order", lambda: confirm_order(reservation.id, payment.id))
        except Exception:
            # Compensating transaction
            await step.do("release inventory", lambda: release_reservation(reservation.id))
            raise
