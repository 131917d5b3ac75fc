"""The scheduled handler of a Worker: fired by its crons, and by requests."""

import sys

import pytest

from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.runtime import Project
from cfworkflows_emulator.runtime.crons import fire

CRONS = '[triggers]\ncrons = ["0 3 * * *", "0 */12 * * *"]\n'
SCHEDULED = """
seen = []
class Default(WorkerEntrypoint):
    async def scheduled(self, controller, env, ctx):
        seen.append((controller.cron, controller.scheduledTime % 86_400_000 // 3_600_000, env is self.env))
        if controller.cron == "broken":
            controller.noRetry()
            raise ValueError("broken")
"""


async def test_crons_fire_at_their_times(write):
    """With the expression and the time they are for, and the env of the Worker."""
    clock = VirtualClock()
    async with Project.open(write(SCHEDULED, CRONS), clock=clock):
        seen = sys.modules["entry"].seen
        await clock.advance("1 day")
    assert [("0 3 * * *", 3, True), ("0 */12 * * *", 0, True), ("0 */12 * * *", 12, True)] == sorted(
        set(seen), key=lambda each: (each[0] != "0 3 * * *", each[1])
    )


async def test_a_module_level_handler_is_called(write):
    """Of an old file, with the notice that the platform no longer does."""
    clock = VirtualClock()
    source = "seen = []\nasync def on_scheduled(controller, env): seen.append(controller.cron)\n"
    async with Project.open(write(source, CRONS), clock=clock) as project:
        await clock.advance("1 day")
        assert "0 3 * * *" in sys.modules["entry"].seen
        assert any(notice.startswith("on_scheduled is called here") for notice in project.notices)


async def test_the_outcome_of_a_firing(write, caplog):
    """What the handler raises is logged, and whether it wants another try is told."""
    async with Project.open(write(SCHEDULED)) as project:
        outcome = await fire(project.worker, "* * * * *", 0)
        assert ("ok", False) == (outcome.outcome, outcome.no_retry)
        outcome = await fire(project.worker, "broken", 0)
        assert ("exception", True) == (outcome.outcome, outcome.no_retry)
    assert "ValueError: broken" in caplog.text


async def test_crons_without_a_handler_are_told(write):
    """With their place; nothing fires."""
    clock = VirtualClock()
    async with Project.open(write(config=CRONS), clock=clock) as project:
        assert ["triggers.crons (wrangler.toml:5:9) fires nothing"] == [each[:48] for each in project.notices]
        assert clock.next_timer is None


@pytest.mark.parametrize("fires", [True, False])
async def test_crons_fire_only_if_asked(write, fires):
    """The test kit calls the handler itself."""
    clock = VirtualClock()
    async with Project.open(write(SCHEDULED, CRONS), clock=clock, fire_crons=fires):
        assert fires == (clock.next_timer is not None)
