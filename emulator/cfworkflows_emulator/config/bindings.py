"""The kinds of bindings, where they are in a configuration, and what they are called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from cfworkflows_emulator.config.diagnostics import Location, Path
from cfworkflows_emulator.config.source import Source


class BindingKind(NamedTuple):
    """A kind of binding: `key` is where it is in the file, `friendly` what people call it, `shape` as in `shapes`.

    `name` is the field with the binding's name; the first of the fields `resource` that is set says what is bound.
    `checked_unique` is False for the few kinds that the platform leaves out when it looks for repeated names.
    """

    key: str
    friendly: str
    shape: str
    resource: tuple[str, ...] = ()
    name: str = "binding"
    checked_unique: bool = True
    supported: bool = False

    @property
    def path(self) -> Path:
        return tuple(self.key.split("."))

    @property
    def root(self) -> str:
        """The key of the section that the kind is below."""
        return self.key.partition(".")[0]


_REMOTE = "remote?:boolean"

KINDS = (
    BindingKind(
        "durable_objects.bindings",
        "Durable Object",
        "name class_name script_name? environment?",
        ("class_name",),
        name="name",
    ),
    BindingKind("workflows", "Workflow", "...", ("class_name",), supported=True),
    BindingKind("kv_namespaces", "KV Namespace", f"binding id? preview_id? {_REMOTE}", ("preview_id", "id", "binding")),
    BindingKind("queues.producers", "Queue", f"binding queue? delivery_delay?:number {_REMOTE}", ("queue", "binding")),
    BindingKind(
        "d1_databases",
        "D1 Database",
        "binding database_name? database_id? preview_database_id? jurisdiction? migrations_table? migrations_dir? "
        f"migrations_pattern? database_internal_env? {_REMOTE}",
        ("database_name", "preview_database_id", "database_id", "binding"),
    ),
    BindingKind(
        "r2_buckets",
        "R2 Bucket",
        f"binding bucket_name? preview_bucket_name? jurisdiction? local_dev?:object {_REMOTE}",
        ("preview_bucket_name", "bucket_name", "binding"),
    ),
    BindingKind(
        "services",
        "Worker",
        f"binding service entrypoint? environment? props?:object cross_account_grant? {_REMOTE}",
        ("service",),
        supported=True,
    ),
    BindingKind(
        "assets",
        "Assets",
        "directory? binding? base_path? run_worker_first?:boolean|array "
        "html_handling?=auto-trailing-slash|force-trailing-slash|drop-trailing-slash|none "
        "not_found_handling?=single-page-application|404-page|none",
        ("directory",),
    ),
    BindingKind(
        "ratelimits",
        "Rate Limit",
        f"name namespace_id simple:object {_REMOTE}",
        ("namespace_id",),
        name="name",
        checked_unique=False,
    ),
    BindingKind("hyperdrive", "Hyperdrive Config", f"binding id localConnectionString? {_REMOTE}", ("id",)),
    BindingKind("vectorize", "Vectorize Index", f"binding index_name {_REMOTE}", ("index_name",)),
    BindingKind("analytics_engine_datasets", "Analytics Engine Dataset", f"binding dataset? {_REMOTE}", ("dataset",)),
    BindingKind(
        "secrets_store_secrets",
        "Secrets Store Secret",
        f"binding store_id secret_name {_REMOTE}",
        ("secret_name",),
    ),
    BindingKind("version_metadata", "Worker Version Metadata", f"binding {_REMOTE}"),
    BindingKind("ai", "AI", f"binding staging?:boolean {_REMOTE}"),
    BindingKind("ai_search", "AI Search Instance", "binding ...", ("instance_name",)),
    BindingKind("ai_search_namespaces", "AI Search Namespace", "binding ...", ("namespace",)),
    BindingKind("websearch", "Web Search", "binding ..."),
    BindingKind("agent_memory", "Agent Memory", "binding ...", ("namespace",)),
    BindingKind("images", "Images", f"binding {_REMOTE}"),
    BindingKind("browser", "Browser Run", f"binding {_REMOTE}"),
    BindingKind("media", "Media", f"binding {_REMOTE}"),
    BindingKind("stream", "Stream", f"binding {_REMOTE}"),
    BindingKind("pipelines", "Pipeline", f"binding stream? pipeline? {_REMOTE}", ("stream", "pipeline")),
    BindingKind("mtls_certificates", "mTLS Certificate", f"binding certificate_id {_REMOTE}", ("certificate_id",)),
    BindingKind(
        "dispatch_namespaces",
        "Dispatch Namespace",
        f"binding namespace? outbound?:object {_REMOTE}",
        ("namespace",),
    ),
    BindingKind(
        "send_email",
        "Send Email",
        "name destination_address? allowed_destination_addresses?:array allowed_sender_addresses?:array " + _REMOTE,
        ("destination_address",),
        name="name",
        checked_unique=False,
    ),
    BindingKind("artifacts", "Artifacts", "binding ..."),
    BindingKind("flagship", "Flagship", "binding ..."),
    BindingKind("worker_loaders", "Worker Loader", f"binding {_REMOTE}"),
    BindingKind("vpc_services", "VPC Service", f"binding service_id {_REMOTE}", ("service_id",)),
    BindingKind("vpc_networks", "VPC Network", "binding ...", ("network_id", "tunnel_id")),
    BindingKind("unsafe.bindings", "Unsafe Metadata", "name type ...", ("type",), name="name"),
    BindingKind("unsafe_hello_world", "Hello World", "binding enable_timer?:boolean"),
    BindingKind("logfwdr.bindings", "logfwdr", "name destination", ("destination",), name="name"),
    BindingKind("wasm_modules", "Wasm Module", ""),
    BindingKind("text_blobs", "Text Blob", ""),
    BindingKind("data_blobs", "Data Blob", ""),
)

# One object instead of a list of them; and objects whose keys are the names of bindings.
SINGLE = frozenset({"assets", "version_metadata", "ai", "images", "browser", "media", "stream"})
BY_NAME = frozenset({"wasm_modules", "text_blobs", "data_blobs"})
# Documented in both forms, or in none.
SINGLE_OR_LIST = frozenset({"websearch", "agent_memory", "ai_search", "ai_search_namespaces", "artifacts", "flagship"})

# Keys of bindings that an environment takes over from the top level.
INHERITED = frozenset({"assets", "logfwdr"})


@dataclass(frozen=True, slots=True)
class BindingInfo:
    """A name in `env` that is not a variable: what it is, what it is bound to, and whether this version has it.

    `path` is where it is in the file.
    """

    name: str
    kind: str
    resource: str | None
    supported: bool
    path: Path
    _source: Source | None = field(repr=False, compare=False)

    @property
    def location(self) -> Location | None:
        """Where the binding is in the file."""
        return None if self._source is None else self._source.location(self.path)


def value_at(data: Mapping[str, Any], path: Path) -> Any:
    """The value at `path`, or None where the path leads nowhere."""
    value: Any = data
    for part in path:
        if not isinstance(value, dict):
            return None
        value = value.get(part)
    return value


def elements(kind: BindingKind, data: Mapping[str, Any]) -> Iterator[tuple[Path, Any]]:
    """The elements of a kind in a section, whatever their shape, with their paths."""
    value = value_at(data, kind.path)
    if isinstance(value, list):
        yield from (((*kind.path, index), element) for index, element in enumerate(value))
    elif value is not None and kind.key not in BY_NAME:
        yield kind.path, value


def named(kind: BindingKind, data: Mapping[str, Any]) -> Iterator[tuple[str, str | None, Path]]:
    """The name, the resource and the path of the well-formed bindings of a kind in a section."""
    if kind.key in BY_NAME:
        files = value_at(data, kind.path)
        if isinstance(files, dict):
            yield from ((name, str(file), (*kind.path, name)) for name, file in files.items())
        return
    for path, element in elements(kind, data):
        if isinstance(element, dict) and isinstance(name := element.get(kind.name), str):
            yield name, _resource(kind, element), path


def _resource(kind: BindingKind, element: Mapping[str, Any]) -> str | None:
    if kind.key == "ratelimits" and isinstance(simple := element.get("simple"), dict):
        return f"{simple.get('limit')} requests/{simple.get('period')}s"
    resource = next((element[name] for name in kind.resource if isinstance(element.get(name), str)), None)
    if kind.key in ("workflows", "durable_objects.bindings") and "script_name" in element:
        return f"{resource}, defined in {element['script_name']}"
    if kind.key == "services" and "entrypoint" in element:
        return f"{resource}#{element['entrypoint']}"
    return resource
