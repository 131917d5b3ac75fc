"""The input of the routes: their queries and their bodies."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from cfworkflows.types import LocationHint, StatusName
from cfworkflows_bindings.workflow.batch import MAX_BATCH
from cfworkflows_emulator.api.routing.envelope import ApiError
from cfworkflows_emulator.api.routing.validation import Form, Query
from cfworkflows_emulator.engine import Selection

MAX_PER_PAGE = 100
MAX_PAGE = 2**31
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _date(value: object) -> object:
    if isinstance(value, str) and value.strip().lstrip("+-").replace(".", "").isdigit():
        raise ValueError("Invalid ISO datetime")  # pydantic would take it for seconds since the epoch
    return value


Date = Annotated[datetime, BeforeValidator(_date, json_schema_input_type=datetime)]
Page = Annotated[int, Field(ge=1, le=MAX_PAGE)]
PerPage = Annotated[int, Field(ge=1, le=MAX_PER_PAGE)]


class InstancesQuery(Query):
    """Which instances, and which page of their list. A date without an offset is UTC; `search` is a part of the id."""

    page: Page = 1
    per_page: PerPage = 25
    status: StatusName | None = None
    date_start: Date | None = None
    date_end: Date | None = None
    search: str = ""

    @property
    def since(self) -> int | None:
        return _milliseconds(self.date_start)

    @property
    def until(self) -> int | None:
        return _milliseconds(self.date_end)

    def selection(self) -> Selection:
        statuses = () if self.status is None else (self.status,)
        return Selection(statuses, self.since, self.until, search=self.search)


class RestInstancesQuery(InstancesQuery):
    """The same with `direction`, and `cursor`, which is `result_info.cursor` of the previous page.

    `page` counts from where the cursor is: clients that count pages come to an end with it too.
    """

    cursor: str = ""
    direction: Literal["asc", "desc"] = "desc"


class PageQuery(Query):
    """A page of a list."""

    page: Page = 1
    per_page: PerPage = 25


class WorkflowsQuery(PageQuery):
    """`search` is a part of the workflow's name."""

    search: str = ""


class NamedWorkflowsQuery(Query):
    """`search` is a part of the workflow's name. Without `per_page` all of them are on the first page."""

    page: Page = 1
    per_page: PerPage | None = None
    search: str = ""


class AccountsQuery(PageQuery):
    """`name` is the account's."""

    name: str | None = None


class MembershipsQuery(AccountsQuery):
    """`account.name` is another spelling of `name`; `status` that of the memberships."""

    account_name: Annotated[str | None, Field(alias="account.name")] = None
    status: Literal["accepted", "pending", "rejected"] | None = None


class DetailsQuery(Query):
    """`simple` leaves the steps out; `order` is that of the steps."""

    simple: Literal["true", "false"] = "false"
    order: Literal["asc", "desc"] = "asc"


class StepQuery(Query):
    """A step by its name, with the counter, and its type; `attempt` is one of its attempts, counted from 1."""

    name: str
    type: Literal["step", "waitForEvent"]
    attempt: Annotated[int, Field(ge=1)] | None = None


UnendedStatus = Literal["queued", "running", "paused", "waitingForPause", "waiting", "rollingBack"]


class TerminateQuery(Query):
    """Which instances are terminated: those in a status, or all that have not ended."""

    status: UnendedStatus | None = None


class SubscribeQuery(Query):
    """`cursor` is the id of the last event that was seen, like the header Last-Event-ID. `filter` are types of events,
    with commas between them.

    Of a workflow, `cursor` may be a time too, in ms since the epoch, or `now`, which leaves the history out.
    """

    cursor: str = ""
    filter: str = ""


class ScheduledQuery(Query):
    """`worker` is the name of the Worker."""

    worker: Annotated[str, Field(min_length=1)]


class CreateBody(Form):
    """An instance to create through the Explorer. Without an id one is made up."""

    id: str | None = None
    params: Any = Field(default_factory=dict)


def _duration(value: object) -> object:
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError('expected a number of milliseconds, or a text such as "3 days"')
    return value


# Not a union: the place of a problem would name its members.
DurationValue = Annotated[Any, BeforeValidator(_duration, json_schema_input_type=int | str)]


class Retention(Form):
    """How long an instance that ended is kept: milliseconds, or a duration such as `"3 days"`."""

    success_retention: DurationValue | None = None
    error_retention: DurationValue | None = None


class RestCreateBody(Form):
    """An instance to create. `params` is any JSON, or a string that holds the JSON."""

    instance_id: str | None = None
    params: Any = Field(default_factory=dict)
    instance_retention: Retention | None = None
    location_hint: LocationHint | None = None


class From(Form):
    """The step to restart from: its name without the counter, its type, and which occurrence of them it is."""

    name: Annotated[str, Field(min_length=1, max_length=256)]
    count: Annotated[int, Field(ge=1, le=2**53 - 1)] = 1
    type: Literal["do", "sleep", "waitForEvent"] = "do"


class ForkBody(Form):
    """The step to fork from, the `output` that it is to have, if any, and the `id` of the new instance."""

    from_: From = Field(alias="from")
    output: Any = None
    id: str | None = None


class StatusBody(Form):
    """A change of status. Older clients call the field `action`. `from` is for restart, `rollback` for terminate."""

    status: Literal["pause", "resume", "restart", "terminate"]
    from_: From | None = Field(default=None, alias="from")
    rollback: bool | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_older_clients(cls, value: Any) -> Any:
        if isinstance(value, dict) and "action" in value and "status" not in value:
            return {"status" if key == "action" else key: item for key, item in value.items()}
        return value

    @model_validator(mode="after")
    def _options_fit(self) -> "StatusBody":
        if self.rollback is not None and self.status != "terminate":
            raise ValueError("'rollback' is only valid when terminating.")
        if self.from_ is not None and self.status != "restart":
            raise ValueError("'from' is only valid when restarting.")
        return self


class SkipBody(Form):
    """What to skip: a step by its name, with its number or without, and its type. The only one needs neither."""

    step: Annotated[str, Field(min_length=1, max_length=300)] | None = None
    type: Literal["step", "sleep", "waitForEvent", "rollback"] | None = None


class CopyBody(Form):
    """A copy of the state that is to be made. A save may `replace` the one of its name."""

    group: Literal["saves", "branches"]
    name: str
    replace: bool = False


class LoadBody(Form):
    """The save that takes the place of the state; None for an empty one."""

    name: str | None = None


class ImportQuery(Query):
    """`id` is for the instance to have, instead of the one that it had."""

    id: str | None = None


Ids = Annotated[list[Annotated[str, Field(min_length=1, max_length=271)]], Field(min_length=1, max_length=MAX_BATCH)]


class DeleteBody(Form):
    """The ids of instances."""

    instances: Ids


class TerminateBody(Form):
    """The ids of instances: a list alone is taken too."""

    instances: Ids

    @model_validator(mode="before")
    @classmethod
    def _of_a_list(cls, value: Any) -> Any:
        return {"instances": value} if isinstance(value, list) else value


class ScheduledBody(Form):
    """A cron expression, and the time, in ms, that its firing is said to be for."""

    cron: Annotated[str, Field(pattern=r"\S")]
    scheduled_time: int | None = None


class Concurrency(Form):
    """How many instances run at once."""

    limit: int | None = None


class Limits(Form):
    """How many steps an instance may have."""

    steps: int | None = None


class Schedule(Form):
    """A cron expression."""

    cron: str


class WorkflowBody(Form):
    """A workflow as a deployment describes it."""

    class_name: str
    script_name: str
    concurrency: Concurrency | None = None
    default_retention: Retention | None = None
    limits: Limits | None = None
    schedules: list[Schedule] | None = None


class SettingsBody(Form):
    """The settings of a workflow."""

    default_retention: Retention | None = None


def check_dates(query: InstancesQuery, code: int) -> None:
    """Raises ApiError for a range that ends before it begins."""
    if query.since is not None and query.until is not None and query.since > query.until:
        raise ApiError(
            400,
            code,
            "'date_start' must not be after 'date_end'. Update 'date_start' or 'date_end' so 'date_start' is before or "
            "equal to 'date_end'.",
        )


def _milliseconds(moment: datetime | None) -> int | None:
    if moment is None:
        return None
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    elapsed = aware - _EPOCH
    return (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000


class R2ObjectsQuery(Query):
    """Which objects of a bucket. `cursor` is `result_info.cursor` of the previous page; `per_page` is 1 to 1000."""

    prefix: str = ""
    delimiter: str = ""
    cursor: str = ""
    per_page: int = 1000
