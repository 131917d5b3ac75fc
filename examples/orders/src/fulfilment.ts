import { WorkflowEntrypoint, WorkflowEvent, WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";

interface Env {
  DB: D1Database;
}

interface Params {
  orderId: string;
}

export class Fulfilment extends WorkflowEntrypoint<Env, Params> {
  async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
    const id = event.payload.orderId;
    const order = await step.do("read order", async () => {
      return await this.env.DB.prepare("SELECT sku, quantity, card FROM orders WHERE id = ?").bind(id).first();
    });

    try {
      await step.do("reserve stock", async () => {
        try {
          await this.env.DB.prepare("INSERT INTO reservations VALUES (?, ?, ?) ON CONFLICT (order_id) DO NOTHING")
            .bind(id, order.sku, order.quantity)
            .run();
        } catch (error) {
          if (error.message.includes("CHECK constraint failed")) {
            throw new NonRetryableError(`Too little stock of ${order.sku}`);
          }
          throw error;
        }
      });

      await step.sleep("let the customer think again", "2 seconds");

      const amount = await step.do("charge card", async () => {
        if (order.card === "declined") {
          throw new NonRetryableError("The card was declined");
        }
        await this.env.DB.prepare(
          "INSERT OR IGNORE INTO payments SELECT ?1, price * ?2 FROM products WHERE sku = ?3",
        )
          .bind(id, order.quantity, order.sku)
          .run();
        return await this.env.DB.prepare("SELECT amount FROM payments WHERE order_id = ?").bind(id).first("amount");
      });

      await step.do("confirm order", async () => {
        await this.env.DB.prepare("UPDATE orders SET status = 'confirmed' WHERE id = ?").bind(id).run();
      });
      return { amount };
    } catch (error) {
      // Compensate: nothing is reserved, charged or left open
      await step.do("cancel order", async () => {
        await this.env.DB.batch([
          this.env.DB.prepare("DELETE FROM payments WHERE order_id = ?").bind(id),
          this.env.DB.prepare("DELETE FROM reservations WHERE order_id = ?").bind(id),
          this.env.DB.prepare("UPDATE orders SET status = 'cancelled' WHERE id = ?").bind(id),
        ]);
      });
      throw error;
    }
  }
}
