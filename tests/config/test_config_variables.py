"""Where variables come from, and which one wins."""

from pathlib import Path

import pytest
from config_project import WORKFLOW, Project

from cfworkflows_emulator.config import ConfigError, LoadedConfig

ENV = {"vars": {"A": "config"}, "env": {"s": {"vars": {"A": "section"}}}}


def value(loaded: LoadedConfig, name: str = "A") -> object:
    """The value of a variable, or None if there is none."""
    return loaded.variables[name].value if name in loaded.variables else None


def test_configuration_file_and_command_line_in_this_order(project: Project) -> None:
    """The later wins; values of the configuration may be any JSON, and are the only ones to be shown."""
    project.file(".dev.vars", "B=file\nC=file\n")
    loaded = project.load({"vars": {"A": {"n": [1]}, "B": "config", "C": "config"}}, variables={"C": "line"})
    assert {"A": {"n": [1]}, "B": "file", "C": "line"} == {name: value(loaded, name) for name in loaded.variables}
    assert {
        "A": ("config", project.name, False),
        "B": ("file", ".dev.vars", True),
        "C": ("command line", "--var", True),
    } == {name: (each.origin, each.source, each.hidden) for name, each in loaded.variables.items()}
    assert ["Using secrets defined in .dev.vars"] == loaded.secrets_lines


def test_dev_vars_of_the_environment_replaces_the_general_one(project: Project) -> None:
    """They are not merged; without an environment, or without the file, the general one is read."""
    project.file(".dev.vars", "A=general\nB=general\n")
    assert "general" == value(project.load(ENV, env="s"))
    project.file(".dev.vars.s", "A=own\n")
    loaded = project.load(ENV, env="s")
    assert ("own", None, [".dev.vars.s"]) == (value(loaded), value(loaded, "B"), loaded.sources)
    assert "general" == value(project.load(ENV))


def test_dot_env_files_are_merged_when_there_is_no_dev_vars(project: Project) -> None:
    """In the order of the platform's code, later wins."""
    for name in (".env", ".env.local", ".env.s", ".env.s.local"):
        project.file(name, f"A={name}\n{name.replace('.', '_').upper()}=1\n")
    loaded = project.load(ENV, env="s")
    assert (".env.s.local", [".env", ".env.local", ".env.s", ".env.s.local"]) == (value(loaded), loaded.sources)
    assert {"A", "_ENV", "_ENV_LOCAL", "_ENV_S", "_ENV_S_LOCAL"} == set(loaded.variables)
    loaded = project.load(ENV)
    assert (".env.local", [".env", ".env.local"]) == (value(loaded), loaded.sources)


def test_dot_env_is_not_read_beside_dev_vars(project: Project) -> None:
    """One kind or the other."""
    project.file(".dev.vars", "A=dev\n")
    project.file(".env", "A=env\nB=env\n")
    loaded = project.load(ENV)
    assert ("dev", None) == (value(loaded), value(loaded, "B"))


def test_dot_env_can_be_switched_off(project: Project) -> None:
    """CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV=false."""
    project.file(".env", "A=env\n")
    project.process_env["CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV"] = "false"
    loaded = project.load(ENV)
    assert ("config", []) == (value(loaded), loaded.sources)
    project.process_env["CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV"] = "true"
    assert "env" == value(project.load(ENV))


def test_env_file_option_replaces_all_files(project: Project) -> None:
    """Relative to the folder of the configuration; the later file wins; only they are watched."""
    project.file(".dev.vars", "A=dev\nB=dev\n")
    first, second = project.file("a.env", "A=first\nC=${A}\n"), project.file("b.env", "A=second\n")
    loaded = project.load(ENV, env_files=[Path("a.env"), Path("b.env")])
    assert ("second", "second", None) == (value(loaded), value(loaded, "C"), value(loaded, "B"))
    assert ["a.env", "b.env"] == loaded.sources
    assert [project.folder / project.name, first, second] == loaded.watched


def test_env_file_that_is_missing_is_an_error(project: Project) -> None:
    """Someone asked for it."""
    with pytest.raises(ConfigError) as caught:
        project.load(ENV, env_files=[Path("no.env")])
    assert f"Could not read file: {project.folder / 'no.env'} (from --env-file)." == str(caught.value)


def test_process_environment_only_when_asked_for(project: Project) -> None:
    """CLOUDFLARE_INCLUDE_PROCESS_ENV=true; it wins over files, and not over the command line."""
    project.process_env |= {"A": "process", "B": "process", "C": "process"}
    project.file(".env", "B=file\n")
    assert ("config", "file", None) == tuple(value(project.load(ENV), name) for name in "ABC")
    project.process_env["CLOUDFLARE_INCLUDE_PROCESS_ENV"] = "true"
    loaded = project.load(ENV, variables={"C": "line"})
    assert ("process", "process", "line") == tuple(value(loaded, name) for name in "ABC")
    assert ("process", "process.env", True) == (
        loaded.variables["A"].origin,
        loaded.variables["A"].source,
        loaded.variables["A"].hidden,
    )
    assert [".env", "process.env"] == loaded.sources
    project.file(".dev.vars", "")
    assert "config" == value(project.load(ENV))


def test_required_secrets_limit_what_is_taken(project: Project) -> None:
    """Only they and the names of vars; the process environment counts without being asked for."""
    project.file(".dev.vars", "A=file\nB=file\nOTHER=file\n")
    project.process_env |= {"C": "process", "PATH": "/bin"}
    loaded = project.load({"vars": {"A": "config"}, "secrets": {"required": ["B", "C"]}})
    assert {"A": "file", "B": "file", "C": "process"} == {name: value(loaded, name) for name in loaded.variables}
    assert [".dev.vars", "process.env"] == loaded.sources
    assert [] == loaded.warnings


def test_missing_secrets_are_a_warning(project: Project) -> None:
    """Those of the command line are not missing."""
    loaded = project.load({"secrets": {"required": ["A", "B", "C"]}}, variables={"B": "x"})
    [warning] = loaded.warnings
    assert (
        "Missing required secrets: A, C. Add them to .dev.vars, .env, or set as environment variables."
        == warning.message
    )


def test_empty_secrets_take_only_known_names(project: Project) -> None:
    """That the key is there is enough."""
    project.file(".dev.vars", "A=file\nB=file\n")
    loaded = project.load({"vars": {"A": "config"}, "secrets": {}})
    assert {"A"} == set(loaded.variables)


def test_references_are_expanded_in_dot_env_and_not_in_dev_vars(project: Project) -> None:
    """Across the files, with defaults; an unknown name is empty."""
    text = 'HOST=local\nURL="http://${HOST}:${PORT:-80}/${NONE}"\n'
    project.file(".env", text)
    project.file(".env.local", "HOST=example\n")
    project.process_env["NONE"] = "not included"
    assert "http://example:80/" == value(project.load(ENV), "URL")
    project.process_env["CLOUDFLARE_INCLUDE_PROCESS_ENV"] = "true"
    assert "http://example:80/not included" == value(project.load(ENV), "URL")
    project.file(".dev.vars", text)
    assert "http://${HOST}:${PORT:-80}/${NONE}" == value(project.load(ENV), "URL")


def test_reference_may_come_before_its_name(project: Project) -> None:
    """References to references that are above are expanded too."""
    project.file(".env", "A=${B}\nB=b\nC=${A}\n")
    loaded = project.load(ENV)
    assert ("b", "b", "b") == tuple(value(loaded, name) for name in "ABC")


def test_dotenv_syntax(project: Project) -> None:
    """Quotes, line breaks in quotes, `export`, comments, a byte order mark."""
    project.file(".dev.vars", '\ufeffA=\'a # b\' # c\nexport B="x\\ny"\n# D=1\nC="1\n2"\nE=\n')
    loaded = project.load({})
    expected = {"A": "a # b", "B": "x\ny", "C": "1\n2", "E": ""}
    assert expected == {name: value(loaded, name) for name in loaded.variables}


def test_malformed_line_is_reported_with_its_place_and_without_its_text(project: Project) -> None:
    """It may hold a secret; the other lines count."""
    project.file(".dev.vars", "A=1\n\n  s3cret value\nB=2\nNAME\nC='x\n")
    loaded = project.load({})
    assert {"A": "1", "B": "2"} == {name: value(loaded, name) for name in loaded.variables}
    assert [".dev.vars:3:3", ".dev.vars:5:1", ".dev.vars:6:1"] == [str(each.location) for each in loaded.warnings]
    assert {"This line is not NAME=value, and is left out."} == {each.message for each in loaded.warnings}
    assert "s3cret" not in "".join(str(each) for each in loaded.warnings)


def test_file_that_is_not_text_is_an_error(project: Project) -> None:
    """Not a crash."""
    (project.folder / ".dev.vars").write_bytes(b"A=\xff")
    with pytest.raises(ConfigError, match=r"Could not read file: \.dev\.vars\nIt is not UTF-8\."):
        project.load({})


def test_variable_may_not_have_the_name_of_another_binding(project: Project) -> None:
    """From a file or the command line; the process environment is not ours to name."""
    data = {"workflows": [WORKFLOW]}
    project.process_env |= {"ORDERS": "x", "CLOUDFLARE_INCLUDE_PROCESS_ENV": "true"}
    project.load(data)
    project.file(".dev.vars", "ORDERS=x\n")
    [error] = project.errors(data)
    assert error.message.startswith("ORDERS assigned to Workflow and Environment Variable bindings.\n")
    assert "The variable is from .dev.vars." == error.suggestion


def test_files_that_could_appear_are_watched(project: Project) -> None:
    """A new .dev.vars changes the configuration like a changed one."""
    names = [".dev.vars.s", ".dev.vars", ".env", ".env.local", ".env.s", ".env.s.local"]
    assert [project.folder / name for name in (project.name, *names)] == project.load(ENV, env="s").watched
