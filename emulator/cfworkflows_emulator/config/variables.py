"""The variables of `env`: from the configuration, `.dev.vars` or `.env` files, the process, and the command line."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, Location
from cfworkflows_emulator.config.source import shown_path

Origin = Literal["config", "file", "process", "command line"]


class Variable(NamedTuple):
    """A variable and where it comes from: `source` is the name of the file, `process.env` or `--var`.

    From the configuration a value is any JSON, from elsewhere it is text.
    """

    value: Any
    origin: Origin
    source: str

    @property
    def hidden(self) -> bool:
        """Whether it may be a secret, which is not shown."""
        return self.origin != "config"


@dataclass(slots=True)
class Variables:
    """All variables by name, the files that were or would be read, and the messages about them."""

    values: dict[str, Variable] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    watched: list[Path] = field(default_factory=list)
    warnings: list[Diagnostic] = field(default_factory=list)


def load_variables(
    config_vars: Mapping[str, Any],
    *,
    config_name: str,
    directory: Path,
    cwd: Path,
    env: str | None,
    required: Sequence[str] | None,
    command_line: Mapping[str, str],
    env_files: Sequence[Path],
    process_env: Mapping[str, str],
) -> Variables:
    """Put the variables together; later wins: configuration, files, process environment, command line.

    With `secrets` in the configuration `required` are its names, and only they and the names of `config_vars` are
    taken from files and from the process. Raises ConfigError if a file of `env_files` cannot be read.
    """
    found = Variables()
    found.values = {name: Variable(value, "config", config_name) for name, value in config_vars.items()}
    files, expand = _files(found, directory, env, env_files, process_env)
    include_process = required is not None or (expand and _is_true(process_env, "CLOUDFLARE_INCLUDE_PROCESS_ENV"))

    loaded: dict[str, Variable] = {}
    for path in files:
        shown = shown_path(path, cwd)
        values = _read(path, shown, found.warnings)
        found.sources.append(shown)
        loaded |= {name: Variable(value, "file", shown) for name, value in values.items()}
    if expand:
        _expand(loaded, process_env if include_process else {})
    if include_process:
        loaded |= {name: Variable(value, "process", "process.env") for name, value in process_env.items()}
    if required is not None:
        wanted = {*required, *config_vars}
        loaded = {name: variable for name, variable in loaded.items() if name in wanted}
    if any(variable.origin == "process" for variable in loaded.values()):
        found.sources.append("process.env")
    found.values |= loaded
    found.values |= {name: Variable(value, "command line", "--var") for name, value in command_line.items()}

    missing = [name for name in required or () if name not in found.values]
    if missing:
        message = f"Missing required secrets: {', '.join(missing)}."
        suggestion = "Add them to .dev.vars, .env, or set as environment variables."
        found.warnings.append(Diagnostic(f"{message} {suggestion}", "warning"))
    return found


def _files(
    found: Variables, directory: Path, env: str | None, env_files: Sequence[Path], process_env: Mapping[str, str]
) -> tuple[list[Path], bool]:
    """The files to read, in order, and whether they are of the kind in which `${NAME}` is expanded."""
    if env_files:
        files = [directory / file for file in env_files]
        found.watched = files
        absent = [file for file in files if not file.is_file()]
        if absent:
            raise ConfigError([Diagnostic(f"Could not read file: {file} (from --env-file).") for file in absent])
        return files, True
    dev_vars = [directory / name for name in ([f".dev.vars.{env}"] if env else []) + [".dev.vars"]]
    names = [".env", ".env.local"] + ([f".env.{env}", f".env.{env}.local"] if env else [])
    dot_env = [directory / name for name in names]
    found.watched = dev_vars + dot_env
    first = next((file for file in dev_vars if file.is_file()), None)
    if first is not None:
        return [first], False
    if process_env.get("CLOUDFLARE_LOAD_DEV_VARS_FROM_DOT_ENV", "").lower() == "false":
        return [], False
    return [file for file in dot_env if file.is_file()], True


def _is_true(process_env: Mapping[str, str], name: str) -> bool:
    return process_env.get(name, "").lower() == "true"


def _read(path: Path, shown: str, warnings: list[Diagnostic]) -> dict[str, str]:
    from io import StringIO

    from dotenv.parser import parse_stream

    try:
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ConfigError([Diagnostic(f"Could not read file: {shown}\n{error.strerror or error}.")]) from error
    except UnicodeDecodeError as error:
        raise ConfigError([Diagnostic(f"Could not read file: {shown}\nIt is not UTF-8.")]) from error
    values: dict[str, str] = {}
    for binding in parse_stream(StringIO(text)):
        if binding.key is not None and binding.value is not None and not binding.error:
            values[binding.key] = binding.value
        elif binding.error or binding.key is not None:
            string = binding.original.string
            blank = string[: len(string) - len(string.lstrip())]
            # The line itself is not shown: it may hold a secret.
            where = Location(shown, binding.original.line + blank.count("\n"), len(blank.rpartition("\n")[2]) + 1)
            warnings.append(
                Diagnostic("This line is not NAME=value, and is left out.", "warning", where, _HINT, file=shown)
            )
    return values


_HINT = 'A value with spaces, quotes or # in it is written in quotes: NAME="a value".'


def _expand(loaded: dict[str, Variable], process_env: Mapping[str, str]) -> None:
    """Replace `${NAME}` and `${NAME:-default}`. The process wins over the files, names above over names below."""
    if not any("${" in variable.value for variable in loaded.values()):
        return
    from dotenv.variables import parse_variables

    known: dict[str, str | None] = {name: variable.value for name, variable in loaded.items()}
    known |= process_env
    for name, variable in loaded.items():
        value = "".join(atom.resolve(known) for atom in parse_variables(variable.value))
        loaded[name] = Variable(value, variable.origin, variable.source)
        if name not in process_env:
            known[name] = value
