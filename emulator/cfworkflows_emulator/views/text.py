"""What an instance did and waits for, as text: its steps, attempts, errors and waits, each at its virtual time."""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from cfworkflows.caller import is_users
from cfworkflows.errors import name_of, text_of
from cfworkflows.values import decode
from cfworkflows_emulator.engine import Entry, Status
from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.engine.journal.state import StepState, Verb
from cfworkflows_emulator.shown import shown, shown_line
from cfworkflows_emulator.tracebacks import note_of, shown_path
from cfworkflows_emulator.views.history import DoStep, History
from cfworkflows_emulator.views.plain import shown as shown_value

LONGEST_VALUE = 100
_FRAME = re.compile(r'File "([^"]+)", line (\d+)')
_SILENT = {EntryType.WORKFLOW_STARTED, EntryType.WORKFLOW_RUNNING, EntryType.ATTEMPT_COMPLETED}


def timeline(history: History, failure: BaseException | None = None) -> str:
    """A line for each entry that says something, the time since the start of the instance before it.

    `failure` is the assertion that stopped the instance.
    """
    entries = history.entries
    outputs = {step.name: step.output for step in history.steps if isinstance(step, DoStep)}
    start = entries[0].time
    errors = {
        step.state.ended: step.state.error for step in (*history.steps, *history.undone) if isinstance(step, DoStep)
    }
    lines = [f"{moment(start)}  {_in_lines(_line(entries[0], outputs))}"]
    for entry in filter(_is_shown, entries):
        if (error := errors.get(entry.seq)) is not None:  # with its traceback, which the entry does not have
            entry = entry._replace(data={"error": error.as_dict()})
        lines.append(f"{'+' + _span(entry.time - start):>16}  {_in_lines(_line(entry, outputs))}")
    if failure is not None:
        lines.append(f"{'now':>16}  stopped by {shown_line(_first_line(failure))}")
    elif not history.state.status.finite:
        lines += [f"{'now':>16}  it {text}" for text in waits_for(history)]
    return "\n".join(lines)


def _in_lines(text: str) -> str:
    """`text`, whose further lines stand below its first: no line of it looks like one of another entry."""
    return shown(text).replace("\n", "\n" + " " * 18)


def _first_line(error: BaseException) -> str:
    return f"{name_of(type(error))}: {text_of(error).partition(chr(10))[0]}"


def _is_shown(entry: Entry) -> bool:
    first = entry.type == EntryType.ATTEMPT_STARTED and entry.data["attempt"] == 1
    return entry.type not in _SILENT and entry.type != EntryType.WORKFLOW_QUEUED and not first


def _line(entry: Entry, outputs: Mapping[str, Any]) -> str:
    data, step = entry.data, f'"{entry.step}"'
    at = f" ({shown_path(data['at'])})" if "at" in data else ""
    match entry.type:
        case EntryType.WORKFLOW_QUEUED:
            return f"created by {data.get('trigger', 'nobody known')} with {_value(entry)}"
        case EntryType.WORKFLOW_COMPLETED:
            return f"complete: {_value(entry)}"
        case EntryType.STEP_STARTED:
            return f"step {step}{at}"
        case EntryType.ATTEMPT_STARTED | EntryType.ROLLBACK_ATTEMPT_STARTED:
            return f"  attempt {data['attempt']} of {step}"
        case EntryType.ATTEMPT_ERRORED | EntryType.ROLLBACK_ATTEMPT_ERRORED:
            retry = f"; next in {_span(data['retryDelayMs'])}" if "retryDelayMs" in data else ""
            return f"  attempt {data['attempt']} of {step} failed: {_error(data)}{retry}"
        case EntryType.STEP_COMPLETED:
            return f"  {step} gave {_shortened(outputs[str(entry.step)]) if entry.value is not None else 'nothing'}"
        case EntryType.SLEEP_STARTED:
            return f"sleep {step}{at} until {moment(data['until'])}"
        case EntryType.WAIT_STARTED:
            return f'wait {step}{at} for event "{data["eventType"]}" until {moment(data["until"])}'
        case EntryType.EVENT_RECEIVED:
            return f'event "{data["eventType"]}" arrived with {_value(entry)}'
    what = entry.type.replace("_", " ")
    text = f"{what.removeprefix('workflow ')}{f' {step}' if entry.step is not None else ''}"
    return f"{text}: {_error(data)}" if "error" in data else text


def _error(data: Mapping[str, Any]) -> str:
    error = data["error"]
    frames = [frame for frame in _FRAME.findall(error.get("traceback") or "") if is_users(frame[0])]
    where = f" ({shown_path(':'.join(frames[-1]))})" if frames else ""
    note = note_of(error.get("traceback"), error["message"])
    return f"{error['name']}: {error['message']}{where}{f' - {note}' if note else ''}"


def _value(entry: Entry) -> str:
    if entry.value is None:
        return "nothing"
    try:
        return _shortened(decode(entry.value))
    except Exception as error:  # noqa: BLE001 - a damaged record, or a class of the user's that changed
        return f"[cannot be read: {text_of(error)}]"


def _shortened(value: Any) -> str:
    text = shown_value(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."


def waits_for(history: History) -> list[str]:
    """What the instance waits for: `waits for event "approval" (step …) until 2026-01-08 00:00`."""
    status = history.state.status
    if status in (Status.QUEUED, Status.PAUSED):
        return [f"is {status}"]
    return [shown_line(each) for each in _waits(history)] or [
        f"is {status}: run() itself is at work, or awaits something else"
    ]


def _waits(history: History) -> Iterator[str]:
    state = history.state
    for name, wait in state.waits.items():
        if not wait.done:
            yield f'waits for event "{wait.event_type}" ({_step(name, wait)}) until {moment(wait.until)}'
    for name, sleep in state.sleeps.items():
        if not sleep.done:
            yield f"sleeps ({_step(name, sleep)}) until {moment(sleep.until)}"
    for name, step in state.steps.items():
        yield from _attempt(step, f"({_step(name, step)})")
    for undone in history.undone:
        yield from _attempt(undone.state, f"of undoing step {undone.name!r}")


def _attempt(step: StepState, what: str) -> Iterator[str]:
    if step.retry_at is not None:
        yield f"waits for attempt {step.attempts + 1} {what} until {moment(step.retry_at)}"
    elif step.attempt_open:
        yield f"is in attempt {step.attempts} {what}"


def _step(name: str, verb: Verb) -> str:
    return f'step "{name}", {shown_path(verb.at)}' if verb.at is not None else f'step "{name}"'


def moment(ms: float) -> str:
    """A time in UTC, as precise as it needs to be: `2026-01-08 00:00`."""
    try:
        when = datetime.fromtimestamp(ms / 1000, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        return "the year 10000 or later"
    precision = "milliseconds" if when.microsecond else "seconds" if when.second else "minutes"
    return when.isoformat(" ", precision)


def _span(ms: float) -> str:
    """`2d 3h`, `10s`, `0s`: at most three units, the small ones left out where they are nothing."""
    parts = []
    rest = round(ms)
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:3]) or "0s"
