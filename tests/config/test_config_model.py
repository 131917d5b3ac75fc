"""The configuration that is read: good ones, defaults, and no other error than ConfigError."""

from typing import Any

from config_project import MINIMAL, WORKFLOW, Project
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfworkflows_emulator.config import SUPPORTED, WORKFLOWS, ConfigError


def test_good_configuration_has_no_problems(project: Project) -> None:
    """All that this version acts on, read as it is meant."""
    loaded = project.load(
        {
            "compatibility_flags": ["a"],
            "vars": {"T": "x", "N": 3, "O": {"a": [True]}},
            "dev": {"ip": "0.0.0.0", "port": 9000},
            "workflows": [
                {
                    **WORKFLOW,
                    "script_name": "shop",
                    "limits": {"steps": 25000},
                    "concurrency": {"limit": 7},
                    "schedules": "0 * * * *",
                    "default_retention": {"success_retention": "1 day", "error_retention": 5000},
                    "jurisdiction": "eu",
                }
            ],
        }
    )
    assert [] == loaded.warnings
    config = loaded.config
    [workflow] = loaded.sections(WORKFLOWS)
    assert ("shop", "2026-11-01", ["a"]) == (config.name, config.compatibility_date, config.compatibility_flags)
    assert {"T": "x", "N": 3, "O": {"a": [True]}} == config.vars
    assert ("0.0.0.0", 9000) == (config.dev.ip, config.dev.port)
    assert (25000, 7, ["0 * * * *"], "eu") == (
        workflow.limits.steps,
        workflow.concurrency.limit,
        workflow.schedules,
        workflow.jurisdiction,
    )
    assert (86_400_000, 5000) == (
        workflow.default_retention.success_retention,
        workflow.default_retention.error_retention,
    )
    assert (project.folder / "src" / "entry.py", project.folder) == (loaded.main, loaded.directory)


def test_defaults_are_those_of_the_local_server(project: Project) -> None:
    """A configuration that is as short as can be."""
    project.write({"main": "src/entry.py"})
    loaded = project.load()
    config = loaded.config
    assert ("worker", "localhost", None, [], None) == (
        config.name,
        config.dev.ip,
        config.dev.port,
        [section for kind in SUPPORTED for section in loaded.sections(kind)],
        config.secrets,
    )


def test_unknown_keys_are_left_out_of_the_model(project: Project) -> None:
    """At any depth: a warning does not keep the rest from being used."""
    loaded = project.load(
        {"zzzz": 1, "dev": {"zzzz": 1}, "workflows": [WORKFLOW, {**WORKFLOW, "name": "b", "binding": "B", "q": 1}]}
    )
    assert 3 == len(loaded.warnings)
    assert ["orders", "b"] == [workflow.name for workflow in loaded.sections(WORKFLOWS)]


def test_name_of_the_wrong_type_beside_exports_is_only_that(project: Project) -> None:
    """A list cannot be looked up among the names of the exports."""
    exports = {"C": {"type": "workflow", "name": "n"}}
    [error] = project.errors({"exports": exports, "workflows": [{**WORKFLOW, "name": ["n"]}]})
    assert error.message.startswith('"workflows[0]" bindings should have a string "name" field but got')


keys = st.sampled_from(
    [
        "name", "main", "compatibility_date", "compatibility_flags", "vars", "secrets", "workflows", "dev", "env",
        "kv_namespaces", "durable_objects", "queues", "exports", "triggers", "assets", "ai", "ratelimits", "binding",
        "class_name", "script_name", "limits", "steps", "schedules", "default_retention", "success_retention",
        "bindings", "producers", "consumers", "s", "required", "text_blobs", "websearch", "type", "simple", "zz",
    ]
)  # fmt: skip
junk = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 70000) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "s", "src/entry.py", "workflow", "2026-11-01", "1 day"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(keys, junk, max_size=8), st.sampled_from([None, "s"]))
def test_nothing_but_a_config_error_comes_of_any_json(json_project: Project, data: Any, env: str | None) -> None:
    """Whatever the values are: either a model, or diagnostics with messages."""
    json_project.write({**MINIMAL, **data})
    try:
        json_project.load(env=env)
    except ConfigError as error:
        assert str(error)  # noqa: PT017
