"""The options of `instance.restart`."""

from collections.abc import Mapping
from typing import Any

from cfworkflows.errors import WorkflowError

KINDS = {"do": "do", "sleep": "sleep", "waitForEvent": "wait"}
"""The platform's types of steps, and what they are called in an engine."""

Start = tuple[str, str, int | float]
"""The step to restart from: its kind, its name, and the how-manieth of that name it is, counted from 1."""


def starting_step(options: object, from_: object = None) -> Start | None:
    """The step that `{"from": {"name", "count", "type"}}` names; None for a restart from the beginning.

    Raises TypeError for options of another shape, and WorkflowError for a type, a name or a count that is none.
    """
    if options is not None and not isinstance(options, Mapping):
        raise TypeError(f"restart() takes an object of options, not {options!r}")
    given: Mapping[str, Any] = options or {}
    _refuse_unknown("restart()", given, {"from"})
    step = from_ if from_ is not None else given.get("from")
    if step is None:
        return None
    if not isinstance(step, Mapping):
        raise TypeError(f"restart() takes from as an object with name, count and type, not {step!r}")
    _refuse_unknown("restart() from", step, {"name", "count", "type"})
    name, count, kind = step.get("name"), step.get("count", 1), step.get("type", "do")
    if not isinstance(name, str):
        raise WorkflowError(f"restart() from.name must be the name of a step, not {name!r}", code="body")
    if isinstance(count, bool) or not isinstance(count, (int, float)):
        raise WorkflowError(
            f"restart() from.count must be a number, 1 for the first of its name, not {count!r}", code="body"
        )
    if not isinstance(kind, str) or kind not in KINDS:
        raise WorkflowError(f"restart() from.type must be do, sleep or waitForEvent, not {kind!r}", code="body")
    return KINDS[kind], name, int(count) if count == count // 1 else count


def _refuse_unknown(what: str, options: Mapping[str, Any], known: set[str]) -> None:
    unknown = [str(key) for key in options if key not in known]
    if unknown:
        raise TypeError(f"{what} does not know {', '.join(unknown)}; it takes {', '.join(sorted(known))}")
