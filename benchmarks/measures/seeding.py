"""A state folder with many instances that sleep, made from one that a server has stored."""

import json
import sqlite3
from pathlib import Path

from benchmarks.servers import Side, running

_COPY_ROWS = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :count)
    INSERT INTO instances (key, workflow, id, status, created_at, modified_at, wake_at)
    SELECT key + n, workflow, id || '-' || n, status, created_at, modified_at, :first + n * :apart / 1000
    FROM instances, numbers WHERE key = :key"""
_COPY_JOURNAL = """
    INSERT INTO journal (instance, seq, time, type, step, data, value)
    SELECT instances.key, seq, time, type, step,
        CASE type WHEN 'sleep_started' THEN json_set(data, '$.until', wake_at) ELSE data END, value
    FROM instances JOIN journal ON journal.instance = :key WHERE instances.key > :key"""


async def seed(side: Side, state: Path, count: int, first: int, apart_us: int = 0, *, kind: str = "sleep") -> None:
    """Let `count` instances sleep until `first`, in ms since the epoch, each `apart_us` microseconds after the last.

    Their `kind` is "sleep", with a step before and one after it, or "until", with nothing but the sleep.
    """
    async with running(side, state) as server:
        [id] = await server.create(1, kind=kind, n=86_400 if kind == "sleep" else first)
        while (await server.ask(f"/status/{id}"))["status"] != "waiting":
            continue
    with sqlite3.connect(state / "workflows.sqlite") as connection:
        [key] = connection.execute("SELECT key FROM instances WHERE id = ?", (id,)).fetchone()
        values = {"key": key, "count": count - 1, "first": first, "apart": apart_us}
        connection.execute(_COPY_ROWS, values)
        connection.execute(_COPY_JOURNAL, values)
        # The one they are made from, too.
        connection.execute("UPDATE instances SET wake_at = ? WHERE key = ?", (first, key))
        [seq, data] = connection.execute(
            "SELECT seq, data FROM journal WHERE instance = ? AND type = 'sleep_started'", (key,)
        ).fetchone()
        data = json.dumps({**json.loads(data), "until": first})
        connection.execute("UPDATE journal SET data = ? WHERE instance = ? AND seq = ?", (data, key, seq))
    connection.close()
