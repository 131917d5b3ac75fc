"""What type checkers refuse of a D1 database."""

from datetime import UTC, datetime
from typing import Protocol

from cfworkflows import D1Database, WorkerEntrypoint


class Env(Protocol):
    DB: D1Database


class Reader(WorkerEntrypoint[Env]):
    async def wrong(self) -> None:
        statement = self.env.DB.prepare("SELECT ?")
        statement.bind({"a": 1})  # error: [arg-type]; reportArgumentType
        statement.bind(datetime(2020, 1, 1, tzinfo=UTC))  # error: [arg-type]; reportArgumentType
        self.env.DB.prepare(5)  # error: [arg-type]; reportArgumentType
        await self.env.DB.batch(["SELECT 1"])  # error: [list-item]; reportArgumentType
        await statement.raw(columns=True)  # error: Unexpected keyword; reportCallIssue
        await statement.first(0)  # error: [arg-type]; reportArgumentType
