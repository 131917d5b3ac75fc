"""How `cfwf workflows instances describe` shows an instance."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rich.console import Group
from rich.text import Text

from cfworkflows_emulator.cli.workflows.output import SYMBOLS, between, clock_time, in_bytes, in_words, moment, relative
from cfworkflows_emulator.shown import shown, shown_json, shown_line
from cfworkflows_emulator.tracebacks import note_of, shown_path

_LINE = re.compile(r'File "([^"]+)", line (\d+)')


@dataclass(frozen=True, slots=True)
class Drawing:
    """`limit` is how many characters of an output are shown, `outputs` whether those of steps are."""

    timeline: Mapping[str, Any]
    outputs: bool
    limit: int

    def __rich__(self) -> Group:
        return Group(*self._lines())

    def _lines(self) -> Iterator[Text]:
        told = self.timeline
        symbol, colour = SYMBOLS[told["status"]]
        yield Text.assemble(
            (shown_line(f"{told['workflow']}/{told['id']}"), "bold"), "  ", (f"{symbol} {told['status']}", colour)
        )
        yield from self._facts()
        if told["steps"]:
            yield Text("\nSteps", "bold")
        for step in told["steps"]:
            yield from self._step(step)
        yield from self._rollback()
        if told["events"]:
            yield Text("\nEvents that no step has taken", "bold")
        for event in told["events"]:
            yield Text(
                f"  {self._at(event['timestamp'])}  {shown_line(event['type'])}  {self._value(event['payload'])}"
            )
        for sentence in told["diagnosis"]:
            yield Text.assemble(("\nDiagnosis: ", "bold yellow"), shown(sentence))

    def _facts(self) -> Iterator[Text]:
        told = self.timeline
        source = told["trigger"]["source"]
        by = f"cron {told['schedule']['cron']}" if told["schedule"] is not None else source
        facts = [
            ("Queued", f"{self._when(told['queued'])}, by {by}"),
            ("Started", self._when(told["start"])),
            ("Ended", self._ended()),
            ("Wakes", self._when(told["wake"])),
            ("Deleted", self._when(told["expires"])),
            ("Stored", in_bytes(told["bytes"])),
            ("Params", self._value(told["params"])),
            ("Output", self._value(told["output"]) if told["status"] == "complete" else None),
        ]
        for name, fact in facts:
            if fact is not None:
                yield Text.assemble((f"  {name:8}", "dim"), fact)
        if told["error"] is not None:
            yield Text.assemble(("  Error   ", "dim"), (_error(told["error"]), "red"))

    def _ended(self) -> str | None:
        told = self.timeline
        if told["end"] is None:
            return None
        took = f", after {in_words(between(told['start'], told['end']))}" if told["start"] is not None else ""
        return f"{self._when(told['end'])}{took}"

    def _step(self, step: Mapping[str, Any]) -> Iterator[Text]:
        symbol, colour = SYMBOLS[step["state"]]
        where = f"  {shown_line(shown_path(step['at']))}" if step["at"] is not None else ""
        inside = f"  inside {shown_line(step['inside'])}" if step["inside"] is not None else ""
        name = shown_line(step["name"])
        yield Text.assemble(
            "  ", (symbol, colour), f" {self._at(step['start'])}  ", (name, "bold"), f"  {self._what(step)}",
            (f"{where}{inside}", "dim"),
        )  # fmt: skip
        attempts = step.get("attempts", [])
        if len(attempts) > 1 or any(attempt["error"] is not None for attempt in attempts):
            for attempt in attempts:
                yield self._attempt(attempt)
        if step["state"] == "errored" and step["error"] is not None and not attempts:
            yield Text(f"      {_error(step['error'])}", "red")
        if self.outputs and step["state"] == "complete" and step["type"] in ("step", "waitForEvent"):
            yield Text(f"      → {self._value(step['output'])}{self._size(step)}", "dim")

    def _what(self, step: Mapping[str, Any]) -> str:
        """What it does, or did, and for how long."""
        took = in_words(between(step["start"], step["end"])) if step["end"] is not None else None
        skipped = ", skipped" if step["skipped"] else ""
        match step["type"], step["state"]:
            case "sleep", "sleeping":
                return f"sleeps until {self._when(step['until'])}{skipped}"
            case "sleep", _:
                return f"slept {took}{skipped}"
            case "waitForEvent", "waiting":
                return f'waits for event "{shown_line(step["event_type"])}" until {self._when(step["until"])}{skipped}'
            case "waitForEvent", "timedOut":
                return f'got no event "{shown_line(step["event_type"])}" in {took}: timed out{skipped}'
            case "waitForEvent", _:
                return f'got event "{shown_line(step["event_type"])}" after {took}'
            case _, "retrying":
                return f"next attempt {self._when(step['until'])}{skipped}"
            case _, "running":
                return f"running for {in_words(between(step['start'], self.timeline['now']))}"
            case _, state:
                return f"{state} after {took}{skipped}"

    def _attempt(self, attempt: Mapping[str, Any]) -> Text:
        number = f"      attempt {attempt['attempt']}  {self._at(attempt['start'])}  "
        if attempt["end"] is None:
            return Text(f"{number}running")
        took = in_words(between(attempt["start"], attempt["end"]))
        if attempt["success"]:
            return Text(f"{number}succeeded after {took}")
        delay = attempt["retry_delay_ms"]
        then = f", again after {in_words(delay)}" if delay is not None else ""
        return Text.assemble(f"{number}failed after {took}: ", (_error(attempt["error"]), "red"), then)

    def _rollback(self) -> Iterator[Text]:
        rollback = self.timeline["rollback"]
        if rollback is None:
            return
        outcome = rollback["outcome"] or "goes on"
        yield Text.assemble(("\nRollback", "bold"), f"  {outcome}, because of {_error(rollback['cause'])}")
        if rollback["error"] is not None:
            yield Text(f"  {_error(rollback['error'])}", "red")
        for step in rollback["steps"]:
            yield from self._step(step)

    def _size(self, step: Mapping[str, Any]) -> str:
        if step.get("stream"):
            return f"  (the start of a stream of {in_bytes(step['bytes'])})"
        return f"  ({in_bytes(step['bytes'])})" if step.get("bytes", 0) >= 1024 else ""

    def _value(self, value: Any) -> str:
        text = shown_json(json.dumps(value, ensure_ascii=False))
        return text if len(text) <= self.limit else f"{text[: self.limit]}… ({len(text):,} characters)"

    def _when(self, text: str | None) -> str | None:
        return f"{clock_time(text)} ({relative(text, self.timeline['now'])})" if text is not None else None

    def _at(self, text: str) -> str:
        """The time of the day, with the date if the instance began on another day."""
        began, time = moment(self.timeline["queued"]), moment(text)
        return (
            f"{time:%H:%M:%S}.{time.microsecond // 1000:03}"
            if began.date() == time.date()
            else f"{time:%m-%d %H:%M:%S}"
        )


def _error(error: Mapping[str, Any]) -> str:
    """Name, message and, if it is known, the line that raised it."""
    lines = _LINE.findall(error["traceback"] or "")
    where = f"  ({shown_path(lines[-1][0])}:{lines[-1][1]})" if lines else ""
    note = note_of(error["traceback"], error["message"])
    text = shown(f"{error['name']}: {error['message']}{where}{f' - {note}' if note else ''}")
    return text.replace("\n", "\n          ")  # which no line of ours begins with
