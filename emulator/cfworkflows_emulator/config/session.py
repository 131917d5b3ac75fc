"""The Workers of one session: how their configurations refer to each other."""

from collections.abc import Iterator, Sequence

from cfworkflows_emulator.config import kinds
from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, Path
from cfworkflows_emulator.config.loaded import LoadedConfig

_RENAME = 'Give each Worker a "name" of its own.'


def check_session(configs: Sequence[LoadedConfig]) -> None:
    """Raise ConfigError if the configurations of several Workers contradict each other.

    Their names have to be unique, and what one uses of another has to exist. A Worker that is not in the session is no
    error: `absent` reports it.
    """
    problems = [*_repeated_names(configs), *(each for kind in kinds.SUPPORTED for each in kind.check_session(configs))]
    if problems:
        raise ConfigError(problems)


def absent(loaded: LoadedConfig, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The bindings to Workers that are not among `names`: each with a text that says what to do."""
    for kind in kinds.SUPPORTED:
        for index, section in enumerate(loaded.sections(kind)):
            elsewhere = kind.elsewhere(section)
            if elsewhere is not None and elsewhere.worker not in names:
                binding = getattr(section, kind.name)
                yield binding, _missing(loaded, (*kind.path, index), binding, elsewhere.what, elsewhere.worker)


def _missing(loaded: LoadedConfig, path: Path, binding: str, what: str, worker: str) -> str:
    return (
        f"env.{binding} ({loaded.place(path)}) is bound to {what}, which is not part of this session. Add its "
        f"configuration: --config {loaded.shown} --config <the configuration of {worker}>. A test sets a stand-in: "
        f"env.{binding} = …"
    )


def _repeated_names(configs: Sequence[LoadedConfig]) -> Iterator[Diagnostic]:
    seen: dict[str, LoadedConfig] = {}
    for loaded in configs:
        name = loaded.config.name
        if name in seen:
            suggestion = f"The other one is {seen[name].place(('name',))}. {_RENAME}"
            yield loaded.problem(f'Two Workers of this session are called "{name}".', ("name",), suggestion)
        seen.setdefault(name, loaded)
