"""Which file is read."""

import json
from pathlib import Path

import pytest
from config_project import MINIMAL

from cfworkflows_emulator.config import ConfigError, LoadedConfig
from cfworkflows_emulator.config.discovery import EXAMPLE
from cfworkflows_emulator.config.loading import load_config


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """A folder and one below it, each with an entry point."""
    below = tmp_path / "app" / "sub"
    for folder in (tmp_path / "app", below):
        (folder / "src").mkdir(parents=True)
        (folder / "src" / "entry.py").touch()
    return tmp_path / "app", below


def write(folder: Path, name: str) -> Path:
    """A configuration whose Worker is named after the file."""
    path = folder / name
    worker = f"{folder.name}-{path.suffix[1:]}"
    if name.endswith(".toml"):
        path.write_text(f'name = "{worker}"\nmain = "src/entry.py"\n')
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**MINIMAL, "name": worker}))
    return path


def load(cwd: Path, path: Path | None = None) -> LoadedConfig:
    """Load from `cwd`."""
    return load_config(path, cwd=cwd, process_env={})


def test_json_above_beats_toml_here(folders: tuple[Path, Path]) -> None:
    """Each name is searched all the way up before the next one."""
    above, below = folders
    write(below, "wrangler.toml")
    assert "sub-toml" == load(below).config.name
    write(above, "wrangler.jsonc")
    assert "app-jsonc" == load(below).config.name
    write(above, "wrangler.json")
    write(below, "wrangler.jsonc")
    assert "app-json" == load(below).config.name
    write(below, "wrangler.json")
    assert "sub-json" == load(below).config.name


def test_option_wins_and_is_relative_to_the_current_folder(folders: tuple[Path, Path]) -> None:
    """The name of the file is free then."""
    above, below = folders
    write(below, "wrangler.json")
    path = write(above, "other.jsonc")
    loaded = load(below, Path("../other.jsonc"))
    assert "app-jsonc" == loaded.config.name
    assert path.samefile(loaded.path)


def test_paths_in_the_file_are_relative_to_the_file(folders: tuple[Path, Path]) -> None:
    """Whatever folder the command was started in."""
    above, below = folders
    write(above, "wrangler.json")
    loaded = load(below)
    assert (above / "src" / "entry.py", above) == (loaded.main, loaded.directory)


def test_nothing_found_tells_what_was_looked_for_and_what_to_write(tmp_path: Path) -> None:
    """The names, every folder, and a configuration that works as it is."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    text = str(caught.value)
    assert text.startswith(
        "No configuration file was found.\nLooked for wrangler.json, wrangler.jsonc and wrangler.toml in:\n"
        f"  {tmp_path}\n  {tmp_path.parent}\n"
    )
    assert EXAMPLE in text
    assert 5 == len(EXAMPLE.splitlines())
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "entry.py").touch()
    (tmp_path / "wrangler.jsonc").write_text(EXAMPLE)
    assert [] == load(tmp_path).warnings


def test_option_that_leads_nowhere_suggests_a_file(folders: tuple[Path, Path]) -> None:
    """A missing file, and a directory."""
    above, _ = folders
    write(above, "wrangler.toml")
    with pytest.raises(ConfigError) as caught:
        load(above, Path("wranger.toml"))
    expected = 'Could not read file: wranger.toml\nThere is no such file.\nDid you mean "wrangler.toml"?'
    assert expected == str(caught.value)
    with pytest.raises(ConfigError, match=r"Could not read file: src\nIt is a directory\."):
        load(above, Path("src"))


def redirect(folder: Path, text: str) -> Path:
    """Write `.wrangler/deploy/config.json`."""
    path = folder / ".wrangler" / "deploy" / "config.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def built(folder: Path, **more: object) -> Path:
    """What a build tool writes: a configuration beside a built entry point."""
    path = folder / "dist" / "wrangler.json"
    path.parent.mkdir(exist_ok=True)
    (path.parent / "entry.py").touch()
    path.write_text(json.dumps({**MINIMAL, "name": "built", "main": "entry.py", **more}))
    return path


def test_build_tool_redirects_to_its_own_configuration(folders: tuple[Path, Path]) -> None:
    """State and variables stay beside the user's file, and a message tells."""
    above, _ = folders
    original = write(above, "wrangler.json")
    path = built(above)
    pointer = redirect(above, '{"configPath": "../../dist/wrangler.json"}')
    (above / ".dev.vars").write_text("A=1\n")
    loaded = load(above)
    assert ("built", above, "1") == (loaded.config.name, loaded.directory, loaded.variables["A"].value)
    assert path.parent / "entry.py" == loaded.main
    assert {path, original, pointer} <= set(loaded.watched)
    assert loaded.warnings[0].message.startswith("Using redirected Wrangler configuration.")


def test_redirection_needs_no_configuration_of_the_user(folders: tuple[Path, Path]) -> None:
    """The folder is then the one with the redirection in it."""
    above, below = folders
    built(above)
    redirect(above, '{"configPath": "../../dist/wrangler.json"}')
    assert above == load(below).directory


def test_option_ignores_redirections(folders: tuple[Path, Path]) -> None:
    """A file that is named is the one that is read."""
    above, _ = folders
    write(above, "wrangler.json")
    redirect(above, "not json")
    assert "app-json" == load(above, Path("wrangler.json")).config.name


def test_redirection_that_cannot_be_followed_is_an_error(folders: tuple[Path, Path]) -> None:
    """Bad JSON, no path, a path to nothing, and one that belongs to another folder."""
    above, below = folders
    write(above, "wrangler.json")
    pointer = redirect(above, "{")
    with pytest.raises(ConfigError) as caught:
        load(above)
    assert str(caught.value).startswith(f"Failed to parse the deploy configuration file at {pointer}\n")
    redirect(above, '{"path": 1}')
    with pytest.raises(ConfigError) as caught:
        load(above)
    assert (
        f'A deploy configuration file was found at "{pointer}".\n'
        'But this is not valid - the required "configPath" property was not found.\n'
        'Instead this file contains: {"path":1}'
    ) == str(caught.value)
    redirect(above, '{"configPath": "x.json"}')
    with pytest.raises(ConfigError) as caught:
        load(above)
    assert (
        f'There is a deploy configuration at "{pointer}".\n'
        f'But the redirected configuration path it points to, "{pointer.parent / "x.json"}", does not exist.'
    ) == str(caught.value)
    built(below)
    pointer = redirect(below, '{"configPath": "../../dist/wrangler.json"}')
    with pytest.raises(ConfigError) as caught:
        load(below)
    assert (
        f'Found both a user configuration file at "{above / "wrangler.json"}"\n'
        f'and a deploy configuration file at "{pointer}".\n'
        "But these do not share the same base path so it is not clear which should be used."
    ) == str(caught.value)


def test_redirected_configuration_has_no_environments(folders: tuple[Path, Path]) -> None:
    """The build tool has chosen one already."""
    above, _ = folders
    built(above, env={"s": {}})
    redirect(above, '{"configPath": "../../dist/wrangler.json"}')
    with pytest.raises(ConfigError, match=r'Redirected configurations cannot include environments.*\["s"\]'):
        load(above)
