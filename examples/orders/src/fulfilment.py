from typing import Any, Protocol, TypedDict

from cfworkflows import D1Database, NonRetryableError, WorkflowEntrypoint, WorkflowEvent, WorkflowStep


class Env(Protocol):
    DB: D1Database


class Params(TypedDict):
    orderId: str


class Fulfilment(WorkflowEntrypoint[Env, Params]):
    async def run(self, event: WorkflowEvent[Params], step: WorkflowStep) -> dict[str, Any]:
        id = event.payload["orderId"]

        async def read_order() -> Any:
            return await self.env.DB.prepare("SELECT sku, quantity, card FROM orders WHERE id = ?").bind(id).first()

        order = await step.do("read order", read_order)

        try:

            async def reserve_stock() -> None:
                try:
                    await (
                        self.env.DB.prepare(
                            "INSERT INTO reservations VALUES (?, ?, ?) ON CONFLICT (order_id) DO NOTHING"
                        )
                        .bind(id, order.sku, order.quantity)
                        .run()
                    )
                except Exception as error:
                    if "CHECK constraint failed" in str(error):
                        raise NonRetryableError(f"Too little stock of {order.sku}") from error
                    raise

            await step.do("reserve stock", reserve_stock)

            await step.sleep("let the customer think again", "2 seconds")

            async def charge_card() -> Any:
                if order.card == "declined":
                    raise NonRetryableError("The card was declined")
                await (
                    self.env.DB.prepare(
                        "INSERT OR IGNORE INTO payments SELECT ?1, price * ?2 FROM products WHERE sku = ?3",
                    )
                    .bind(id, order.quantity, order.sku)
                    .run()
                )
                return (
                    await self.env.DB.prepare("SELECT amount FROM payments WHERE order_id = ?").bind(id).first("amount")
                )

            amount = await step.do("charge card", charge_card)

            async def confirm_order() -> None:
                await self.env.DB.prepare("UPDATE orders SET status = 'confirmed' WHERE id = ?").bind(id).run()

            await step.do("confirm order", confirm_order)
            return {"amount": amount}
        except Exception:
            # Compensate: nothing is reserved, charged or left open
            async def cancel_order() -> None:
                await self.env.DB.batch([
                    self.env.DB.prepare("DELETE FROM payments WHERE order_id = ?").bind(id),
                    self.env.DB.prepare("DELETE FROM reservations WHERE order_id = ?").bind(id),
                    self.env.DB.prepare("UPDATE orders SET status = 'cancelled' WHERE id = ?").bind(id),
                ])  # fmt: skip

            await step.do("cancel order", cancel_order)
            raise
