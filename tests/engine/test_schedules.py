"""Schedules fire by themselves, at their times, with the platform's ids and events."""

import pytest

from cfworkflows_emulator.clock import VirtualClock

HOUR = 3_600_000


def times(server):
    """When the instances of the only workflow were scheduled, oldest first."""

    async def listed():
        rows = await server.engine.list("tick", limit=100)
        return sorted(int(row.id.rpartition("-")[2]) for row in rows)

    return listed()


async def tick(event, step):
    schedule = event.schedule
    return await step.do("say", lambda: [dict(schedule), event.payload, event.instance_id])


async def test_a_schedule_creates_an_instance_at_each_of_its_times(serve):
    """Every hour on the hour, from the next one on."""
    server = await serve(tick, schedules=("0 * * * *",))
    began = server.clock.now()
    await server.clock.advance("150 minutes")
    first = began if began % HOUR == 0 else (began // HOUR + 1) * HOUR
    assert [first + n * HOUR for n in range(len(await times(server)))] == await times(server)
    assert 3 == len(await times(server))


async def test_the_instance_knows_its_schedule(serve):
    """Its id is the expression and the time, its event tells both, and it has no params."""
    server = await serve(tick, schedules=("30 6 * * MON-FRI",))
    await server.clock.advance("7 days")
    due = (await times(server))[0]
    instance = await server.get(f"30 6 * * MON-FRI-{due}")
    output = (await server.settled(instance)).output
    assert [{"cron": "30 6 * * MON-FRI", "scheduledTime": due}, {}, instance.id] == output
    assert 5 == len(await times(server))


async def test_several_schedules_fire_each_for_itself(serve):
    """Two expressions that meet at one time make two instances."""
    server = await serve(tick, schedules=("0 12 * * *", "0 */12 * * *"))
    await server.clock.advance("1 day")
    noon = [time for time in await times(server) if time % (24 * HOUR) == 12 * HOUR]
    assert 2 == len(noon)


@pytest.mark.parametrize("way", ["kill", "stop"])
async def test_a_restart_neither_repeats_nor_makes_up_a_firing(serve, way):
    """What fired stays as it is; what fell due while no server ran is left out."""
    server = await serve(tick, file=True, schedules=("0 * * * *",))
    await server.clock.advance("90 minutes")
    await server.clock.settle()
    before = await times(server)
    await (server.kill() if way == "kill" else server.stop())
    server.clock = VirtualClock(server.clock.now() + 5 * HOUR)
    await server.start()
    await server.clock.advance("1 minute")
    assert before == await times(server)
    await server.clock.advance("1 hour")
    assert len(before) + 1 == len(await times(server))


async def test_a_machine_that_slept_fires_once(serve):
    """For the time that it missed first, and then at the next one."""
    server = await serve(tick, schedules=("0 * * * *",))
    server.clock._now += 5 * HOUR
    await server.clock.advance("1 minute")
    assert 1 == len(await times(server))


async def test_a_schedule_that_never_fires_is_told(serve, caplog):
    """The 30th of February is said to never come, and the workflow works otherwise."""
    server = await serve(tick, schedules=("0 0 30 2 *",))
    assert "never fires" in caplog.text
    await server.clock.advance("365 days")
    assert [] == await times(server)
