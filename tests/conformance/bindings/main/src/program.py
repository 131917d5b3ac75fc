"""The interpreter of the programs: a list of ops, each one entry in what is answered."""

import asyncio
import inspect
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import kinds
from values import Map, describe, describe_error, made

from cfworkflows import Response, fetch

Op = dict[str, Any]
Entry = dict[str, Any]

LOG: dict[str, list[dict[str, Any]]] = {}
"""What handlers noted, by tag."""

_FORMS = {"text": "text", "json": "json", "arrayBuffer": "array_buffer", "bytes": "bytes", "blob": "blob"}


class CustomError(Exception):
    """An error of the program's own."""

    code = 42


@dataclass
class Scope:
    """What the paths of a program lead to: `roots`, variables, and the bindings. With `keywords`, options of calls are
    written as keywords.
    """

    env: Any
    roots: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    keywords: bool = False

    def copied(self, **more: Any) -> "Scope":
        return replace(self, variables={**self.variables, **more})

    def root(self, name: str) -> Any:
        if name.startswith("$"):
            return self.variables.get(name[1:])
        return self.roots[name] if name in self.roots else getattr(self.env, name)

    def look(self, path: str) -> Any:
        first, *rest = path.split(".")
        found = self.root(first)
        for part in rest:
            found = attribute(found, part)
        return found

    def made(self, value: Any) -> Any:
        return made(value, self.look)


def attribute(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, (list, tuple)) and name.isdecimal():
        return value[int(name)]
    if name == "length":
        return len(value)
    return getattr(value, name)


def note(tag: str, value: dict[str, Any]) -> None:
    LOG.setdefault(tag, []).append({"t": round(time.time() * 1000), **value})


def error_of(thrown: Op) -> Exception:
    kind = {"TypeError": TypeError, "RangeError": ValueError, "custom": CustomError}.get(thrown.get("type", "Error"))
    return (kind or Exception)(thrown.get("message", ""))


async def run(ops: list[Op], scope: Scope, out: list[Entry] | None = None) -> list[Entry]:
    out = [] if out is None else out
    for op in ops:
        if "throw" in op:
            raise error_of(op["throw"])
        if "return" in op:
            out.append({"v": describe(scope.made(op["return"]))})
            return out
        block = next((_BLOCKS[name] for name in _BLOCKS if name in op), None)
        try:
            out.append(await block(op, scope) if block is not None else _entry(op, await _one(op, scope), scope))
        except Exception as error:  # noqa: BLE001 - every error is an entry
            out.append({"e": describe_error(error)})
    return out


def _entry(op: Op, value: Any, scope: Scope) -> Entry:
    if "as" in op:
        scope.variables[op["as"]] = value
    return {"saved": op["as"]} if "as" in op and not op.get("show") else {"v": describe(value)}


async def _one(op: Op, scope: Scope) -> Any:
    name = next((each for each in (*kinds.OPS, *_OPS) if each in op), None)
    if name is None:
        raise TypeError(f"unknown op {list(op)}")
    found = (kinds.OPS.get(name) or _OPS[name])(op, scope)
    return await found if inspect.isawaitable(found) else found


def _call(op: Op, scope: Scope) -> Any:
    path, arguments = op["call"], scope.made(op.get("args", []))
    on, _, method = path.rpartition(".")
    keywords: dict[str, Any] = {}
    if not on:
        return scope.root(path)(*arguments)
    if not callable(function := getattr(scope.look(on), method, None)):
        raise TypeError(f"no method {method}")
    if scope.keywords:
        arguments, keywords = kinds.as_keywords(on, method, arguments)
    found = function(*arguments, **keywords)
    return _mapped(found) if kinds.is_map(on, method, arguments) else found


async def _mapped(found: Any) -> Any:
    value = await found
    return Map(value) if isinstance(value, dict) else value


def _set(op: Op, scope: Scope) -> Any:
    scope.variables[op["set"]] = scope.made(op["value"])
    return scope.variables[op["set"]]


def _assign(op: Op, scope: Scope) -> None:
    on, _, name = op["assign"].rpartition(".")
    setattr(scope.look(on), name, scope.made(op["value"]))


def _same(op: Op, scope: Scope) -> bool:
    one, other = (scope.look(path) for path in op["same"])
    return one is other or (isinstance(one, str) and one == other)


async def _read(op: Op, scope: Scope) -> Any:
    body = scope.look(op["read"])
    source = body if hasattr(body, "text") else Response(body)
    return await getattr(source, _FORMS[op.get("form", "text")])()


async def _fetch(op: Op, scope: Scope) -> Entry:
    arguments = scope.made(op.get("args", []))
    answer = await (scope.look(op["fetch"]).fetch if op["fetch"] else fetch)(*arguments)
    names = op.get("headers", ["content-type", "location", "etag"])
    headers = {name: answer.headers.get(name) for name in names if name in answer.headers}
    return {"status": answer.status, "headers": headers, "body": await answer.text()}


def _sleep(op: Op, scope: Scope) -> Any:
    return asyncio.sleep(op["sleep"] / 1000)


_OPS: dict[str, Callable[[Op, Scope], Any]] = {
    "call": _call,
    "get": lambda op, scope: scope.look(op["get"]),
    "await": lambda op, scope: scope.look(op["await"]),
    "iter": lambda op, scope: list(scope.look(op["iter"])),
    "keys": lambda op, scope: list(scope.look(op["keys"])),
    "same": _same,
    "set": _set,
    "assign": _assign,
    "read": _read,
    "fetch": _fetch,
    "sleep": _sleep,
}


async def _parallel(op: Op, scope: Scope) -> Entry:
    return {"parallel": await asyncio.gather(*(run(branch, scope) for branch in op["parallel"]))}


async def _repeat(op: Op, scope: Scope) -> Entry:
    """One entry for all: a count, and the first error."""
    error, entries = None, []
    for scope.variables["i"] in range(op.get("from", 0), op.get("from", 0) + op["repeat"]):
        entries = await run(op["body"], scope)
        error = error or _first_error(entries)
    return _summed(op, {"repeat": op["repeat"]}, error, {"last": entries[-1] if entries else None})


async def _together(op: Op, scope: Scope) -> Entry:
    count = op["together"]
    lists = await asyncio.gather(*(run(op["body"], scope.copied(i=number)) for number in range(count)))
    lasts = [entries[-1] for entries in lists]
    return _summed(op, {"together": count}, _first_error(lasts), {"all": lasts})


def _first_error(entries: list[Entry]) -> Any:
    return next((entry["e"] for entry in entries if entry.get("e")), None)


def _summed(op: Op, counted: Entry, error: Any, shown: Entry) -> Entry:
    if error is not None:
        return {**counted, "e": error}
    return {**counted, **shown} if op.get("show") else counted


async def _wait(op: Op, scope: Scope) -> Entry:
    scope.roots["ctx"].wait_until(run(op["wait"], scope.copied()))
    return {"wait": True}


async def _start(op: Op, scope: Scope) -> Entry:
    scope.variables[op["as"]] = asyncio.ensure_future(run(op["start"], scope.copied()))
    return {"saved": op["as"]}


async def _join(op: Op, scope: Scope) -> Entry:
    return {"join": await scope.variables[op["join"]]}


async def _log(op: Op, scope: Scope) -> Entry:
    note(scope.made(op["log"]), {"value": describe(scope.made(op.get("value")))})
    return {"logged": True}


_BLOCKS = {
    "parallel": _parallel,
    "repeat": _repeat,
    "together": _together,
    "wait": _wait,
    "start": _start,
    "join": _join,
    "log": _log,
}
"""Ops that write their entry themselves."""
