"""The story of an instance as text: its steps, attempts, errors and waits, each at its virtual time."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from cfworkflows.values import decode
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.storage import Entry
from cfworkflows_emulator.testing.waiting import moment, place, waits_for
from cfworkflows_emulator.tracebacks import is_plumbing

LONGEST_VALUE = 100
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
SILENT = {"workflow_started", "workflow_running", "attempt_completed"}


def timeline(entries: Sequence[Entry], failure: BaseException | None = None) -> str:
    """A line for each entry that says something, the time since the start of the instance before it.

    `failure` is the assertion that stopped the instance.
    """
    state = InstanceState.fold(entries)
    start = entries[0].time
    lines = [f"{moment(start)}  {_told(entries[0])}"]
    lines += [f"{'+' + _span(entry.time - start):>16}  {_told(entry)}" for entry in entries if _is_told(entry)]
    if failure is not None:
        lines.append(f"{'now':>16}  stopped by {type(failure).__name__}: {str(failure).partition(chr(10))[0]}")
    elif not state.status.finite:
        lines += [f"{'now':>16}  it {text}" for text in waits_for(entries)]
    return "\n".join(lines)


def _is_told(entry: Entry) -> bool:
    first = entry.type == "attempt_started" and entry.data["attempt"] == 1
    return entry.type not in SILENT and entry.type != "workflow_queued" and not first


def _told(entry: Entry) -> str:
    data, step = entry.data, f'"{entry.step}"'
    at = f" ({place(data['at'])})" if "at" in data else ""
    match entry.type:
        case "workflow_queued":
            return f"created by {data.get('trigger', 'nobody known')} with {_value(entry)}"
        case "workflow_completed":
            return f"complete: {_value(entry)}"
        case "step_started":
            return f"step {step}{at}"
        case "attempt_started" | "rollback_attempt_started":
            return f"  attempt {data['attempt']} of {step}"
        case "attempt_errored" | "rollback_attempt_errored":
            retry = f"; next in {_span(data['retryDelayMs'])}" if "retryDelayMs" in data else ""
            return f"  attempt {data['attempt']} of {step} failed: {_error(data)}{retry}"
        case "step_completed":
            return f"  {step} gave {_value(entry)}"
        case "sleep_started":
            return f"sleep {step}{at} until {moment(data['until'])}"
        case "wait_started":
            return f'wait {step}{at} for event "{data["eventType"]}" until {moment(data["until"])}'
        case "event_received":
            return f'event "{data["eventType"]}" arrived with {_value(entry)}'
    what = entry.type.replace("_", " ")
    text = f"{what.removeprefix('workflow ')}{f' {step}' if entry.step is not None else ''}"
    return f"{text}: {_error(data)}" if "error" in data else text


def _error(data: Mapping[str, Any]) -> str:
    error = data["error"]
    frames = [frame for frame in _FRAME.findall(error.get("traceback") or "") if not is_plumbing(frame[0])]
    where = f" ({place(':'.join(frames[-1]))})" if frames else ""
    return f"{error['name']}: {error['message']}{where}"


def _value(entry: Entry) -> str:
    text = repr(decode(entry.value)) if entry.value is not None else "nothing"
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def _span(ms: float) -> str:
    """`2d 3h`, `10s`, `0s`: at most three units, the small ones left out where they are nothing."""
    parts = []
    rest = round(ms)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:3]) or "0s"
