"""Compares the answers to the scenarios of the bindings with their recordings. Differences that are meant are the rows
of bindings/parity.toml.
"""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from comparison import Difference, differ

FOLDER = Path(__file__).parent / "bindings"
PARITY = FOLDER / "parity.toml"

# The scenarios whose bindings there are. Each kind adds its own when it is supported.
PLAYED = re.compile(
    r"kv_|d1_|r2_|durability_(storm_)?(kv|d1)$|durability_(storm_)?r2(_multipart)?$|explorer_d1|explorer_kv"
)

NORMALISED = (
    "Undefined, null and an absent field are one, and so are the classes of errors.",
    "Where the recorded text is JavaScript's own for a wrong argument, any error will do.",
    "Values that only JavaScript has (undefined, symbols, BigInt, Map …) are left out, and reads of such writes.",
    "Counts of rows that were read and written are not compared.",
)
"""What the comparison passes over, for docs/parity.md."""

_COUNTS = ("read", "written", "rows_read", "rows_written", "rowsRead", "rowsWritten")
_OF_JAVASCRIPT = ("ctor", "remote", "durableObjectId", "durableObjectReset", "retryable", "overloaded")
_OF_THE_SERVER = ("content-length", "cf-cache-status")
_ITS_OWN_TEXT = re.compile(
    r"^(Failed to execute|Cannot read properties|Cannot convert|Converting circular|Do not know how|Unexpected "
    r"|Expected property|Illegal |no method )|is not a function|could not be cloned|is not valid JSON"
)
_ITS_OPS = re.compile(r"constructor|toUpperCase|hasOwnProperty|localeCompare|\.then$|\.push$|\.dup$")
_ITS_VALUES = ("$undefined", "$symbol", "$bigint", "$regexp", "$circular", "$uint16", "$map")
_ANSWERED = ("run", "http", "ws", "log", "storm")
_NESTED = ("in", "txn", "bcw", "txnSync", "parallel")
_WRITES = (".put", ".set", ".echo")
_READS = ("get", "list", "head")
ANY = "<any>"
LEFT_OUT = "<javascript>"


def scenarios() -> list[dict[str, Any]]:
    """Those that are played."""
    every = json.loads((FOLDER / "data" / "scenarios.json").read_text())
    return [each for each in every if PLAYED.match(each["name"])]


@cache
def _recordings(group: str) -> dict[str, list[dict[str, Any]]]:
    lines = (FOLDER / "data" / "golden" / f"{group}.jsonl").read_text().splitlines()
    return {each["scenario"]: each["steps"] for each in map(json.loads, lines)}


def compare(scenario: dict[str, Any], answers: list[dict[str, Any]]) -> list[Difference]:
    """What differs from the recording. Where the peer varied, the variant that is nearest counts."""
    found: list[Difference] = []
    name = scenario["name"]
    actions = [action for action in scenario["actions"] if action["action"] in _ANSWERED]
    recorded = _recordings(scenario["group"])[name]
    for number, (action, wanted, got) in enumerate(zip(actions, recorded, answers, strict=True)):
        place = f"{number} {wanted['action']}"
        answer = _soft(_body(action, got))
        candidates = [
            [
                Difference(name, f"{place} {path}", one, other)
                for path, one, other in differ(_soft(_body(action, variant)), answer)
                if one != ANY or not isinstance(other, str)
            ]
            for variant in (wanted, *wanted.get("unstable", []))
        ]
        found += min(candidates, key=len)
    return found


def _body(action: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    body = {key: item for key, item in answer.items() if key not in ("action", "unstable")}
    if action["action"] == "run" and "out" in body:
        body["out"] = list(_comparable(action["program"], body["out"]))
    return body


def _comparable(ops: list[dict[str, Any]], entries: list[Any]) -> Iterator[Any]:
    """The entries, without those of ops that only JavaScript can write, and of the read that follows such a write."""
    written = False
    for op, entry in zip(ops, entries, strict=False):
        method = str(op.get("call", "")).rpartition(".")[2]
        if _only_javascript(op):
            written = str(op.get("call", "")).endswith(_WRITES)
            yield LEFT_OUT
        elif written and ("get" in op or method.startswith(_READS)):
            written = False
            yield LEFT_OUT
        else:
            written = False
            yield _nested(op, entry)
    yield from entries[len(ops) :]


def _nested(op: dict[str, Any], entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    if isinstance(entry.get("parallel"), list):
        pairs = zip(op["parallel"], entry["parallel"], strict=True)
        return {"parallel": [list(_comparable(branch, entries)) for branch, entries in pairs]}
    for name in _NESTED:
        if isinstance(entry.get(name), list):
            inner = op["program"] if name == "in" else op[name]
            entry = {**entry, name: list(_comparable(inner, entry[name]))}
    return entry


def _only_javascript(op: dict[str, Any]) -> bool:
    if any(name in op for name in _NESTED):
        return False
    given = json.dumps({key: item for key, item in op.items() if key in ("args", "bind", "value")})
    path = str(op.get("call") or op.get("get") or "")
    return bool(_ITS_OPS.search(path)) or any(f'"{value}"' in given for value in _ITS_VALUES)


def _soft(value: Any) -> Any:
    """What two languages can agree on."""
    if isinstance(value, list):
        return [_soft(item) for item in value if not _is_header_of_the_server(item)]
    if not isinstance(value, dict):
        return value
    if value == {"$undefined": True}:
        return None
    if set(value) == {"$class", "fields"}:
        return _soft(value["fields"])
    if {"name", "message"} <= set(value) <= {"name", "message", "ctor", "props", "cause"}:
        value = {key: item for key, item in value.items() if key != "name"}
        if _ITS_OWN_TEXT.search(str(value["message"])):
            return {"message": ANY}
    items = {key: _soft(item) for key, item in value.items() if key not in (*_OF_JAVASCRIPT, *_COUNTS)}
    return {key: item for key, item in items.items() if item is not None and (key != "props" or item)}


def _is_header_of_the_server(item: Any) -> bool:
    return isinstance(item, list) and len(item) == 2 and item[0] in _OF_THE_SERVER
