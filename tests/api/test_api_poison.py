"""Instances whose values cannot be printed are shown by every route."""

import pytest
from shop import BASE, REST, Explorer

INSTANCE = "workflows/orders/instances/bad"
POISON = [10**5_000, {10**5_000: 1}, [float("nan"), 1j], "\ud800", "\0", b"\xff" * 10, [[[[]]]] * 3]


@pytest.mark.parametrize("value", POISON, ids=range(len(POISON)))
async def test_what_cannot_be_printed_can_be_shown(explorer: Explorer, value: object) -> None:
    """As params, as the payload of an event, and as an output."""
    instance = await explorer.orders.create(id="bad", params={"value": value})
    await explorer.clock.advance("2 hours")
    await instance.send_event(type="answer", payload=value)
    await explorer.clock.settle()
    assert "complete" == (await instance.status()).status
    for path in (
        f"{BASE}/{INSTANCE}",
        f"{BASE}/{INSTANCE}/timeline",
        f"{REST}/{INSTANCE}",
        f"{REST}/{INSTANCE}?simple=true",
        f"{BASE}/{INSTANCE}/subscribe",
    ):
        status, answer = await explorer.get(path)
        assert (200, True) == (status, bool(answer)), path


async def test_an_instance_with_a_damaged_journal_is_shown_and_deleted(explorer: Explorer) -> None:
    """It is errored, and says where its journal cannot be read."""
    await explorer.orders.create(id="bad")
    await explorer.clock.settle()
    engine = explorer.project.engine
    await engine.store.flushed()
    await engine.store._database.run(lambda db: db.execute("DELETE FROM journal WHERE type = 'step_started'"))
    engine.residents.actors.clear()
    for path in (f"{BASE}/{INSTANCE}", f"{REST}/{INSTANCE}"):
        status, answer = await explorer.get(path)
        assert (200, "errored") == (status, answer["result"]["status"])
        assert "cannot be read from entry" in answer["result"]["error"]["message"]
    status, answer = await explorer.get(f"{BASE}/{INSTANCE}/export")
    assert (400, True) == (status, "Instance bad cannot be exported" in answer["errors"][0]["message"])
    status, _ = await explorer.send("DELETE", f"{BASE}/{INSTANCE}")
    assert 200 == status
