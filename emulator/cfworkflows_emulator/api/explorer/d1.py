"""Routes about D1 databases: their list, and SQL over them."""

from typing import Any

from pydantic import Field, model_validator

from cfworkflows.errors import CfworkflowsError
from cfworkflows.http import Response
from cfworkflows_bindings.d1 import Query as SqlQuery
from cfworkflows_bindings.d1 import Rows, StatementError, out
from cfworkflows_emulator.api import results
from cfworkflows_emulator.api.routing.envelope import ApiError, success
from cfworkflows_emulator.api.routing.routes import Call, Route
from cfworkflows_emulator.api.routing.validation import Form, Query
from cfworkflows_emulator.api.workflows import Workflows
from cfworkflows_emulator.config import D1_DATABASES, LoadedConfig
from cfworkflows_emulator.config.kinds.d1 import D1Section
from cfworkflows_emulator.runtime import d1_store
from cfworkflows_emulator.stores.d1.changes import import_stream, listed, migrate

SQL_ERROR = 10001
NO_DATABASE = 7404

Param = str | float | bool | None


class DatabasesQuery(Query):
    """Which databases: those with `name` in their name."""

    name: str = ""


class ImportQuery(Query):
    """The name of the file, for errors."""

    file: str = "SQL"


class MigrateBody(Form):
    """Whether to undo everything again."""

    dry_run: bool = False


class SqlForm(Form):
    """A text of SQL, with the values of its parameters."""

    sql: str
    params: list[Param] = Field(default_factory=list)


class SqlBody(Form):
    """SQL, or several of them as `batch`, which is one transaction."""

    sql: str | None = None
    params: list[Param] = Field(default_factory=list)
    batch: list[SqlForm] | None = None

    @model_validator(mode="after")
    def _either(self) -> "SqlBody":
        if (self.sql is None) == (self.batch is None):
            raise ValueError("sql: there has to be either `sql` or `batch`")
        return self


class D1Routes:
    """`/d1/…`. A database that no Worker is bound to is refused, so that a wrong name makes no new one."""

    def __init__(self, workflows: Workflows) -> None:
        self._project = workflows.project

    def routes(self) -> list[Route]:
        database = "/d1/database/{database}"
        return [
            Route("GET", "/d1/database", self._list, "List databases.", DatabasesQuery, result=list[results.Database]),
            Route("POST", f"{database}/raw", self._raw, "Execute SQL.", body=SqlBody, result=list[results.RawResult]),
            Route("GET", f"{database}/migrations", self._migrations, "List migrations.", result=results.Migrations),
            Route(
                "POST",
                f"{database}/migrations",
                self._migrate,
                "Apply the migrations that were not applied.",
                body=MigrateBody,
                result=results.Migrated,
            ),
            Route(
                "POST",
                f"{database}/import",
                self._import,
                "Execute a file of SQL, which is the body, in one transaction.",
                ImportQuery,
                result=results.Imported,
            ),
        ]

    @property
    def _sections(self) -> list[tuple[D1Section, LoadedConfig]]:
        return [(section, loaded) for loaded in self._project.configs for section in loaded.sections(D1_DATABASES)]

    def _find(self, call: Call) -> tuple[D1Section, LoadedConfig]:
        """The first binding to the database in the path, and where it is configured."""
        id = call.names["database"]
        found = next((each for each in self._sections if each[0].database == id), None)
        if found is None:
            raise ApiError(404, NO_DATABASE, f"The database {id} could not be found")
        return found

    async def _list(self, call: Call) -> Response:
        wanted = [section for section, _ in reversed(self._sections) if call.query.name in section.binding]
        found = {section.database: section for section in wanted}
        result = [
            {"name": section.binding, "uuid": id, "version": "production"} for id, section in reversed(found.items())
        ]
        return success(result, {"count": len(result)})

    async def _raw(self, call: Call) -> Response:
        section, _ = self._find(call)
        body: SqlBody = call.body
        forms = body.batch if body.batch is not None else [SqlForm(sql=body.sql or "", params=body.params)]
        queries = [SqlQuery(form.sql, tuple(map(_bound, form.params))) for form in forms]
        store = await d1_store(section.database, self._project.resources)
        try:
            answers = await store.run(queries, _plain)
        except StatementError as error:
            raise ApiError(500, SQL_ERROR, str(error), detail=error.hint or "") from error
        return success([{"success": True, "results": answer.results, "meta": answer.meta} for answer in answers])

    async def _migrations(self, call: Call) -> Response:
        section, loaded = self._find(call)
        store = await d1_store(section.database, self._project.resources)
        return success(await listed(store, section, loaded.directory))

    async def _migrate(self, call: Call) -> Response:
        section, loaded = self._find(call)
        store = await d1_store(section.database, self._project.resources)
        try:
            return success(await migrate(store, section, loaded.directory, dry_run=call.body.dry_run))
        except CfworkflowsError as error:
            raise ApiError(400, SQL_ERROR, str(error)) from error

    async def _import(self, call: Call) -> Response:
        section, _ = self._find(call)
        store = await d1_store(section.database, self._project.resources)
        try:
            return success(await import_stream(store, call.request.body, call.query.file))
        except CfworkflowsError as error:
            raise ApiError(400, SQL_ERROR, str(error)) from error


def _bound(value: Param) -> str | float | None:
    return float(value) if isinstance(value, (bool, int, float)) else value


def _plain(columns: list[str], rows: Rows) -> dict[str, Any]:
    return {"columns": columns, "rows": [[_json(out(value)) for value in row] for row in rows]}


def _json(value: Any) -> Any:
    """A BLOB is a list of its bytes, as on the platform."""
    return list(value) if isinstance(value, bytes) else value
