"""What a test of crashes sees of an engine: the moments at which callbacks begin and end."""

from collections.abc import Callable
from typing import Literal, NamedTuple


class Moment(NamedTuple):
    """A callback is about to start (`phase` before), or has ended and nothing of that is stored yet (after).

    `instance` is the instance's number in the store, from 1. `step` is `name-count`, `attempt` counts from 1. With
    `undoes` the callback is the rollback handler of the step.
    """

    phase: Literal["before", "after"]
    workflow: str
    instance: int
    step: str
    attempt: int
    undoes: bool


Witness = Callable[[Moment], None]
"""Called on the event loop. It may `kill` the engine: then nothing that follows the moment happens."""
