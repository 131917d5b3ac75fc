"""Each message about a wrong value, in both formats, with the place that it points to."""

import datetime
from typing import Any

import pytest
from config_project import WORKFLOW, Project, text_at

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
        {"services": [{"binding": "A", "service": "b", "props": 5}]},
        (
            '"services[0]" bindings should, optionally, have a object "props" field '
            'but got {"binding":"A","service":"b","props":5}.'
        ),
        "5",
    ),
    (
        {"workflows": [{**WORKFLOW, "script_name": 5}]},
        (
            '"workflows[0]" bindings should, optionally, have a string "script_name" field '
            'but got {"name":"orders","binding":"ORDERS","class_name":"Orders","script_name":5}.'
        ),
        "5",
    ),
    ({"services": {"binding": "A"}}, 'The field "services" should be an array but got {"binding":"A"}.', ""),
    ({"services": ["x"]}, '"services[0]" bindings should be objects, but got "x".', '"x"'),
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


def test_missing_compatibility_date_is_a_warning(project: Project) -> None:
    """It is required only to deploy."""
    project.write({"name": "shop", "main": "src/entry.py"})
    [warning] = project.load().warnings
    assert "No compatibility_date was specified: the newest behaviour is assumed." == warning.message
