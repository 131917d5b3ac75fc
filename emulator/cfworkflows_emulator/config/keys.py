"""Every key that a configuration may have, and where.

The type of a key is written as in `shapes`: names of JSON types with `|` between them, or the shape of an object.
Keys that hold bindings are in `kinds`, and those that this version acts on in `models`.
"""

TOP_LEVEL_ONLY: dict[str, str] = {
    "$schema": "string",
    "env": "object",
    "send_metrics": "boolean",
    "dependencies_instrumentation": "object",
    "site": "{bucket? include?:array exclude?:array entry-point?}",
    "wasm_modules": "object",
    "text_blobs": "object",
    "data_blobs": "object",
    "alias": "object",
    "keep_vars": "boolean",
    "addresses": "any",
    "pages_build_output_dir": "string",
}

INHERITABLE: dict[str, str] = {
    "account_id": "string",
    "find_additional_modules": "boolean",
    "preserve_file_names": "boolean",
    "base_dir": "string",
    "workers_dev": "boolean",
    "preview_urls": "boolean",
    "routes": "array",
    "route": "string|object",
    "tsconfig": "string",
    "jsx_factory": "string",
    "jsx_fragment": "string",
    "migrations": "array",
    "exports": "object",
    "limits": "{cpu_ms?:number subrequests?:number}",
    "rules": "array",
    "build": "{command? cwd? watch_dir?:string|array}",
    "no_bundle": "boolean",
    "minify": "boolean",
    "keep_names": "boolean",
    "first_party_worker": "boolean",
    "logfwdr": "{bindings?:array}",
    "logpush": "boolean",
    "upload_source_maps": "boolean",
    "placement": "object",
    "assets": "object",
    "observability": "object",
    "access": "object",
    "cache": "{enabled?:boolean cross_version_cache?:boolean}",
    "compliance_region": "=public|fedramp_high",
    "python_modules": "{exclude?:array}",
    "previews": "any",
}

NOT_INHERITED: dict[str, str] = {
    "define": "object",
    "durable_objects": "{bindings?:array code_update_strategy?:any}",
    "queues": "{producers?:array consumers?:array}",
    "tail_consumers": "array",
    "streaming_tail_consumers": "array",
    "containers": "array",
    "cloudchamber": "object",
    "connect": "array",
    "unsafe": "object",
    "k2": "any",
}

# What this version acts on: the fields of models.WorkerConfig, by where they may stand.
ACTED_TOP_LEVEL_ONLY = frozenset({"dev"})
ACTED_INHERITABLE = frozenset({"name", "main", "compatibility_date", "compatibility_flags", "triggers"})
ACTED_NOT_INHERITED = frozenset({"vars", "secrets"})
ACTED = ACTED_TOP_LEVEL_ONLY | ACTED_INHERITABLE | ACTED_NOT_INHERITED

# Known keys that would change what a Worker does, if this version acted on them: a warning says that it does not.
IGNORED = frozenset(
    {
        "alias", "assets", "build", "cloudchamber", "connect", "containers", "define", "exports", "queues.consumers",
        "rules", "site", "streaming_tail_consumers", "tail_consumers", "triggers.events",
    }
)  # fmt: skip
