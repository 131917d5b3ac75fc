"""How much each measure does."""

import dataclasses
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sizes:
    """Numbers of things; seconds where a name ends with `_s`.

    `timers_ahead_s` is less than the grace period after which instances leave memory.
    """

    request_s: int
    connections: tuple[int, ...]
    instances: tuple[int, ...]
    steps: tuple[int, ...]
    fan_out: int
    events: int
    sleeping: int
    killed: int
    killed_sleep_s: int
    commits: int
    floor_instances: int
    sleepers: int
    slopes: tuple[int, ...]
    tests: int
    timers: int
    timers_ahead_s: int
    settle_s: float

    def with_sleepers(self, count: int) -> "Sizes":
        return dataclasses.replace(self, sleepers=count)


FULL = Sizes(
    request_s=4,
    connections=(1, 16, 64),
    instances=(200, 1_000, 3_000),
    steps=(1_000, 10_000),
    fan_out=500,
    events=200,
    sleeping=5_000,
    killed=1_000,
    killed_sleep_s=90,
    commits=2_000,
    floor_instances=2_000,
    sleepers=100_000,
    slopes=(100, 400, 800),
    tests=10,
    timers=10_000,
    timers_ahead_s=8,
    settle_s=3,
)

TINY = Sizes(
    request_s=1,
    connections=(1, 4),
    instances=(5,),
    steps=(10,),
    fan_out=5,
    events=3,
    sleeping=5,
    killed=3,
    killed_sleep_s=3,
    commits=10,
    floor_instances=10,
    sleepers=50,
    slopes=(2, 4, 8),
    tests=2,
    timers=20,
    timers_ahead_s=2,
    settle_s=0.1,
)
