"""An order database: routes that create, list and show orders, and a cron trigger that sweeps."""

import json
import uuid
from typing import Any, Protocol

from fulfilment import Fulfilment

from cfworkflows import D1Database, D1Error, Request, Response, WorkerEntrypoint, Workflow

__all__ = ["Default", "Fulfilment"]


class Env(Protocol):
    DB: D1Database
    FULFILMENT: Workflow[Any]


KEPT = 86_400_000  # a day, in ms


class Default(WorkerEntrypoint[Env]):
    async def fetch(self, request: Request) -> Response:
        match [request.method, *request.url.split("?")[0].split("/")[3:]]:
            case ["POST", "orders"]:
                return await self.create(request)
            case ["GET", "orders"]:
                listed = await self.env.DB.prepare(
                    "SELECT id, sku, quantity, status FROM orders ORDER BY created"
                ).all()
                return Response.json(listed.results)
            case ["GET", "orders", id]:
                order = await self.env.DB.prepare("SELECT * FROM orders WHERE id = ?").bind(id).first()
                if order is None:
                    return Response.json({"error": f"There is no order {id}"}, {"status": 404})
                instance = await self.env.FULFILMENT.get(id)
                return Response.json({**order, "workflow": await instance.status()})
            case ["GET", "products"]:
                return Response.json((await self.env.DB.prepare("SELECT * FROM products ORDER BY sku").all()).results)
            case _:
                return Response("POST /orders, GET /orders, GET /orders/<id>, GET /products\n", {"status": 404})

    async def create(self, request: Request) -> Response:
        id = str(uuid.uuid4())
        try:
            order = await request.json()
            await (
                self.env.DB.prepare(
                    "INSERT INTO orders (id, sku, quantity, card, created) VALUES (?, ?, ?, ?, unixepoch() * 1000)"
                )
                .bind(id, order["sku"], order["quantity"], order["card"])
                .run()
            )
        except (json.JSONDecodeError, KeyError, TypeError, D1Error) as error:
            return Response.json({"error": str(error)}, {"status": 400})
        await self.env.FULFILMENT.create({"id": id, "params": {"orderId": id}})
        return Response.json({"id": id}, {"status": 201})

    async def scheduled(self, controller: Any, env: Env, ctx: Any) -> None:
        """Orders that were cancelled are kept for a day."""
        await (
            self.env.DB.prepare("DELETE FROM orders WHERE status = 'cancelled' AND created < ?")
            .bind(controller.scheduledTime - KEPT)
            .run()
        )
