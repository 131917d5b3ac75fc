"""What tests of users give to steps: frozen times and mocks of other libraries."""

from datetime import UTC, datetime
from unittest.mock import AsyncMock, MagicMock

import freezegun
import pytest

from cfworkflows import SerializationError, WorkflowEntrypoint
from cfworkflows.testing import FakeEnv


class Dated(WorkflowEntrypoint):
    async def run(self, event, step):
        stepped = await step.do("now", lambda: datetime.now(UTC))
        sent = await step.wait_for_event("sent", type="sent")
        return [event.payload.at, stepped, sent.payload]


async def test_frozen_times_go_through_params_steps_and_events():
    """What freezegun makes of a datetime is read back as a datetime, also by a replay and in the timeline."""
    moment = datetime(2026, 3, 1, 10, tzinfo=UTC)
    async with FakeEnv(DATED=Dated, evict_after=0) as env:
        with freezegun.freeze_time(moment, real_asyncio=True):
            instance = await env.DATED.create(params={"at": datetime.now(UTC)})
            await env.clock.settle()
            await instance.send_event(type="sent", payload=datetime.now(UTC))
            result = await instance.result()
            text = await instance.timeline()
        assert [moment] * 3 == result
        assert [datetime] * 3 == [type(each) for each in await instance.result()]
        assert '"now-1" gave' in text


class Calling(WorkflowEntrypoint):
    async def run(self, event, step):
        return await step.do("call", lambda: self.env.BANK.charge(5))


@pytest.mark.parametrize("bank", [MagicMock(), AsyncMock()], ids=["MagicMock", "AsyncMock"])
async def test_a_mock_without_a_return_value_is_named(bank):
    """A mock says of everything that it can do it; it is no stream."""
    async with FakeEnv(CALLING=Calling, BANK=bank) as env:
        with pytest.raises(SerializationError, match=r"Mock cannot be stored\. Give the mock a return_value"):
            await (await env.CALLING.create()).result()
        bank.charge.return_value = "paid"
        assert "paid" == await (await env.CALLING.create()).result()
