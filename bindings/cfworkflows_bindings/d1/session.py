"""A session of D1."""

from collections.abc import Sequence
from typing import Any

from cfworkflows import types
from cfworkflows_bindings.d1.statement import D1PreparedStatement, Runner, prepared, run_batch
from cfworkflows_bindings.d1.store import Answer, D1Store, Formed, Query

_CONSTRAINTS = ("first-primary", "first-unconstrained")


class _Followed(Runner):
    """Executes for a session, and keeps the bookmark of the last answer."""

    def __init__(self, store: D1Store, bookmark: str | None) -> None:
        super().__init__(store)
        self.bookmark = bookmark

    async def run(self, queries: list[Query], formed: Formed) -> list[Answer]:
        answers = await super().run(queries, formed)
        self.bookmark = await self.store.bookmark()
        return answers


class D1DatabaseSession:
    """What a session executes sees what it executed before. `get_bookmark` says where it stands."""

    def __init__(self, store: D1Store, constraint_or_bookmark: str | None) -> None:
        given = (constraint_or_bookmark or "").strip()
        self._runner = _Followed(store, given if given and given not in _CONSTRAINTS else None)

    def prepare(self, query: str, /) -> D1PreparedStatement:
        """A statement of this session."""
        return prepared(self._runner, query)

    async def batch(self, statements: Sequence[types.D1PreparedStatement], /) -> list[types.D1Result[Any]]:
        """Execute statements in one transaction: all of them, or none. Raises D1Error."""
        return await run_batch(self._runner, statements)

    def get_bookmark(self) -> str | None:
        """Where the session stands, for `with_session`; None before its first answer."""
        return self._runner.bookmark

    getBookmark = get_bookmark  # noqa: N815 - the platform's name
