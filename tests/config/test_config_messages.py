"""Each message about a wrong value, in both formats, with the place that it points to."""

import datetime
import re
from typing import Any

import pytest
from config_project import MINIMAL, WORKFLOW, Project, text_at
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cfworkflows_emulator.config import ConfigError

DAY = datetime.date(2025, 12, 19)

# (the keys on top of a minimal configuration, the message, how the text starts where it points)
ERRORS: list[tuple[dict[str, Any], str, str]] = [
    ({"name": 5}, 'Expected "name" to be of type string but got 5.', "5"),
    (
        {"name": "Bad Name"},
        'Expected "name" to be of type string, alphanumeric and lowercase with dashes only but got "Bad Name".',
        '"Bad Name"',
    ),
    (
        {"compatibility_date": "2026-13-99"},
        '"compatibility_date" field should be a valid ISO-8601 date (YYYY-MM-DD), but got "2026-13-99".',
        '"2026-13-99"',
    ),
    (
        {"compatibility_date": "20261101"},
        '"compatibility_date" field should be a valid ISO-8601 date (YYYY-MM-DD), but got "20261101".',
        '"20261101"',
    ),
    (
        {"compatibility_date": "2026\N{EN DASH}11\N{EN DASH}01"},
        (
            '"compatibility_date" field should use hyphens (-) rather than en dashes or em dashes, '
            'but got "2026\N{EN DASH}11\N{EN DASH}01".'
        ),
        '"2026',
    ),
    ({"compatibility_date": 3}, 'Expected "compatibility_date" to be of type string but got 3.', "3"),
    ({"compatibility_flags": "x"}, 'The field "compatibility_flags" should be an array but got "x".', '"x"'),
    ({"compatibility_flags": [5]}, 'Expected "compatibility_flags[0]" to be of type string but got 5.', "5"),
    ({"main": True}, 'Expected "main" to be of type string but got true.', "true"),
    ({"vars": "x"}, 'Expected "vars" to be of type object but got "x".', '"x"'),
    ({"secrets": {"required": "A"}}, 'The field "secrets.required" should be an array but got "A".', '"A"'),
    ({"dev": {"port": "1"}}, 'Expected "dev.port" to be of type number but got "1".', '"1"'),
    ({"dev": {"port": 70000}}, '"dev.port" should be a port, 0 to 65535, but got 70000.', "70000"),
    ({"dev": {"ip": 7}}, 'Expected "dev.ip" to be of type string but got 7.', "7"),
    (
        {"dev": {"local_protocol": "ftp"}},
        'Expected "dev.local_protocol" field to be one of ["http","https"] but got "ftp".',
        '"ftp"',
    ),
    ({"dev": "x"}, 'Expected "dev" to be of type object but got "x".', '"x"'),
    ({"workflows": 5}, 'The field "workflows" should be an array but got 5.', "5"),
    ({"workflows": ["x"]}, '"workflows[0]" bindings should be objects, but got "x".', '"x"'),
    (
        {"workflows": [{"name": "a", "binding": "A", "class_name": 5}]},
        (
            '"workflows[0]" bindings should have a string "class_name" field '
            'but got {"name":"a","binding":"A","class_name":5}.'
        ),
        "5",
    ),
    (
        {"workflows": [{**WORKFLOW, "name": "bad name"}]},
        (
            '"workflows[0]" bindings have an invalid "name" field: "bad name". Workflow names must be 1-64 characters '
            "long, start with a letter, number, or underscore, and may only contain letters, numbers, underscores, "
            "or hyphens."
        ),
        '"bad name"',
    ),
    (
        {"workflows": [{**WORKFLOW, "limits": {"steps": 0}}]},
        '"workflows[0].limits.steps" should be a positive integer, but got 0.',
        "0",
    ),
    (
        {"workflows": [{**WORKFLOW, "limits": {"steps": 2.5}}]},
        '"workflows[0].limits.steps" should be a positive integer, but got 2.5.',
        "2.5",
    ),
    (
        {"workflows": [{**WORKFLOW, "limits": {"steps": True}}]},
        'Expected "workflows[0].limits.steps" to be of type number but got true.',
        "true",
    ),
    (
        {"workflows": [{**WORKFLOW, "limits": {"steps": 25001}}]},
        '"workflows[0].limits.steps" is 25,001, which exceeds the production maximum of 25,000.',
        "25001",
    ),
    (
        {"workflows": [{**WORKFLOW, "concurrency": {"limit": 50001}}]},
        '"workflows[0].concurrency.limit" is 50,001, which exceeds the production maximum of 50,000.',
        "50001",
    ),
    (
        {"workflows": [{**WORKFLOW, "default_retention": {"error_retention": "31 days"}}]},
        (
            '"workflows[0].default_retention.error_retention" should be at most 30 days, which is as long as the '
            'platform keeps an instance, but got "31 days".'
        ),
        '"31 days"',
    ),
    (
        {"workflows": [{**WORKFLOW, "schedules": ["* * * * *"] * 101}]},
        "There are 101 schedules up to here, and an account may have 100.",
        "[",
    ),
    (
        {"workflows": [{**WORKFLOW, "concurrency": {"limit": -1}}]},
        '"workflows[0].concurrency.limit" should be a positive integer, but got -1.',
        "-1",
    ),
    (
        {"workflows": [{**WORKFLOW, "schedules": []}]},
        '"workflows[0].schedules" should not be empty, but got [].',
        "[]",
    ),
    (
        {"workflows": [{**WORKFLOW, "schedules": " "}]},
        '"workflows[0].schedules" should not be empty, but got " ".',
        '" "',
    ),
    (
        {"workflows": [{**WORKFLOW, "schedules": [1]}]},
        '"workflows[0].schedules" should be a cron expression or an array of them, but got [1].',
        "[",
    ),
    (
        {"workflows": [{**WORKFLOW, "schedules": "*" * 257}]},
        f'"workflows[0].schedules" should hold cron expressions of at most 256 characters, but got "{"*" * 257}".',
        '"***',
    ),
    (
        {"workflows": [{**WORKFLOW, "default_retention": {"error_retention": "30days"}}]},
        (
            '"workflows[0].default_retention.error_retention" should be a duration such as "30 days", or a positive '
            'number of milliseconds, but got "30days".'
        ),
        '"30days"',
    ),
    (
        {"workflows": [{**WORKFLOW, "default_retention": {"success_retention": 0}}]},
        (
            '"workflows[0].default_retention.success_retention" should be a duration such as "30 days", or a positive '
            "number of milliseconds, but got 0."
        ),
        "0",
    ),
    (
        {"workflows": [{**WORKFLOW, "default_retention": {"success_retention": True}}]},
        (
            '"workflows[0].default_retention.success_retention" should be a duration such as "30 days", or a positive '
            "number of milliseconds, but got true."
        ),
        "true",
    ),
    (
        {"workflows": [{**WORKFLOW, "jurisdiction": "uk"}]},
        'Expected "workflows[0].jurisdiction" field to be one of ["eu","fedramp","us"] but got "uk".',
        '"uk"',
    ),
    (
        {"workflows": [WORKFLOW, {**WORKFLOW, "binding": "B"}]},
        '"workflows" bindings must have unique "name" values; duplicate(s) found: "orders"',
        '"orders"',
    ),
    *[
        (
            {"workflows": [{**WORKFLOW, "script_name": "billing", key: value}]},
            (
                f'Workflow "orders" has "{key}" configured but references external script "billing". '
                f"Configure {key} on the worker that defines the workflow."
            ),
            key,
        )
        for key, value in {
            "limits": {"steps": 5},
            "concurrency": {"limit": 5},
            "schedules": "* * * * *",
            "default_retention": {"error_retention": "1 day"},
            "jurisdiction": "eu",
        }.items()
    ],
    ({"workers_dev": "x"}, 'Expected "workers_dev" to be of type boolean but got "x".', '"x"'),
    ({"routes": "x"}, 'The field "routes" should be an array but got "x".', '"x"'),
    ({"route": "a", "routes": ["b"]}, 'Expected exactly one of the following fields ["routes","route"].', "route"),
    (
        {"compliance_region": "eu"},
        'Expected "compliance_region" field to be one of ["public","fedramp_high"] but got "eu".',
        '"eu"',
    ),
    ({"build": {"command": 5}}, 'Expected "build.command" to be of type string but got 5.', "5"),
    (
        {"triggers": {"crons": "x"}},
        'Expected "triggers.crons" to be of type array, but got {"crons":"x"}.',
        '"x"',
    ),
    ({"kv_namespaces": 5}, 'The field "kv_namespaces" should be an array but got 5.', "5"),
    (
        {"kv_namespaces": [{"id": "x"}]},
        '"kv_namespaces[0]" bindings should have a string "binding" field but got {"id":"x"}.',
        "",
    ),
    (
        {"kv_namespaces": [{"binding": "A", "id": 5}]},
        '"kv_namespaces[0]" bindings should, optionally, have a string "id" field but got {"binding":"A","id":5}.',
        "5",
    ),
    (
        {"kv_namespaces": ["x"]},
        '"kv_namespaces[0]" bindings should be objects, but got "x".',
        '"x"',
    ),
    (
        {"services": [{"binding": "A", "service": 5}]},
        '"services[0]" bindings should have a string "service" field but got {"binding":"A","service":5}.',
        "5",
    ),
    (
        {"r2_buckets": [{"binding": "A", "bucket_name": "A_"}]},
        (
            'r2_buckets[0].bucket_name="A_" is invalid. Bucket names must begin and end with an alphanumeric '
            "character, only contain lowercase letters, numbers, and hyphens, and be between 3 and 63 characters long."
        ),
        '"A_"',
    ),
    (
        {"ratelimits": [{"name": "A", "namespace_id": "1", "simple": {"limit": 2, "period": 5}}]},
        '"ratelimits[0]" bindings "simple.period" must be either 10 or 60 but got 5.',
        "5",
    ),
    (
        {"ratelimits": [{"name": "A", "namespace_id": "1", "simple": {"limit": "x", "period": 10}}]},
        '"ratelimits[0]" bindings "simple.limit" must be a number but got "x".',
        '"x"',
    ),
    (
        {"queues": {"producers": [{"queue": "q"}]}},
        '"queues.producers[0]" bindings should have a string "binding" field but got {"queue":"q"}.',
        "",
    ),
    ({"queues": {"consumers": [{}]}}, '"queues.consumers[0]" should have a string "queue" field but got {}.', ""),
    (
        {"queues": {"consumers": [{"queue": "q", "type": "x"}]}},
        (
            '"queues.consumers[0].type" has an invalid value "x". '
            'Only "worker" consumers can be configured in your Wrangler configuration.'
        ),
        '"x"',
    ),
    (
        {"durable_objects": {"bindings": [{}]}},
        (
            '"durable_objects.bindings[0]": {}\n'
            '  - binding should have a string "name" field.\n'
            '  - binding should have a string "class_name" field.'
        ),
        "",
    ),
    (
        {"durable_objects": {}},
        'The field "durable_objects" is missing the required "bindings" property.',
        "",
    ),
    ({"ai": "x"}, 'Expected "ai" to be of type object but got "x".', '"x"'),
    ({"text_blobs": {"A": 5}}, 'Expected "text_blobs.A" to be of type string but got 5.', "5"),
    (
        {"assets": {"directory": "x", "html_handling": "nope"}},
        (
            'Expected "assets.html_handling" field to be one of ["auto-trailing-slash","force-trailing-slash",'
            '"drop-trailing-slash","none"] but got "nope".'
        ),
        '"nope"',
    ),
    ({"env": 5}, 'Expected "env" to be of type object but got 5.', "5"),
    ({"env": {"s": 5}}, '"env.s" should be an object, but got 5.', "5"),
    (
        {
            "migrations": [{"tag": "v1"}],
            "exports": {"C": {"type": "durable-object"}},
        },
        (
            "`migrations` and `exports` are mutually exclusive. Choose one or the other to declare your Durable Object "
            "lifecycle, but not both."
        ),
        "",
    ),
    (
        {
            "exports": {"Orders": {"type": "workflow", "name": "orders"}},
            "workflows": [{**WORKFLOW, "limits": {"steps": 5}}],
        },
        (
            '"workflows[0].limits" configures the Workflow "orders", which "exports.Orders" declares. '
            'Set "limits" on the export instead.'
        ),
        "limits",
    ),
    (
        {"exports": {"Other": {"type": "workflow", "name": "orders"}}, "workflows": [WORKFLOW]},
        '"workflows[0].class_name" is "Orders", and "exports.Other" declares the Workflow "orders" for another class.',
        '"Orders"',
    ),
    (
        {"exports": {"A": {"type": "workflow", "name": "n"}, "B": {"type": "workflow", "name": "n"}}},
        '"exports.A" and "exports.B" both declare the Workflow "n".',
        '"n"',
    ),
]


@pytest.mark.parametrize(("data", "message", "start"), ERRORS, ids=[message[:50] for _, message, _ in ERRORS])
def test_wrong_value_is_an_error_that_points_at_it(
    project: Project, data: dict[str, Any], message: str, start: str
) -> None:
    """The exact message, once, and no other error; the text at its place starts with the value or its key."""
    [error] = project.errors(data)
    assert message == error.message
    assert text_at(error).lstrip('"[').startswith(start.lstrip('"['))


WARNINGS: list[tuple[dict[str, Any], str, str, str | None]] = [
    ({"wrkflows": [WORKFLOW]}, 'Unexpected fields found in top-level field: "wrkflows"', "wrkflows", "workflows"),
    (
        {"kvNamespaces": 1},
        'Unexpected fields found in top-level field: "kvNamespaces"',
        "kvNamespaces",
        "kv_namespaces",
    ),
    ({"zzzz": 1}, 'Unexpected fields found in top-level field: "zzzz"', "zzzz", None),
    ({"dev": {"prot": 1}}, 'Unexpected fields found in dev field: "prot"', "prot", "port"),
    (
        {"workflows": [{**WORKFLOW, "schedule": "x"}]},
        'Unexpected fields found in workflows[0] field: "schedule"',
        "schedule",
        "schedules",
    ),
    (
        {"workflows": [{**WORKFLOW, "limits": {"step": 5}}]},
        'Unexpected fields found in workflows[0].limits field: "step"',
        "step",
        "steps",
    ),
    (
        {"kv_namespaces": [{"binding": "A", "idd": "x"}]},
        'Unexpected fields found in kv_namespaces[0] field: "idd"',
        "idd",
        "id",
    ),
    ({"build": {"comand": "x"}}, 'Unexpected fields found in build field: "comand"', "comand", "command"),
    ({"triggers": {"events": [{}]}}, '"triggers.events" is not supported yet, and has no effect.', "", None),
    (
        {"queues": {"consumers": [{"queue": "q"}]}},
        '"queues.consumers" is not supported yet, and has no effect.',
        "",
        None,
    ),
]


@pytest.mark.parametrize(
    ("data", "message", "start", "meant"), WARNINGS, ids=[message[:50] for _, message, _, _ in WARNINGS]
)
def test_doubtful_value_is_a_warning(
    project: Project, data: dict[str, Any], message: str, start: str, meant: str | None
) -> None:
    """The configuration loads; the warning points at the key and suggests the name that was meant."""
    loaded = project.load(data)
    warning = next(each for each in loaded.warnings if each.message == message)
    assert text_at(warning).lstrip('"[').startswith(start)
    assert (None if meant is None else f'Did you mean "{meant}"?') == warning.suggestion


def test_misspelt_required_key_is_missing_and_unknown(project: Project) -> None:
    """The error tells what was written instead, the warning what it should be."""
    data = {"workflows": [{"name": "a", "binding": "A", "clas_name": "X"}]}
    [error] = project.errors(data)
    assert (
        '"workflows[0]" bindings should have a string "class_name" field '
        'but got {"name":"a","binding":"A","clas_name":"X"}.'
    ) == error.message
    assert 'Did you write "clas_name" instead of "class_name"?' == error.suggestion
    [warning] = project.warnings(data)
    assert 'Did you mean "class_name"?' == warning.suggestion


def test_single_brackets_for_an_array_of_tables_are_explained(json_project: Project) -> None:
    """The usual TOML mistake."""
    json_project.name = "wrangler.toml"
    [error] = json_project.errors({"workflows": WORKFLOW})
    assert error.message.startswith('The field "workflows" should be an array but got {"name":"orders"')
    assert "Write [[workflows]], with two brackets, for an element of an array." == error.suggestion


@pytest.mark.parametrize(
    ("variables", "field", "name"),
    [({"D": DAY}, "vars.D", "D"), ({"T": {"d": DAY}}, "vars.T.d", "d"), ({"L": [1, DAY]}, "vars.L[1]", "L")],
)
def test_toml_date_in_vars_is_an_error(json_project: Project, variables: Any, field: str, name: str) -> None:
    """JSON has no dates, at any depth; the message shows the text to write."""
    json_project.name = "wrangler.toml"
    [error] = json_project.errors({"vars": variables})
    assert (
        f'The field "{field}" is a TOML date, which is not supported. '
        f'Please use a string instead, e.g. {name} = "2025-12-19".'
    ) == error.message
    assert text_at(error).startswith("2025-12-19")


def test_toml_date_elsewhere_wants_quotes(json_project: Project) -> None:
    """An unquoted compatibility date is a date in TOML."""
    json_project.name = "wrangler.toml"
    [error] = json_project.errors({"compatibility_date": DAY})
    assert 'Expected "compatibility_date" to be of type string but got "2025-12-19".' == error.message
    assert 'Put it in quotes: "2025-12-19".' == error.suggestion


def test_null_is_not_text(json_project: Project) -> None:
    """JSON's null is a value of the wrong type."""
    [error] = json_project.errors({"name": None})
    assert 'Expected "name" to be of type string but got null.' == error.message


UNIQUE = (
    "\nBindings must have unique names, so that they can all be referenced in the worker.\n"
    "Please change your bindings to have unique names."
)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"kv_namespaces": [{"binding": "K"}], "r2_buckets": [{"binding": "K"}], "vars": {"K": "x"}},
            "K assigned to KV Namespace, R2 Bucket, and Environment Variable bindings.",
        ),
        (
            {"workflows": [{**WORKFLOW, "binding": "K"}], "vars": {"K": "x"}},
            "K assigned to Workflow and Environment Variable bindings.",
        ),
        (
            {"kv_namespaces": [{"binding": "K"}, {"binding": "K"}]},
            "K assigned to multiple KV Namespace bindings.",
        ),
        (
            {"durable_objects": {"bindings": [{"name": "K", "class_name": "C"}]}, "ai": {"binding": "K"}},
            "K assigned to Durable Object and AI bindings.",
        ),
        (
            {"secrets": {"required": ["K"]}, "text_blobs": {"K": "file"}},
            "K assigned to Text Blob and Secret bindings.",
        ),
    ],
)
def test_two_bindings_of_one_name_are_an_error(project: Project, data: dict[str, Any], message: str) -> None:
    """Of whatever kinds."""
    [error] = project.errors(data)
    assert message + UNIQUE == error.message
    assert error.suggestion is not None
    assert re.search(r"The name is also used in \S+ \(wrangler\.\w+:\d+:\d+\)", error.suggestion)


def test_mail_and_rate_limits_may_share_a_name(project: Project) -> None:
    """The platform leaves them out of the check."""
    rate_limit = {"name": "K", "namespace_id": "1", "simple": {"limit": 2, "period": 10}}
    assert [] == project.errors({"vars": {"K": "x"}, "send_email": [{"name": "K"}], "ratelimits": [rate_limit]})


def test_missing_main_is_an_error_with_what_to_add(project: Project) -> None:
    """The message shows it in the format of the file."""
    project.write({"name": "shop", "compatibility_date": "2026-11-01"})
    [error] = project.problems()
    snippet = {"wrangler.jsonc": '{\n  "main": "src/entry.py"\n}', "wrangler.toml": 'main = "src/entry.py"'}
    assert (
        "Missing entry-point to Worker script\n\n"
        f'Add the following to your "{project.name}" file:\n\n```\n{snippet[project.name]}\n```'
    ) == error.message


def test_misspelt_main_is_found(project: Project) -> None:
    """The error names the key that was probably meant to be main."""
    project.write({"name": "shop", "mian": "src/entry.py", "compatibility_date": "2026-11-01"})
    [error] = project.errors()
    assert 'Did you write "mian" instead of "main"?' == error.suggestion


def test_assets_without_main_are_not_supported(project: Project) -> None:
    """The platform allows it; here the error says that it is missing."""
    project.write({"name": "shop", "compatibility_date": "2026-11-01", "assets": {"directory": "public"}})
    [error] = project.errors()
    assert "A Worker of static assets alone is not supported yet." == error.suggestion


def test_main_that_does_not_exist_suggests_a_file_nearby(project: Project) -> None:
    """The platform's text, and the Python file that looks most like it."""
    [error] = project.errors({"main": "src/enrty.py"})
    assert (
        'The entry-point file at "src/enrty.py" was not found.\n\n'
        "This might mean that your entry-point file needs to be generated "
        "(which is the general case when a framework is being used).\n"
        "If that's the case please run your project's build command and try again."
    ) == error.message
    assert 'Did you mean "src/entry.py"?' == error.suggestion
    assert text_at(error).startswith('"src/enrty.py"')


def test_main_that_does_not_exist_lists_what_is_there(project: Project) -> None:
    """Without a similar name; and with nothing there, nothing."""
    [error] = project.errors({"main": "zzz.mjs"})
    assert "Python files that are there: src/entry.py." == error.suggestion
    (project.folder / "src" / "entry.py").unlink()
    [error] = project.errors()
    assert error.suggestion is None


def test_main_that_is_a_directory_suggests_a_file_in_it(project: Project) -> None:
    """The platform's text, and the usual name if it is there."""
    project.file("src/a.py", "")
    [error] = project.errors({"main": "src"})
    message = 'The provided entry-point path, "src", points to a directory, rather than a file.'
    assert (message, 'Did you mean "src/entry.py"?') == (error.message, error.suggestion)


def test_main_that_is_not_python_is_an_error(project: Project) -> None:
    """A Worker in another language cannot run here."""
    project.file("src/index.ts", "")
    [error] = project.errors({"main": "src/index.ts"})
    assert 'The entry-point file at "src/index.ts" is not a Python file.' == error.message


def test_missing_compatibility_date_is_a_warning(project: Project) -> None:
    """It is required only to deploy."""
    project.write({"name": "shop", "main": "src/entry.py"})
    [warning] = project.load().warnings
    assert "No compatibility_date was specified: the newest behaviour is assumed." == warning.message


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
    [workflow] = config.workflows
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
    config = project.load().config
    assert ("worker", "localhost", None, (), None) == (
        config.name,
        config.dev.ip,
        config.dev.port,
        config.workflows,
        config.secrets,
    )


def test_unknown_keys_are_left_out_of_the_model(project: Project) -> None:
    """At any depth: a warning does not keep the rest from being used."""
    loaded = project.load(
        {"zzzz": 1, "dev": {"zzzz": 1}, "workflows": [WORKFLOW, {**WORKFLOW, "name": "b", "binding": "B", "q": 1}]}
    )
    assert 3 == len(loaded.warnings)
    assert ["orders", "b"] == [workflow.name for workflow in loaded.config.workflows]


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
