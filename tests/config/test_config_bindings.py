"""The table of bindings, and the check of the classes."""

import pickle
import subprocess
import sys
from dataclasses import fields

from config_project import WORKFLOW, Project, text_at

from cfworkflows_emulator.config import SERVICES, WorkerConfig, class_not_found
from cfworkflows_emulator.config.kinds.listing import every_kind

EVERY_KIND = {
    "durable_objects": {"bindings": [{"name": "DO", "class_name": "Counter", "script_name": "other"}]},
    "workflows": [WORKFLOW, {**WORKFLOW, "name": "far", "binding": "FAR", "script_name": "billing"}],
    "kv_namespaces": [{"binding": "KV", "id": "ns1"}, {"binding": "KV2", "id": "a", "preview_id": "b"}],
    "queues": {"producers": [{"binding": "Q", "queue": "q1"}]},
    "d1_databases": [{"binding": "DB", "database_name": "main-db", "database_id": "x"}],
    "r2_buckets": [{"binding": "R2"}],
    "services": [{"binding": "SVC", "service": "other", "entrypoint": "Api"}],
    "assets": {"directory": "public", "binding": "ASSETS"},
    "ratelimits": [{"name": "RL", "namespace_id": "1", "simple": {"limit": 2, "period": 10}}],
    "hyperdrive": [{"binding": "HD", "id": "h"}],
    "vectorize": [{"binding": "VEC", "index_name": "i"}],
    "analytics_engine_datasets": [{"binding": "AE", "dataset": "d"}],
    "secrets_store_secrets": [{"binding": "SS", "store_id": "s", "secret_name": "n"}],
    "version_metadata": {"binding": "VM"},
    "ai": {"binding": "AI"},
    "ai_search": [{"binding": "AIS", "instance_name": "in"}],
    "ai_search_namespaces": [{"binding": "AISN", "namespace": "ns"}],
    "websearch": {"binding": "WEB"},
    "agent_memory": [{"binding": "MEM", "namespace": "ns"}],
    "images": {"binding": "IMG"},
    "browser": {"binding": "BR"},
    "media": {"binding": "MED"},
    "stream": {"binding": "STR"},
    "pipelines": [{"binding": "PIPE", "stream": "st"}],
    "mtls_certificates": [{"binding": "CERT", "certificate_id": "c"}],
    "dispatch_namespaces": [{"binding": "DN", "namespace": "ns", "outbound": {"service": "x"}}],
    "send_email": [{"name": "MAIL", "destination_address": "a@b.c"}],
    "artifacts": [{"binding": "ART"}],
    "flagship": {"binding": "FLAG"},
    "worker_loaders": [{"binding": "WL"}],
    "vpc_services": [{"binding": "VPC", "service_id": "v"}],
    "vpc_networks": [{"binding": "NET", "network_id": "n"}],
    "unsafe": {"bindings": [{"name": "UN", "type": "t"}]},
    "unsafe_hello_world": [{"binding": "HI", "enable_timer": True}],
    "logfwdr": {"bindings": [{"name": "LOG", "destination": "d"}]},
    "wasm_modules": {"WASM": "a.wasm"},
    "text_blobs": {"TEXT": "a.txt"},
    "data_blobs": {"DATA": "a.bin"},
}


def test_every_kind_of_binding_is_listed_with_its_resource(project: Project) -> None:
    """Good shapes of all kinds bring no problem but that some are not supported."""
    loaded = project.load(EVERY_KIND)
    assert {"has no effect"} == {warning.message[-14:-1] for warning in loaded.warnings}
    assert [
        ("DO", "Durable Object", "Counter, defined in other"),
        ("ORDERS", "Workflow", "Orders"),
        ("FAR", "Workflow", "Orders, defined in billing"),
        ("KV", "KV Namespace", "ns1"),
        ("KV2", "KV Namespace", "b"),
        ("Q", "Queue", "q1"),
        ("DB", "D1 Database", "main-db"),
        ("R2", "R2 Bucket", "R2"),
        ("SVC", "Worker", "other#Api"),
        ("ASSETS", "Assets", "public"),
        ("RL", "Rate Limit", "2 requests/10s"),
        ("HD", "Hyperdrive Config", "h"),
        ("VEC", "Vectorize Index", "i"),
        ("AE", "Analytics Engine Dataset", "d"),
        ("SS", "Secrets Store Secret", "n"),
        ("VM", "Worker Version Metadata", None),
        ("AI", "AI", None),
        ("AIS", "AI Search Instance", "in"),
        ("AISN", "AI Search Namespace", "ns"),
        ("WEB", "Web Search", None),
        ("MEM", "Agent Memory", "ns"),
        ("IMG", "Images", None),
        ("BR", "Browser Run", None),
        ("MED", "Media", None),
        ("STR", "Stream", None),
        ("PIPE", "Pipeline", "st"),
        ("CERT", "mTLS Certificate", "c"),
        ("DN", "Dispatch Namespace", "ns"),
        ("MAIL", "Send Email", "a@b.c"),
        ("ART", "Artifacts", None),
        ("FLAG", "Flagship", None),
        ("WL", "Worker Loader", None),
        ("VPC", "VPC Service", "v"),
        ("NET", "VPC Network", "n"),
        ("UN", "Unsafe Metadata", "t"),
        ("HI", "Hello World", None),
        ("LOG", "logfwdr", "d"),
        ("WASM", "Wasm Module", "a.wasm"),
        ("TEXT", "Text Blob", "a.txt"),
        ("DATA", "Data Blob", "a.bin"),
    ] == [(binding.name, binding.kind, binding.resource) for binding in loaded.bindings]
    supported = {binding.kind for binding in loaded.bindings if binding.supported}
    assert {"D1 Database", "KV Namespace", "R2 Bucket", "Workflow", "Worker"} == supported
    assert len(every_kind()) == len({binding.kind for binding in loaded.bindings})
    for binding in loaded.bindings:
        assert binding.location is not None
        assert binding.location.line > 1


def test_class_that_is_not_there_is_reported_with_those_that_are(project: Project) -> None:
    """The place in the file, the classes of the module, and the one that was meant."""
    loaded = project.load({"workflows": [WORKFLOW, {**WORKFLOW, "name": "b", "binding": "B", "class_name": "Refund"}]})
    [problem] = class_not_found(loaded, ["Refunds", "Orders"])
    assert problem.location is not None
    assert (
        f"class Refund (workflows[1].class_name, {problem.location}) is not in src/entry.py; "
        "the classes there are: Orders, Refunds"
    ) == problem.message
    assert 'Did you mean "Refunds"?' == problem.suggestion
    assert text_at(problem).startswith('"Refund"')


def test_module_without_classes_is_said_to_have_none(project: Project) -> None:
    """And what to write is suggested; Workflows of other Workers are not looked for."""
    other = {**WORKFLOW, "name": "b", "binding": "B", "script_name": "billing"}
    loaded = project.load({"workflows": [{**WORKFLOW, "script_name": "shop"}, other]})
    [problem] = class_not_found(loaded, [])
    assert problem.message.endswith("is not in src/entry.py; there are no Workflow classes in it")
    assert "Add `class Orders(WorkflowEntrypoint)` to it." == problem.suggestion
    assert [] == class_not_found(loaded, {"Orders"})


def test_good_configuration_loads_without_the_libraries_that_only_problems_need(project: Project) -> None:
    """Nobody waits for tomlkit, dotenv or difflib."""
    project.load({"workflows": [WORKFLOW]})
    script = (
        "import sys, pathlib; from cfworkflows_emulator.config.loading import load_config; "
        "load_config(cwd=pathlib.Path.cwd(), process_env={}); "
        "print(sorted({'tomlkit', 'dotenv', 'difflib', 'json5'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=project.folder, capture_output=True, text=True, check=True
    )
    assert "[]\n" == done.stdout


def test_what_was_loaded_comes_over_a_pipe_without_what_reads_it(project: Project) -> None:
    """The server, which gets it from another process, has no use for pydantic, nor for the rules of the file."""
    config = {
        "workflows": [WORKFLOW],
        "dev": {"port": 1234},
        "vars": {"A": 1},
        "services": [{"binding": "S", "service": "o"}],
    }
    loaded = project.load(config)
    script = (
        "import pickle, sys; from cfworkflows_emulator.config import SERVICES; loaded = pickle.load(sys.stdin.buffer); "
        "print(loaded.config, loaded.sections(SERVICES), loaded.variables, loaded.place(('dev', 'port')), sep='\\n'); "
        "print(sorted({'pydantic', 'cfworkflows_emulator.config.loading'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], input=pickle.dumps(loaded), capture_output=True, check=True)
    expected = (loaded.config, loaded.sections(SERVICES), loaded.variables, loaded.place(("dev", "port")), [])
    assert [str(each) for each in expected] == done.stdout.decode().splitlines()


def test_models_are_what_the_key_tables_say() -> None:
    """A field of the model that no table knows would be called unknown."""
    from cfworkflows_emulator.config.keys import ACTED

    assert {each.name for each in fields(WorkerConfig)} == ACTED
