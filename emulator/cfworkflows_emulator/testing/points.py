"""The points at which a process can die, and the store that tells of them."""

import json
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import aiosqlite

from cfworkflows_emulator.engine.probe import Moment
from cfworkflows_emulator.storage import Connection, Database

T = TypeVar("T")
_ALL = "SELECT instance, max(seq) FROM journal GROUP BY instance"
_NEW = "SELECT seq, type, step, data FROM journal WHERE instance = ? AND seq > ? ORDER BY seq"


@dataclass(frozen=True, slots=True)
class Point:
    """A point at which a process can die; `str()` is a clause that says when.

    `kind` is *stored*: an entry has just become durable, the `nth` of its `type`, `step` and `attempt`; or *before*:
    the callback of `step` is about to start; or *after*: it has ended, and nothing of that is stored. `instance` is the
    number of the instance in the store, 1 for the one under test. `step` is `name-count`, `attempt` counts from 1. With
    `undoes` the callback is the step's rollback handler.
    """

    kind: Literal["stored", "before", "after"]
    instance: int
    type: str | None = None
    step: str | None = None
    attempt: int | None = None
    undoes: bool = False
    nth: int = 1

    @classmethod
    def at(cls, moment: Moment) -> "Point":
        return cls(moment.phase, moment.instance, None, moment.step, moment.attempt, moment.undoes)

    def __str__(self) -> str:
        attempt = f", attempt {self.attempt}" if self.attempt is not None and self.attempt > 1 else ""
        where = f" of instance {self.instance}" if self.instance > 1 else ""
        if self.kind == "stored":
            step = f' "{self.step}"' if self.step is not None else ""
            nth = f" number {self.nth}" if self.nth > 1 else ""
            return f"after {self.type}{step}{attempt}{nth}{where} was stored"
        what = "the rollback handler of" if self.undoes else "the callback of"
        phase = "before" if self.kind == "before" else "after"
        verb = "started" if self.kind == "before" else "had ended, and before its result was stored"
        return f'{phase} {what} "{self.step}"{attempt}{where} {verb}'


@dataclass(frozen=True, slots=True)
class Written:
    """An entry that has just become durable; `at` is the `file:line` of a call."""

    instance: int
    type: str
    step: str | None
    attempt: int | None
    at: str | None


class Journals(Database):
    """A database that tells `listener` the entries of each commit, once they are durable."""

    listener: Callable[[Sequence[Written]], None] | None = None

    def __init__(self, connection: Connection[sqlite3.Connection], thread: aiosqlite.Connection) -> None:
        super().__init__(connection, thread)
        self._seen: dict[int, int] = {}

    def transact(self, function: Callable[[sqlite3.Connection], T], *, is_atomic: bool = False) -> T:
        result, seen, written = super().transact(
            lambda connection: self._followed(function, connection), is_atomic=is_atomic
        )
        self._tell_listener(seen, written)
        return result

    async def transaction(self, function: Callable[[sqlite3.Connection], T]) -> T:
        result, seen, written = await super().transaction(lambda connection: self._followed(function, connection))
        self._tell_listener(seen, written)
        return result

    def _followed(
        self, function: Callable[[sqlite3.Connection], T], connection: sqlite3.Connection
    ) -> tuple[T, dict[int, int], list[Written]]:
        result = function(connection)
        seen = dict(connection.execute(_ALL).fetchall())
        written = [
            _written(instance, type_, step, json.loads(data))
            for instance, seq in seen.items()
            if seq > (known := self._seen.get(instance, 0))
            for _, type_, step, data in connection.execute(_NEW, (instance, known))
        ]
        return result, seen, written

    def _tell_listener(self, seen: dict[int, int], written: list[Written]) -> None:
        self._seen = seen
        if written and self.listener is not None:
            self.listener(written)


def _written(instance: int, type: str, step: str | None, data: dict[str, Any]) -> Written:
    return Written(instance, type, step, data.get("attempt"), data.get("at"))
