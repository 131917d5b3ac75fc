"""Values that are stored and read while a library freezes the time."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime, time
from typing import Any

import freezegun
import pytest
import time_machine

from cfworkflows.values import decode, encode

Freeze = Callable[[str], AbstractContextManager[Any]]


def _still(moment: str) -> AbstractContextManager[Any]:
    return time_machine.travel(moment, tick=False)


@pytest.mark.parametrize("freeze", [freezegun.freeze_time, _still])
def test_a_frozen_time_is_stored_as_any_other(freeze: Freeze) -> None:
    """freezegun puts a class of its own in the place of datetime: what is stored does not know of it."""
    with freeze("2026-03-01 10:00:00"):
        now = {"at": datetime.now(UTC), "day": date.today(), "time": time(10)}  # noqa: DTZ011 - as people do
        text = encode(now)
        assert now == decode(text)
    back = decode(text)
    assert [datetime, date, time] == [type(value) for value in back.values()]
    assert datetime(2026, 3, 1, 10, tzinfo=UTC) == back["at"]
    assert date(2026, 3, 1) == back.day
