"""What a rehearsal did, against what the journal says. No I/O, no clock."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from cfworkflows.errors import ErrorRecord, SerializationError
from cfworkflows.values import encode
from cfworkflows_emulator.engine.divergence.branches import Branches
from cfworkflows_emulator.engine.journal.diagnosis import Call, Change, Diagnosis
from cfworkflows_emulator.engine.journal.entries import ENDS, ENTRIES, STARTS, Entry, EntryType, StepKey
from cfworkflows_emulator.engine.run.branch import Path

Outcome = tuple[Any, BaseException | None]
"""What `run()` returned, and what it raised."""

LONGEST_VALUE = 200
_PARAMETERS = {"durationMs": "duration", "until": "end", "eventType": "event type", "timeoutMs": "timeout"}


class Made(NamedTuple):
    """A call that `run()` made: its arguments, as in a journal, whether `run()`'s own task made it, and which branch.

    `holds` shows the plain values that its callback was made with.
    """

    call: Call
    given: Mapping[str, Any]
    by_main: bool
    branch: Path = ()
    holds: str = ""


def divergence(
    made: Sequence[Made],
    ended: Outcome | None,
    known: Sequence[Entry],
    entries: Sequence[Entry],
    *,
    strict: bool,
) -> Diagnosis | None:
    """What differs between the calls `made` over the entries `known` and those in `entries`; None if nothing does.

    Calls that only `entries` has came later. Calls inside callbacks are not made again.
    """
    journal = {
        (STARTS[entry.type], str(entry.step)): entry
        for entry in entries
        if entry.type in STARTS and "inside" not in entry.data
    }
    called = {each.call.key for each in made}
    new = [each.call for each in made if each.call.key not in journal]
    open_ = [_call(key, entry) for key, entry in journal.items() if key not in called]
    missing = [call for call in open_ if journal[call.key].seq <= known[-1].seq]
    if missing and new:  # run() waits for the new calls; the calls behind them are not lost
        missing = missing[:1]
    elif new and strict:
        missing = open_[:1]
    elif not strict:
        new = []
    late, early = _out_of_order(made, journal)
    mixed = _mixed(made, journal)
    changed = [change for each in made for change in _changes(each, journal.get(each.call.key))]
    outcomes = _outcomes(ended, entries) if strict and len(known) == len(entries) and not missing else None
    if not (missing or new or changed or late or outcomes or mixed):
        return None
    return Diagnosis(
        tuple(missing), tuple(new), late=late, early=early, changed=tuple(changed), outcomes=outcomes, mixed=mixed
    )


def race(
    now: tuple[Sequence[Made], Outcome | None],
    before: tuple[Sequence[Made], Outcome | None],
    known: Sequence[Entry],
    abandoned: Sequence[Call],
) -> Diagnosis | None:
    """What differs now that the `abandoned` calls have ended, from what `run()` does `before` that; None if nothing."""
    done = {(ENTRIES[entry.type].step, entry.step) for entry in known if entry.type in ENDS}
    (made_now, ended_now), (made_before, ended_before) = now, before
    there, was = ({each.call.key: each for each in made} for made in (made_now, made_before))
    missing = [was[key].call for key in was if key not in there]
    new = [there[key].call for key in there if key not in was]
    changed = [
        Change(was[key].call, "values that its callback holds", was[key].holds, there[key].holds, there[key].call.at)
        for key in was
        if key in there and key not in done and was[key].holds != there[key].holds
    ]
    outcomes = None
    if ended_now is not None and ended_before is not None:
        outcomes = _difference(_past(ended_before), _past(ended_now))
    if not (missing or new or changed or outcomes):
        return None
    return Diagnosis(tuple(missing), tuple(new), changed=tuple(changed), outcomes=outcomes, abandoned=tuple(abandoned))


def _call(key: StepKey, entry: Entry) -> Call:
    return Call(*key, entry.data.get("at"))


def _out_of_order(made: Sequence[Made], journal: Mapping[StepKey, Entry]) -> tuple[Call, Call] | tuple[None, None]:
    """A call that came before another and comes after it now. In the user's tasks, and in a pause, order is chance."""
    latest: Entry | None = None
    latest_call: Call | None = None
    for each in made:
        entry = journal.get(each.call.key)
        if entry is None or not each.by_main or "heldBack" in entry.data:
            continue
        if latest is not None and latest_call is not None and entry.seq < latest.seq:
            return _call(each.call.key, entry), latest_call
        latest, latest_call = entry, _call(each.call.key, entry)
    return None, None


def _mixed(made: Sequence[Made], journal: Mapping[StepKey, Entry]) -> tuple[Call, Call] | None:
    """The first call that another branch makes now, if there is one."""
    made_too = {each.call.key for each in made}
    branches = Branches(lambda kind, step: (kind, step) in journal or (kind, step) in made_too)
    for each in made:
        entry = journal.get(each.call.key)
        known = _call(each.call.key, entry) if entry is not None else None
        then = entry.data.get("branch") if entry is not None else None
        found = branches.called(*each.call.key, each.branch, known, then, partial(_itself, each.call))
        if found is not None:
            return found
    return None


def _itself(call: Call) -> Call:
    return call


def _changes(made: Made, entry: Entry | None) -> Iterator[Change]:
    if entry is None:
        return
    given = dict(entry.data)
    if given.pop("absolute", False):  # a test may have skipped it, so that `until` is not what it was called with
        given["until"] = entry.time + given.pop("durationMs")
    else:
        given.pop("until", None)  # it follows from the time of the call
    before, now = _parameters(given), _parameters(made.given)
    for what in dict.fromkeys((*before, *now)):
        was, is_ = before.get(what, "not given"), now.get(what, "not given")
        if was != is_:
            yield Change(_call(made.call.key, entry), what, was, is_, made.call.at)


def _parameters(data: Mapping[str, Any]) -> dict[str, str]:
    """The arguments of a call as text, each by its name for people."""
    found = {name: _shown(key, data[key]) for key, name in _PARAMETERS.items() if key in data}
    for key, prefix in (("config", ""), ("rollback", "rollback ")):
        if key in data:
            config = data[key]
            flat = {**{f"retry {name}": value for name, value in config["retries"].items()}, **config}
            found |= {f"{prefix}{name}": json.dumps(value) for name, value in flat.items() if name != "retries"}
    return found


def _shown(key: str, value: Any) -> str:
    if key == "until":
        return datetime.fromtimestamp(round(value) / 1000, UTC).replace(tzinfo=None).isoformat(" ", "milliseconds")
    return f"{value / 1000:,.15g} s" if key in ("durationMs", "timeoutMs") else f'"{value}"'


def _outcomes(ended: Outcome | None, entries: Sequence[Entry]) -> tuple[str, str] | None:
    """How `run()` ended and how it ends now, if that differs."""
    ends = (EntryType.WORKFLOW_COMPLETED, EntryType.WORKFLOW_ERRORED)
    before = next((entry for entry in entries if entry.type in ends), None)
    if before is None or ended is None:
        return None
    if before.type == EntryType.WORKFLOW_COMPLETED:
        was = f"returned {before.value}"
    else:
        record = ErrorRecord(**before.data["error"])
        if ended[1] is None and record.name == "SerializationError":  # it returned, and that could not be stored
            return None
        was = f"raised {record.name}: {record.message}"
    return _difference(was, _past(ended))


def _past(ended: Outcome) -> str:
    """How `run()` ended."""
    output, error = ended
    if error is not None:
        record = ErrorRecord.of(error)
        return f"raised {record.name}: {record.message}"
    try:
        return f"returned {encode(output)}"
    except SerializationError as failure:
        return f"returned what cannot be stored ({failure})"


def _difference(was: str, is_: str) -> tuple[str, str] | None:
    if was == is_:
        return None
    return _short(was), _short(is_).replace("returned", "returns", 1).replace("raised", "raises", 1)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 3] + "..."
