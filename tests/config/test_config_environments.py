"""Environments: what is taken over, what is not, and the names."""

from typing import Any

import pytest
from config_project import MINIMAL, WORKFLOW, Project, text_at

from cfworkflows_emulator.config import WORKFLOWS, ConfigError
from cfworkflows_emulator.config.loading import load_config


def test_environment_inherits_what_it_does_not_set(project: Project) -> None:
    """Main and the compatibility settings come from the top level, and `dev`, which is only there."""
    project.file("src/other.py", "")
    top = {"compatibility_flags": ["a"], "dev": {"port": 9000}}
    loaded = project.load({**top, "env": {"s": {"main": "src/other.py"}}}, env="s")
    config = loaded.config
    assert ("shop-s", "2026-11-01", ["a"], 9000) == (
        config.name,
        config.compatibility_date,
        config.compatibility_flags,
        config.dev.port,
    )
    assert ("s", project.folder / "src" / "other.py", []) == (loaded.env, loaded.main, list(loaded.warnings))


def test_assets_are_the_bindings_that_are_inherited(project: Project) -> None:
    """They belong to what is deployed, not to what the code is bound to."""
    loaded = project.load({"assets": {"directory": "public", "binding": "ASSETS"}, "env": {"s": {}}}, env="s")
    assert ["ASSETS"] == [binding.name for binding in loaded.bindings]
    assert ['"assets" is not supported yet, and has no effect.'] == [warning.message for warning in loaded.warnings]


def test_environment_may_set_its_whole_name(project: Project) -> None:
    """Then nothing is added to it."""
    assert "other" == project.load({"env": {"s": {"name": "other"}}}, env="s").config.name


def test_environment_of_a_worker_without_a_name(project: Project) -> None:
    """The default name gets no suffix, as on the platform's local server."""
    project.write({"main": "src/entry.py", "env": {"s": {}}})
    assert "worker" == project.load(env="s").config.name


def test_bindings_and_variables_are_not_inherited(project: Project) -> None:
    """Each kind that the section leaves out is a warning of its own, and is not there."""
    loaded = project.load(
        {"vars": {"A": "x"}, "workflows": [WORKFLOW], "kv_namespaces": [{"binding": "KV"}], "env": {"s": {}}}, env="s"
    )
    assert [
        f'"{key}" exists at the top level, but not on "env.s".\n'
        f'This is not what you probably want, since "{key}" is not inherited by environments.\n'
        f'Please add "{key}" to "env.s".'
        for key in ("vars", "workflows", "kv_namespaces")
    ] == [warning.message for warning in loaded.warnings]
    assert ({}, (), [], {}) == (loaded.config.vars, loaded.sections(WORKFLOWS), loaded.bindings, loaded.variables)
    assert {"s"} == {warning.env for warning in loaded.warnings}


def test_variables_that_a_section_leaves_out_are_named(project: Project) -> None:
    """Only those that are missing."""
    data = {"vars": {"A": "x", "B": "y", "C": "z"}, "env": {"s": {"vars": {"B": "w"}}}}
    [warning] = project.warnings(data, env="s")
    assert (
        'The following vars exist at the top level, but not on "env.s.vars".\n'
        'This is probably not what you want, since "vars" configuration is not inherited by environments.\n'
        'Please add these vars to "env.s.vars":\n- A\n- C'
    ) == warning.message


@pytest.mark.parametrize(
    ("key", "first", "second"),
    [
        ("kv_namespaces", {"binding": "X"}, {"binding": "Y"}),
        ("workflows", {**WORKFLOW, "binding": "X"}, {**WORKFLOW, "binding": "Y"}),
        ("services", {"binding": "X", "service": "s"}, {"binding": "Y", "service": "s"}),
    ],
)
def test_bindings_that_a_section_leaves_out_are_named(project: Project, key: str, first: Any, second: Any) -> None:
    """One warning for each."""
    [warning] = project.warnings({key: [first], "env": {"s": {key: [second]}}}, env="s")
    assert (
        f'There is a {key} binding with name "X" at the top level, but not on "env.s".\n'
        f'This is not what you probably want, since "{key}" configuration is not inherited by environments.\n'
        f'Please add a binding for "X" to "env.s.{key}.bindings".'
    ) == warning.message


def test_durable_objects_that_a_section_leaves_out_are_listed(project: Project) -> None:
    """In one warning, with the text of their own."""
    bindings = [{"name": name, "class_name": "C"} for name in ("X", "Y", "Z")]
    data = {
        "durable_objects": {"bindings": bindings},
        "env": {"s": {"durable_objects": {"bindings": bindings[1:2]}}},
    }
    [warning] = project.warnings(data, env="s")
    assert (
        'The following bindings are at the top level, but not on "env.s".\n'
        'This is not what you probably want, since "durable_objects" configuration is not inherited by environments.\n'
        'Please add a binding for each to "env.s.durable_objects.bindings":\n- X\n- Z'
    ) == warning.message


def unknown(project: Project, names: str) -> str:
    """The platform's text for an environment that is not there."""
    snippet = "[env.zz]" if project.name.endswith(".toml") else '"env": { "zz": {} }'
    return (
        'No environment found in configuration with name "zz".\n'
        "Before using `--env=zz` there should be an equivalent environment section in the configuration.\n"
        f"The available configured environment names are: {names}\n\n"
        f"Consider adding an environment configuration section to the {project.name} file:\n```\n{snippet}\n```"
    )


def test_unknown_environment_is_an_error_if_there_are_others(project: Project) -> None:
    """With the names that there are, and the one that was probably meant."""
    [error] = project.errors({"env": {"s": {}, "zzz": {}}}, env="zz")
    assert unknown(project, '["s","zzz"]') == error.message
    assert 'Did you mean "zzz"?' == error.suggestion


def test_unknown_environment_is_the_top_level_if_there_are_none(project: Project) -> None:
    """With a warning, its bindings and variables, and the suffix."""
    loaded = project.load({"vars": {"A": "x"}, "workflows": [WORKFLOW]}, env="zz")
    [warning] = loaded.warnings
    assert unknown(project, "[]") == warning.message
    assert ("shop-zz", {"A": "x"}, 1) == (loaded.config.name, loaded.config.vars, len(loaded.sections(WORKFLOWS)))


def test_cloudflare_env_chooses_unless_the_option_does(project: Project) -> None:
    """The option wins, and an empty one means the top level."""
    project.process_env["CLOUDFLARE_ENV"] = "s"
    data: dict[str, Any] = {"env": {"s": {}, "t": {}}}
    assert ["shop-s", "shop-t", "shop"] == [project.load(data, env=env).config.name for env in (None, "t", "")]


@pytest.mark.parametrize("key", ["dev", "site", "send_metrics", "text_blobs", "env"])
def test_section_may_not_hold_keys_of_the_top_level(project: Project, key: str) -> None:
    """The warning says where the key belongs, and the key has no effect."""
    value = {"dev": {"port": 1}, "send_metrics": True}.get(key, {})
    loaded = project.load({"env": {"s": {key: value}}}, env="s")
    [warning] = loaded.warnings
    assert (
        f'Unexpected fields found in env.s field: "{key}"',
        f'"{key}" is a key of the top level only: move it out of "env.s".',
    ) == (warning.message, warning.suggestion)
    assert loaded.config.dev.port is None


def test_problems_of_a_section_point_into_it(project: Project) -> None:
    """Not at the top-level key of the same name."""
    data: dict[str, Any] = {
        "workflows": [WORKFLOW],
        "vars": {"K": "top"},
        "env": {
            "s": {
                "workflows": [{**WORKFLOW, "jurisdiction": "uk"}],
                "vars": {"K": "own"},
                "kv_namespaces": [{"binding": "K", "idd": "x"}],
            }
        },
    }
    wrong, twice = project.errors(data, env="s")
    assert (
        'Expected "workflows[0].jurisdiction" field to be one of ["eu","fedramp","us"] but got "uk".' == wrong.message
    )
    assert text_at(wrong).startswith('"uk"')
    assert twice.message.startswith("K assigned to KV Namespace and Environment Variable bindings.")
    assert text_at(twice).startswith('"own"')
    [unexpected] = project.warnings(data, env="s")
    assert 'Unexpected fields found in env.s.kv_namespaces[0] field: "idd"' == unexpected.message


def test_section_that_is_not_used_is_not_checked(project: Project) -> None:
    """A half-written production section does not keep anyone from working locally."""
    assert [] == project.problems({"env": {"s": {"workflows": 5, "zz": 1}}})


def test_top_level_is_checked_with_any_section(project: Project) -> None:
    """Its errors are errors for every environment."""
    [error] = project.errors({"workflows": 5, "env": {"s": {"workflows": []}}}, env="s")
    assert 'The field "workflows" should be an array but got 5.' == error.message
    assert error.env is None


def test_inherited_main_points_at_the_top_level(project: Project) -> None:
    """And the section's own one into the section."""
    [error] = project.errors({"main": "src/a.py", "env": {"s": {}}}, env="s")
    assert error.env is None
    [error] = project.errors({"env": {"s": {"main": "src/b.py"}}}, env="s")
    assert "s" == error.env
    assert text_at(error).startswith('"src/b.py"')


def test_script_name_of_the_worker_itself_includes_the_environment(project: Project) -> None:
    """A Workflow of `shop-s` is its own in the environment, and somebody else's at the top level."""
    workflow = {**WORKFLOW, "script_name": "shop-s", "limits": {"steps": 5}}
    assert [] == project.errors({"env": {"s": {"workflows": [workflow]}}}, env="s")
    assert 1 == len(project.errors({"workflows": [workflow]}))


def test_location_of_a_binding_is_in_its_section(project: Project) -> None:
    """`BindingInfo.location` is worked out when it is asked for."""
    project.write({**MINIMAL, "env": {"s": {"workflows": [WORKFLOW]}}})
    [binding] = load_config(cwd=project.folder, env="s", process_env={}).bindings
    assert ("env", "s", "workflows", 0) == binding.path
    assert binding.location is not None
    assert project.name == binding.location.file
    assert binding.location.line > 1


def test_error_of_the_environment_is_raised_together_with_the_others(project: Project) -> None:
    """An unknown environment does not hide what else is wrong."""
    project.write({**MINIMAL, "name": 5, "env": {"s": {}}})
    with pytest.raises(ConfigError) as caught:
        project.load(env="zz")
    assert 2 == len(caught.value.diagnostics)


def test_problems_of_the_top_level_come_before_those_of_a_section(json_project: Project) -> None:
    """Wherever the section is in the file."""
    json_project.text('{"env": {"s": {"name": 1}},\n"main": "src/entry.py", "compatibility_flags": 2}')
    assert [None, "s"] == [error.env for error in json_project.errors(env="s")]
