"""The orders, tested as any project tests its Worker: `pytest` in the folder of the example."""

from datetime import UTC, datetime, timedelta

import pytest


async def order(worker, sku="book", quantity=2, card="visa"):
    created = await worker.fetch("/orders", method="POST", json={"sku": sku, "quantity": quantity, "card": card})
    assert created.status == 201
    return (await created.json())["id"]


async def stock(env, sku):
    return await env.DB.prepare("SELECT stock FROM products WHERE sku = ?").bind(sku).first("stock")


async def test_order_is_confirmed(worker, env):
    """The stock is reserved, and the card charged with the price."""
    id = await order(worker)
    assert await (await env.FULFILMENT.get(id)).result() == {"amount": 40}
    assert (await (await worker.fetch(f"/orders/{id}")).json())["status"] == "confirmed"
    assert await stock(env, "book") == 8


@pytest.mark.parametrize(
    ("fault", "message"),
    [({"card": "declined"}, "The card was declined"), ({"quantity": 11}, "Too little stock of book")],
)
async def test_order_is_cancelled(worker, env, clock, fault, message):
    """What was reserved is there again, and the instance has the reason."""
    id = await order(worker, **fault)
    await clock.advance("1 minute")
    status = await (await env.FULFILMENT.get(id)).status()
    assert ("errored", message) == (status.status, status.error.message)
    assert await env.DB.prepare("SELECT status FROM orders").first("status") == "cancelled"
    assert await stock(env, "book") == 10
    assert await env.DB.prepare("SELECT count(*) AS n FROM payments").first("n") == 0


@pytest.mark.parametrize("body", ["{", "[]", '{"sku": "book"}', '{"sku": "no", "quantity": 1, "card": "visa"}'])
async def test_bad_order(worker, body):
    """It is a 400, and nothing is stored."""
    assert (await worker.fetch("/orders", method="POST", body=body)).status == 400
    assert await (await worker.fetch("/orders")).json() == []


async def test_unknown_order(worker):
    """It is a 404."""
    assert (await worker.fetch("/orders/unknown")).status == 404


async def test_sweep(worker, env, clock):
    """Cancelled orders go after a day, and others stay. `unixepoch()` in SQL is the machine's own time."""
    now = datetime.now(UTC)
    await order(worker, card="declined")
    kept = await order(worker)
    await clock.advance("1 minute")
    await worker.scheduled("*/15 * * * *", now)
    assert len(await (await worker.fetch("/orders")).json()) == 2
    await worker.scheduled("*/15 * * * *", now + timedelta(days=2))
    assert [kept] == [each["id"] for each in await (await worker.fetch("/orders")).json()]
