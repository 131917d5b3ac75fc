"""The results of the routes, as types: the source of the schemas in the API's own description."""

from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from cfworkflows.types import StatusName

Trigger = Literal["unknown", "api", "binding", "event", "cron"]


class Named(TypedDict):
    id: str


class Database(TypedDict):
    name: str
    uuid: str
    version: str


class Migration(TypedDict):
    name: str
    applied_at: str | None


class Migrations(TypedDict):
    table: str
    folder: str
    migrations: list[Migration]


class Migrated(TypedDict):
    applied: list[str]
    statements: int
    schema: list[str]


class Imported(TypedDict):
    statements: int
    notes: list[str]


class RawRows(TypedDict):
    columns: list[str]
    rows: list[list[Any]]


class RawResult(TypedDict):
    success: bool
    results: RawRows
    meta: dict[str, Any]


class State(TypedDict):
    path: str | None
    process: int


class StateCopy(TypedDict):
    name: str
    path: str


class Loaded(TypedDict):
    name: str | None
    before: str | None
    process: int


class Done(TypedDict):
    success: bool


class Removed(TypedDict):
    status: Literal["ok"]
    success: bool


class Started(TypedDict):
    status: Literal["ok"]


class Terminated(Started):
    instancesTerminated: int


class Changed(TypedDict):
    status: StatusName
    timestamp: str
    success: bool


class Refused(TypedDict):
    id: str
    code: int
    message: str


class Deleted(TypedDict):
    deleted: list[Named]
    errors: list[Refused]


class ExplorerWorkflow(TypedDict):
    name: str
    class_name: str
    script_name: str


class ExplorerWorkflowDetails(ExplorerWorkflow):
    instances: dict[StatusName, int]


class ExplorerInstance(TypedDict):
    id: str
    status: StatusName
    created_on: str


class Failure(TypedDict):
    name: str
    message: str


class Rollback(TypedDict):
    outcome: Literal["complete", "failed"]
    error: Failure | None


class ExplorerDetails(TypedDict):
    status: StatusName
    params: Any
    queued: str
    start: str | None
    end: str | None
    output: Any
    error: Failure | None
    rollback: Rollback | None
    steps: list[dict[str, Any]]
    step_count: int


class Skipped(TypedDict):
    step: str
    type: Literal["step", "sleep", "waitForEvent", "rollback"]
    timestamp: str


class TracedFailure(Failure):
    traceback: str | None


class TimelineAttempt(TypedDict):
    attempt: int
    start: str
    end: str | None
    success: bool | None
    error: TracedFailure | None
    retry_delay_ms: float | None


class TimelineStep(TypedDict):
    name: str
    type: Literal["step", "sleep", "waitForEvent", "rollback"]
    state: Literal["running", "retrying", "sleeping", "waiting", "complete", "errored", "timedOut"]
    at: str | None
    inside: str | None
    start: str
    end: str | None
    until: str | None
    skipped: bool
    absolute: NotRequired[bool]
    event_type: NotRequired[str]
    timeout_ms: NotRequired[float]
    received: NotRequired[str | None]
    config: NotRequired[dict[str, Any]]
    attempts: NotRequired[list[TimelineAttempt]]
    stream: NotRequired[bool]
    bytes: NotRequired[int]
    output: NotRequired[Any]
    error: NotRequired[TracedFailure | None]


class TimelineRollback(TypedDict):
    outcome: Literal["complete", "failed"] | None
    cause: TracedFailure
    error: TracedFailure | None
    steps: list[TimelineStep]


class BufferedEvent(TypedDict):
    type: str
    payload: Any
    timestamp: str


class Timeline(TypedDict):
    workflow: str
    id: str
    status: StatusName
    trigger: dict[str, Any]
    schedule: dict[str, Any] | None
    now: str
    queued: str | None
    start: str | None
    end: str | None
    wake: str | None
    expires: str | None
    bytes: int
    params: Any
    output: Any
    error: TracedFailure | None
    steps: list[TimelineStep]
    rollback: TimelineRollback | None
    events: list[BufferedEvent]
    diagnosis: list[str]


class Worker(TypedDict):
    isSelf: bool
    name: str
    bindings: dict[str, list[dict[str, Any]]]
    triggers: dict[str, list[str]]
    persistenceScope: str


class Held(TypedDict):
    proof: str


class Outcome(TypedDict):
    outcome: str
    noRetry: bool


class Account(TypedDict):
    id: str
    name: str
    type: Literal["standard", "enterprise"]
    created_on: str


class Membership(TypedDict):
    id: str
    account: Account
    status: Literal["accepted", "pending", "rejected"]
    roles: list[str]


class User(TypedDict):
    id: str
    email: str
    first_name: str | None
    last_name: str | None
    suspended: bool


class Token(TypedDict):
    id: str
    status: Literal["active", "disabled", "expired"]


class NextInstance(TypedDict):
    cron: str
    next_instance: str


class Workflow(TypedDict):
    id: str
    name: str
    class_name: str
    script_name: str
    created_on: str
    modified_on: str
    triggered_on: str | None
    instances: dict[StatusName, int]
    schedules: NotRequired[list[NextInstance]]


class Settings(TypedDict):
    default_retention: dict[str, int]


class Triggered(TypedDict):
    workflow_name: str
    class_name: str
    script_name: str
    schedules: list[NextInstance]


class Deployed(TypedDict):
    id: str
    name: str
    class_name: str
    script_name: str
    created_on: str
    modified_on: str
    triggered_on: str | None
    version_id: str
    is_deleted: int
    terminator_running: int


class Version(TypedDict):
    id: str
    workflow_id: str
    class_name: str
    created_on: str
    modified_on: str
    has_dag: bool
    language: Literal["javascript", "python"]
    concurrency: NotRequired[dict[str, int]]
    limits: NotRequired[dict[str, int]]
    default_retention: NotRequired[dict[str, int]]


class Graph(TypedDict):
    id: str
    workflow_id: str
    class_name: str
    created_on: str
    modified_on: str
    graph: dict[str, Any] | None


class Instance(TypedDict):
    id: str
    status: StatusName
    version_id: str
    workflow_id: str
    created_on: str
    modified_on: str
    started_on: str | None
    ended_on: str | None
    trigger_source: Trigger


class Created(TypedDict):
    id: str
    status: StatusName
    version_id: str
    workflow_id: str
    trigger_source: Trigger


class Source(TypedDict):
    source: Trigger


class InstanceDetails(TypedDict):
    status: StatusName
    params: Any
    trigger: Source
    versionId: str
    queued: str
    start: str | None
    end: str | None
    success: bool | None
    error: Failure | None
    output: str | float | None
    rollback: Rollback | None
    step_count: int
    steps: list[dict[str, Any]]
    schedule: NotRequired[dict[str, Any]]


class StepOutput(TypedDict):
    status: StatusName
    error: Failure | None
    output: Any
    event_type: NotRequired[str]


class Sent(TypedDict):
    instanceId: str
    timestamp: str


class R2BucketName(TypedDict):
    name: str


class R2BucketList(TypedDict):
    buckets: list[R2BucketName]


class R2Listed(TypedDict):
    key: str
    etag: str
    size: int
    last_modified: str
    http_metadata: dict[str, str]
    custom_metadata: dict[str, str]


class R2Stored(TypedDict):
    key: str
    etag: str
    size: int
    version: str


class R2Deleted(TypedDict):
    key: str


class KVNamespace(TypedDict):
    id: str
    title: str


class KVKey(TypedDict):
    name: str
    expiration: NotRequired[int]
    metadata: NotRequired[Any]


class KVValues(TypedDict):
    values: dict[str, Any]


class KVChanged(TypedDict):
    successful_key_count: int
    unsuccessful_keys: list[str]
