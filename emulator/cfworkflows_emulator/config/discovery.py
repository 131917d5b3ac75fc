"""Finds the configuration file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, did_you_mean, show
from cfworkflows_emulator.config.source import read_source

NAMES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")

EXAMPLE = """\
{
  "name": "my-worker", "main": "src/entry.py",
  "compatibility_date": "2026-11-01",
  "workflows": [{ "name": "my-workflow", "binding": "MY_WORKFLOW", "class_name": "MyWorkflow" }]
}"""

_USUAL_MAINS = (
    "src/entry.py", "src/main.py", "src/index.py", "src/worker.py", "entry.py", "main.py", "worker.py",
)  # fmt: skip
_REDIRECT = Path(".wrangler", "deploy", "config.json")


@dataclass(frozen=True, slots=True)
class Found:
    """The file to read. A build tool may redirect to it from `original`, the user's own file, with `redirect`."""

    path: Path
    original: Path | None = None
    redirect: Path | None = None

    @property
    def directory(self) -> Path:
        """The folder of the user's own file, where state and variables are kept."""
        return (self.original or self.redirect_root or self.path).parent

    @property
    def redirect_root(self) -> Path | None:
        """A path in the folder that has the `.wrangler` folder of the redirection."""
        return self.redirect.parent.parent if self.redirect is not None else None


def find_config(path: Path | None, cwd: Path) -> Found:
    """The file at `path`, or the nearest of the first of `NAMES` that is in `cwd` or any folder above it.

    So a `wrangler.json` far above beats a `wrangler.toml` beside the sources, as on the platform.
    Raises ConfigError if there is none.
    """
    if path is not None:
        return Found(_explicit(cwd / path, path))
    original = _upwards(cwd, NAMES)
    redirect = _upwards(cwd, (_REDIRECT,))
    if redirect is not None:
        return Found(_follow(redirect, original, cwd), original, redirect)
    if original is None:
        raise ConfigError([Diagnostic(_nothing(cwd))])
    return Found(original)


def likely_main(path: Path | None, *, cwd: Path, env: str | None) -> Path | None:
    """The Python file of a configuration that may have mistakes: the one that `main` names, else one with a
    usual name, else None.

    `path` and `env` are those of `load_config`.
    """
    cwd = cwd.absolute()
    try:
        found = find_config(path, cwd)
    except (ConfigError, OSError):
        return None
    try:
        data = read_source(found.path, cwd=cwd).data
    except ConfigError:
        data = {}
    files = (found.path.parent / name for name in (*_named(data, env), *_USUAL_MAINS))
    return next((file for file in files if file.suffix == ".py" and os.path.isfile(file)), None)  # noqa: PTH113 - takes any name


def _named(data: dict[str, object], env: str | None) -> Iterator[str]:
    environments = data.get("env")
    section = environments.get(env) if isinstance(environments, dict) else None
    for each in (section, data):
        main = each.get("main") if isinstance(each, dict) else None
        if isinstance(main, str) and "\0" not in main:
            yield main


def _explicit(path: Path, given: Path) -> Path:
    if path.is_file():
        return path
    reason = "It is a directory." if path.is_dir() else "There is no such file."
    there = sorted(file.name for file in path.parent.glob("*") if file.suffix in (".json", ".jsonc", ".toml"))
    suggestion = did_you_mean(path.name, there)
    raise ConfigError([Diagnostic(f"Could not read file: {given}\n{reason}", suggestion=suggestion)])


def _upwards(cwd: Path, names: tuple[str | Path, ...]) -> Path | None:
    return next((file for name in names for file in _candidates(cwd, name) if file.is_file()), None)


def _candidates(cwd: Path, name: str | Path) -> Iterator[Path]:
    return (folder / name for folder in (cwd, *cwd.parents))


def _nothing(cwd: Path) -> str:
    folders = "".join(f"\n  {folder}" for folder in (cwd, *cwd.parents))
    return (
        f"No configuration file was found.\nLooked for {', '.join(NAMES[:-1])} and {NAMES[-1]} in:{folders}\n"
        f"Create {cwd / 'wrangler.jsonc'}, for example with:\n\n{EXAMPLE}\n\n"
        "or name the file with --config."
    )


def _follow(redirect: Path, original: Path | None, cwd: Path) -> Path:
    try:
        data = read_source(redirect, cwd=cwd).data
    except ConfigError as error:
        raise ConfigError(
            [Diagnostic(f"Failed to parse the deploy configuration file at {redirect}"), *error.diagnostics]
        ) from None
    target = data.get("configPath")
    if not isinstance(target, str):
        raise ConfigError(
            [
                Diagnostic(
                    f'A deploy configuration file was found at "{redirect}".\n'
                    'But this is not valid - the required "configPath" property was not found.\n'
                    f"Instead this file contains: {show(data)}"
                )
            ]
        )
    path = (redirect.parent / target).resolve()
    if not path.is_file():
        raise ConfigError(
            [
                Diagnostic(
                    f'There is a deploy configuration at "{redirect}".\n'
                    f'But the redirected configuration path it points to, "{path}", does not exist.'
                )
            ]
        )
    if original is not None and original.parent / _REDIRECT != redirect:
        raise ConfigError(
            [
                Diagnostic(
                    f'Found both a user configuration file at "{original}"\n'
                    f'and a deploy configuration file at "{redirect}".\n'
                    "But these do not share the same base path so it is not clear which should be used."
                )
            ]
        )
    return path
