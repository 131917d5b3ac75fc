"""The measures, one a file: rows of the table, and a function that measures one side once."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.measures import (
    commits,
    crash,
    event,
    fan_out,
    floor,
    instances,
    kit,
    memory,
    reload,
    requests,
    scale,
    sleeping,
    slopes,
    start,
    steps,
    timers,
)
from benchmarks.servers import Side
from benchmarks.sizes import Sizes
from benchmarks.table import Row


@dataclass(frozen=True, slots=True)
class Measure:
    """`rows` says what is measured, `measure` gives their values of one side. `most_runs` is for what takes minutes.

    `has_peer` is False for what is only measured of ours.
    """

    rows: Callable[[Sizes], Sequence[Row]]
    measure: Callable[[Side, Sizes], Awaitable[Mapping[str, float]]]
    most_runs: int = 100
    has_peer: bool = True


MEASURES = {
    "start": Measure(start.rows, start.measure),
    "reload": Measure(reload.rows, reload.measure),
    "memory": Measure(memory.rows, memory.measure),
    "requests": Measure(requests.rows, requests.measure),
    "instances": Measure(instances.rows, instances.measure),
    "steps": Measure(steps.rows, steps.measure, most_runs=3),
    "fan-out": Measure(fan_out.rows, fan_out.measure),
    "event": Measure(event.rows, event.measure),
    "kit": Measure(kit.rows, kit.measure),
    "sleeping": Measure(sleeping.rows, sleeping.measure, most_runs=1),
    "crash": Measure(crash.rows, crash.measure, most_runs=1),
    "commits": Measure(commits.rows, commits.measure, has_peer=False),
    "floor": Measure(floor.rows, floor.measure, has_peer=False),
    "slopes": Measure(slopes.rows, slopes.measure, most_runs=1, has_peer=False),
    "scale": Measure(scale.rows, scale.measure, most_runs=1, has_peer=False),
    "timers": Measure(timers.rows, timers.measure, has_peer=False),
}
