"""The options of `instance.restart`."""

from collections.abc import Mapping
from typing import Any

from cfworkflows.errors import WorkflowError
from cfworkflows_bindings.forms import Form

KINDS = {"do": "do", "sleep": "sleep", "waitForEvent": "wait"}
"""The platform's types of steps, and what they are called in an engine."""

Start = tuple[str, str, int | float]
"""The step to restart from: its kind, its name, and which occurrence of that name it is, counted from 1."""

_RESTART = Form("from")
_STEP = Form("name", "count", "type")


def starting_step(options: object, keywords: Mapping[str, Any]) -> Start | None:
    """The step that `{"from": {"name", "count", "type"}}` names; None for a restart from the beginning.

    Raises TypeError for options of another shape, and WorkflowError for an invalid type, name or count.
    """
    given = _RESTART.read("restart()", options, keywords).get("from_")
    if given is None:
        return None
    step = _STEP.read("restart() from", given)
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
