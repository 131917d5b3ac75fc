import json

import pytest

from cfworkflows_emulator.clock import SystemClock
from cfworkflows_emulator.runtime import ProjectTime
from cfworkflows_emulator.storage import StateError

HOUR_MS = 3_600_000


def test_time_never_goes_back(tmp_path):
    """After an hour ahead, a process without a speed goes on from there, and so does the one after it."""
    fast = ProjectTime(tmp_path, 1_000_000)
    fast.keep()
    while fast.clock.now() < SystemClock().now() + HOUR_MS:
        pass
    fast.close()
    ahead = fast.clock.now()
    second = ProjectTime(tmp_path, 1)
    second.keep()
    second.close()
    third = ProjectTime(tmp_path, 1).clock.now()
    assert SystemClock().now() + HOUR_MS <= third <= ahead + HOUR_MS


def test_a_process_that_was_killed_lost_less_than_a_beat(tmp_path):
    """Nothing was written for a minute: one second of it was fast, and the others as everywhere."""
    real = SystemClock().now()
    (tmp_path / "clock.json").write_text(json.dumps({"real": real - 60_000, "now": real, "speed": 1000}))
    now = ProjectTime(tmp_path, 1).clock.now()
    assert real + 1_000_000 + 59_000 <= now < real + 1_000_000 + 69_000


def test_without_a_speed_it_is_the_machines_time(tmp_path):
    """Also in the second process."""
    for _ in range(2):
        before = SystemClock().now()
        project_time = ProjectTime(tmp_path, 1)
        project_time.keep()
        project_time.close()
        assert before <= project_time.clock.now() <= SystemClock().now()


def test_a_clock_that_was_set_back_before_the_start_turns_nothing_back(tmp_path):
    """The last process wrote a time that is an hour from now: it goes on from there, and not faster than others."""
    real = SystemClock().now()
    later = real + HOUR_MS
    (tmp_path / "clock.json").write_text(json.dumps({"real": later, "now": later, "speed": 1}))
    assert later <= ProjectTime(tmp_path, 1).clock.now() < later + 60_000


def test_a_time_that_cannot_be_written_is_told(tmp_path, caplog):
    """The folder has gone: a warning names the file, and the clock goes on."""
    project_time = ProjectTime(tmp_path / "gone", 1)
    project_time.keep()
    project_time.close()
    assert "clock.json: No such file or directory." in caplog.text
    assert SystemClock().now() - 60_000 < project_time.clock.now()


def test_a_file_that_is_damaged_is_named(tmp_path):
    """What to do is said."""
    (tmp_path / "clock.json").write_text("?")
    with pytest.raises(StateError, match=r"clock\.json does not say what time it is"):
        ProjectTime(tmp_path, 1)


async def test_timers_of_a_fast_clock_fire_early(tmp_path):
    """A day takes less than a tenth of a second at a million times the speed, and the timer sees the day."""
    import asyncio

    clock = SystemClock(1_000_000)
    fired = asyncio.get_running_loop().create_future()
    due = clock.now() + 24 * HOUR_MS
    clock.call_at(due, lambda: fired.set_result(clock.now()))
    async with asyncio.timeout(10):
        assert await fired >= due
