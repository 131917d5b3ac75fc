"""Compares answers with a recording, and knows the differences that are meant: the rows of parity.toml."""

import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCED = ("production differs", "peer's bug")
REASONS = ("peer's bug", "production differs", "language", "choice", "ours to fix")
NOT_COMPARED = {"__LOCAL_DEV_STEP_OUTPUTS", "durableObjectId", "remote"}
# The peer's local server never says that an instance waits.
RUNNING = {"waiting", "queued", "rollingBack"}
ABSENT: Any = None
# All scenarios are played at once, so what is done can be late; what is early was not waited for.
EARLY_S = 0.6
LATE_S = 2.0
NORMALISED = (
    "Undefined, null and an absent field are one; ids of events count from 1.",
    "Fields of the local server's own are left out: `__LOCAL_DEV_STEP_OUTPUTS`, `durableObjectId`, `remote`.",
    "`waiting`, `queued` and `rollingBack` are `running` in the recordings: the local server never says them.",
    "The default delay between attempts is 10 seconds, as is documented, where the recordings show 1 second.",
    "A set has no order: Python's changes with the process.",
    "Times may be 0.6 seconds or a quarter earlier, and 2 seconds or a half later: the machine has other work too.",
    "`rollback` in a status, as the Workers API documents it, is not in the recordings.",
    "A name in front of an error's text is its name: `Error` with `MyError: no` is `MyError` with `no`.",
    "A bare code, as `instance.not_found`, is the WorkflowError whose text begins with that code in brackets.",
)
"""What the comparison passes over on both sides, for docs/parity.md."""
_DEFAULT_DELAYS = (1_000, 10_000)
_FOLDED = re.compile(r"([A-Z]\w*): (.*)", re.DOTALL)
_CODE = re.compile(r"[a-z_]+\.[a-z_]+")


@dataclass(frozen=True, slots=True)
class Difference:
    """Where in a scenario, as in `3 log @a body[0].value`, and what was there."""

    scenario: str
    place: str
    wanted: Any
    got: Any

    def __str__(self) -> str:
        return f"{self.place}\n      wanted {_short(self.wanted)}\n      got    {_short(self.got)}"


@dataclass(slots=True)
class Row:
    """Differences that are meant. `scenario`, `place` and `got` (of the JSON text) are patterns, searched for."""

    scenario: str
    place: str
    peer: str
    ours: str
    why: str
    got: str = ""
    source: str = ""
    used: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.why not in REASONS:
            raise ValueError(f"parity.toml: why is one of {', '.join(REASONS)}, not {self.why!r} ({self.scenario})")
        if self.why in SOURCED and not self.source:
            raise ValueError(f"parity.toml: {self.why!r} needs the source that says so ({self.scenario})")
        if not self.place:
            raise ValueError(f"parity.toml: without a place a row hides all that differs ({self.scenario})")

    def covers(self, difference: Difference) -> bool:
        return bool(
            re.search(self.scenario, difference.scenario)
            and re.search(self.place, difference.place)
            and (not self.got or re.search(self.got, json.dumps(difference.got, ensure_ascii=False)))
        )


def rows(path: Path = HERE / "parity.toml") -> list[Row]:
    """The rows of a parity file. TypeError for a key that is not known, ValueError for a reason that is none."""
    return [Row(**row) for row in tomllib.loads(path.read_text())["row"]]


def unexplained(differences: Iterable[Difference], table: list[Row]) -> list[Difference]:
    """The differences that no row covers. Notes in each row what it covered."""
    left = []
    for difference in differences:
        covering = [row for row in table if row.covers(difference)]
        for row in covering:
            row.used.add(difference.scenario)
        if not covering:
            left.append(difference)
    return left


def scenarios() -> list[dict[str, Any]]:
    return json.loads((HERE / "data" / "scenarios.json").read_text())  # type: ignore[no-any-return]


def recording(scenario: str) -> list[dict[str, Any]]:
    """The answers that the peer gave."""
    return json.loads((HERE / "data" / "golden" / f"{scenario}.json").read_text())["steps"]  # type: ignore[no-any-return]


def compare(scenario: str, answers: list[dict[str, Any]], skipped: Iterable[str] = ()) -> list[Difference]:
    """What differs from the recording. Where the peer varied, the variant that is nearest counts."""
    found: list[Difference] = []
    for number, (wanted, got) in enumerate(zip(recording(scenario), answers, strict=True)):
        if wanted["action"].split()[0] in skipped:
            continue
        if wanted["action"] != got["action"]:
            raise ValueError(f"{scenario}: the recording has {wanted['action']}, the scenario {got['action']}")
        variants = [_soft(_body(variant)) for variant in (wanted, *wanted.get("unstable", []))]
        place = f"{number} {wanted['action']}"
        answer = _soft(_body(got))
        candidates = [
            [Difference(scenario, f"{place} {path}", one, other) for path, one, other in differ(variant, answer)]
            for variant in variants
        ]
        nearest = min(candidates, key=len)
        found += nearest
    return found


def _body(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: answer[key] for key in ("http", "body", "timed_out") if key in answer}


def _soft(value: Any) -> Any:
    """What two languages can agree on: undefined, null and an absent field are one."""
    if isinstance(value, list):
        return [_soft(item) for item in value]
    if isinstance(value, dict):
        if value == {"$undefined": True}:
            return None
        items = {key: _soft(item) for key, item in value.items() if key not in NOT_COMPARED}
        if isinstance(items.get("events"), list):
            items["events"] = _ranked(items["events"])
        if isinstance(items.get("$set"), list):
            items["$set"] = sorted(items["$set"], key=json.dumps)
        if isinstance(items.get("message"), str) and isinstance(items.get("name"), str):
            items = _unfolded(items)
        if "status" in items and isinstance(items.get("rollback"), dict):
            del items["rollback"]
        return {key: item for key, item in items.items() if item is not None and (key != "props" or item)}
    return value


def _unfolded(error: dict[str, Any]) -> dict[str, Any]:
    """An error whose name has a place of its own."""
    name, message = error["name"], error["message"]
    if name == "Error" and (folded := _FOLDED.fullmatch(message)):
        name, message = folded[1], folded[2]
    elif _CODE.fullmatch(message):
        name = "WorkflowError"
    return {**error, "name": name, "message": message}


def _ranked(events: list[Any]) -> list[Any]:
    """Events whose ids are counted from 1, in their order: the platform promises that ids increase, not by how much."""
    ids = sorted({event["eventId"] for event in events if "eventId" in event})
    ranks = {id: rank for rank, id in enumerate(ids, 1)}
    return [{**event, "eventId": ranks[event["eventId"]]} if "eventId" in event else event for event in events]


def differ(wanted: Any, got: Any, path: str = "", key: str = "") -> Iterator[tuple[str, Any, Any]]:
    """The places where two answers differ, each with what was wanted there and what was got."""
    if isinstance(wanted, dict) and isinstance(got, dict):
        for name in dict.fromkeys((*wanted, *got)):
            below = f"{path}.{name}" if path else name
            yield from differ(wanted.get(name, ABSENT), got.get(name, ABSENT), below, name)
    elif isinstance(wanted, list) and isinstance(got, list) and len(wanted) == len(got):
        for index, (one, other) in enumerate(zip(wanted, got, strict=True)):
            yield from differ(one, other, f"{path}[{index}]")
    elif not _same(wanted, got, key):
        yield path, wanted, got


def _same(wanted: Any, got: Any, key: str) -> bool:
    numbers = not isinstance(wanted, bool) and not isinstance(got, bool)
    if numbers and isinstance(wanted, (int, float)) and isinstance(got, (int, float)):
        if key == "delay" and (wanted, got) == _DEFAULT_DELAYS:
            return True
        if key == "dt":
            return -max(EARLY_S, abs(wanted) / 4) <= got - wanted <= max(LATE_S, abs(wanted) / 2)
        return wanted == got or (key in ("durationMs", "retryDelayMs") and abs(wanted - got) <= 300)
    if key == "status" and wanted == "running" and got in RUNNING:
        return True
    if key == "message" and isinstance(got, str) and _CODE.fullmatch(str(wanted)) and got.startswith(f"({wanted}) "):
        return True
    return type(wanted) is type(got) and bool(wanted == got)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 700 else f"{text[:700]}…"
