"""The kinds of bindings that this version does not support: their shapes in a file, so that mistakes are found."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path
from cfworkflows_emulator.config.kinds.kind import Listed
from cfworkflows_emulator.config.paths import value_at


@dataclass(frozen=True)
class Unsupported(Listed):
    """A kind of binding by its `shape`, as in `shapes`; the first of the fields `resources` that is set says what is
    bound.
    """

    key: str
    friendly: str
    shape: str
    resources: tuple[str, ...] = ()
    name: str = "binding"
    checked_unique: bool = True

    @property
    def by_name(self) -> bool:
        """Whether it is an object whose keys are the names of bindings, and its values files."""
        return self.key in ("wasm_modules", "text_blobs", "data_blobs")

    @property
    def single(self) -> bool:
        """Whether it is one object instead of an array of them."""
        return self.key in ("assets", "version_metadata", "ai", "images", "browser", "media", "stream")

    @property
    def single_or_list(self) -> bool:
        """Whether it is documented in both forms, or in none."""
        return self.key in _SINGLE_OR_LIST

    def named(self, data: Mapping[str, Any]) -> Iterator[tuple[str, Path]]:
        if not self.by_name:
            yield from super().named(data)
        elif isinstance(files := value_at(data, self.path), dict):
            yield from ((name, (*self.path, name)) for name in files)

    def resource(self, element: Any) -> str | None:
        """What is bound by a well-formed element."""
        if self.by_name:
            return str(element)
        if self.key == "ratelimits" and isinstance(simple := element.get("simple"), dict):
            return f"{simple.get('limit')} requests/{simple.get('period')}s"
        resource = next((element[name] for name in self.resources if isinstance(element.get(name), str)), None)
        if self.key == "durable_objects.bindings" and "script_name" in element:
            return f"{resource}, defined in {element['script_name']}"
        return resource


_SINGLE_OR_LIST = ("websearch", "agent_memory", "ai_search", "ai_search_namespaces", "artifacts", "flagship")
_REMOTE = "remote?:boolean"

UNSUPPORTED = (
    Unsupported(
        "durable_objects.bindings",
        "Durable Object",
        "name class_name script_name? environment?",
        ("class_name",),
        name="name",
    ),
    Unsupported("queues.producers", "Queue", f"binding queue? delivery_delay?:number {_REMOTE}", ("queue", "binding")),
    Unsupported(
        "assets",
        "Assets",
        "directory? binding? base_path? run_worker_first?:boolean|array "
        "html_handling?=auto-trailing-slash|force-trailing-slash|drop-trailing-slash|none "
        "not_found_handling?=single-page-application|404-page|none",
        ("directory",),
    ),
    Unsupported(
        "ratelimits",
        "Rate Limit",
        f"name namespace_id simple:object {_REMOTE}",
        ("namespace_id",),
        name="name",
        checked_unique=False,
    ),
    Unsupported("hyperdrive", "Hyperdrive Config", f"binding id localConnectionString? {_REMOTE}", ("id",)),
    Unsupported("vectorize", "Vectorize Index", f"binding index_name {_REMOTE}", ("index_name",)),
    Unsupported("analytics_engine_datasets", "Analytics Engine Dataset", f"binding dataset? {_REMOTE}", ("dataset",)),
    Unsupported(
        "secrets_store_secrets",
        "Secrets Store Secret",
        f"binding store_id secret_name {_REMOTE}",
        ("secret_name",),
    ),
    Unsupported("version_metadata", "Worker Version Metadata", f"binding {_REMOTE}"),
    Unsupported("ai", "AI", f"binding staging?:boolean {_REMOTE}"),
    Unsupported("ai_search", "AI Search Instance", "binding ...", ("instance_name",)),
    Unsupported("ai_search_namespaces", "AI Search Namespace", "binding ...", ("namespace",)),
    Unsupported("websearch", "Web Search", "binding ..."),
    Unsupported("agent_memory", "Agent Memory", "binding ...", ("namespace",)),
    Unsupported("images", "Images", f"binding {_REMOTE}"),
    Unsupported("browser", "Browser Run", f"binding {_REMOTE}"),
    Unsupported("media", "Media", f"binding {_REMOTE}"),
    Unsupported("stream", "Stream", f"binding {_REMOTE}"),
    Unsupported("pipelines", "Pipeline", f"binding stream? pipeline? {_REMOTE}", ("stream", "pipeline")),
    Unsupported("mtls_certificates", "mTLS Certificate", f"binding certificate_id {_REMOTE}", ("certificate_id",)),
    Unsupported(
        "dispatch_namespaces",
        "Dispatch Namespace",
        f"binding namespace? outbound?:object {_REMOTE}",
        ("namespace",),
    ),
    Unsupported(
        "send_email",
        "Send Email",
        "name destination_address? allowed_destination_addresses?:array allowed_sender_addresses?:array " + _REMOTE,
        ("destination_address",),
        name="name",
        checked_unique=False,
    ),
    Unsupported("artifacts", "Artifacts", "binding ..."),
    Unsupported("flagship", "Flagship", "binding ..."),
    Unsupported("worker_loaders", "Worker Loader", f"binding {_REMOTE}"),
    Unsupported("vpc_services", "VPC Service", f"binding service_id {_REMOTE}", ("service_id",)),
    Unsupported("vpc_networks", "VPC Network", "binding ...", ("network_id", "tunnel_id")),
    Unsupported("unsafe.bindings", "Unsafe Metadata", "name type ...", ("type",), name="name"),
    Unsupported("unsafe_hello_world", "Hello World", "binding enable_timer?:boolean"),
    Unsupported("logfwdr.bindings", "logfwdr", "name destination", ("destination",), name="name"),
    Unsupported("wasm_modules", "Wasm Module", ""),
    Unsupported("text_blobs", "Text Blob", ""),
    Unsupported("data_blobs", "Data Blob", ""),
)
