"""What type checkers know of a D1 database: every form of a call, and what it gives."""

from typing import Any, Protocol, assert_type

from cfworkflows import D1Database, D1PreparedStatement, D1Result, WorkerEntrypoint
from cfworkflows.types import D1DatabaseSession, D1ExecResult


class Env(Protocol):
    DB: D1Database


class Reader(WorkerEntrypoint[Env]):
    async def statements(self) -> None:
        statement = self.env.DB.prepare("SELECT ?, ?").bind("a", 1.5, None, b"x", True, [1, 2])
        assert_type(statement, D1PreparedStatement)
        result = await statement.all()
        assert_type(result, D1Result[Any])
        assert_type(result.meta.changes, int)
        assert_type(result.meta.timings.sql_duration_ms, float)
        assert_type(await statement.raw(column_names=True), list[list[Any]])
        await statement.raw({"columnNames": True})
        await statement.first()
        await statement.first("name")

    async def together(self) -> None:
        results = await self.env.DB.batch([self.env.DB.prepare("SELECT 1")])
        assert_type(results, list[D1Result[Any]])
        assert_type(await self.env.DB.exec("SELECT 1"), D1ExecResult)

    async def session(self) -> None:
        session = self.env.DB.withSession("first-primary")
        assert_type(session, D1DatabaseSession)
        assert_type(session.get_bookmark(), str | None)
        await session.batch([session.prepare("SELECT 1")])
