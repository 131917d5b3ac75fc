"""The Workers of one session: what their configurations say of each other."""

from collections.abc import Iterator, Sequence

from cfworkflows_emulator.config.diagnostics import ConfigError, Diagnostic, Path, closest, did_you_mean, show
from cfworkflows_emulator.config.loaded import LoadedConfig
from cfworkflows_emulator.config.models import WorkflowSection

_RENAME = 'Give each Worker a "name" of its own.'


def check_session(configs: Sequence[LoadedConfig]) -> None:
    """Raises ConfigError where the configurations of several Workers do not fit together.

    Their names and those of their Workflows have to be unique, and a Workflow that one takes from another, by
    `script_name`, has to be there. That a Worker is not among them is no error: `absent` tells.
    """
    problems = [*_repeated_names(configs), *_repeated_workflows(configs)]
    names = {loaded.config.name: loaded for loaded in configs}
    for loaded in configs:
        for index, section in enumerate(loaded.config.workflows):
            other = names.get(section.script_name or loaded.config.name)
            if other is not None and other is not loaded:
                problems += _misfit(loaded, index, section, other)
    if problems:
        raise ConfigError(problems)


def absent(loaded: LoadedConfig, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    """The bindings to Workers that are not among `names`: each with a text that says what to do."""
    for index, section in enumerate(loaded.config.workflows):
        if section.script_name is not None and section.script_name not in names:
            what = f'the Workflow "{section.name}" of Worker "{section.script_name}"'
            yield section.binding, _missing(loaded, ("workflows", index), section.binding, what, section.script_name)
    for index, service in enumerate(loaded.services):
        if service.service not in names:
            what = f'the Worker "{service.service}"'
            yield service.binding, _missing(loaded, ("services", index), service.binding, what, service.service)


def _missing(loaded: LoadedConfig, path: Path, binding: str, what: str, worker: str) -> str:
    return (
        f"env.{binding} ({loaded.place(path)}) is bound to {what}, which is not part of this session. Add its "
        f"configuration: --config {loaded.shown} --config <the configuration of {worker}>."
    )


def _repeated_names(configs: Sequence[LoadedConfig]) -> Iterator[Diagnostic]:
    seen: dict[str, LoadedConfig] = {}
    for loaded in configs:
        name = loaded.config.name
        if name in seen:
            suggestion = f"The other one is {seen[name].place(('name',))}. {_RENAME}"
            yield loaded.problem(f'Two Workers of this session are called "{name}".', ("name",), suggestion)
        seen.setdefault(name, loaded)


def _repeated_workflows(configs: Sequence[LoadedConfig]) -> Iterator[Diagnostic]:
    seen: dict[str, tuple[LoadedConfig, Path]] = {}
    for loaded in configs:
        for index, section in enumerate(loaded.config.workflows):
            path = ("workflows", index, "name")
            if section.script_name not in (None, loaded.config.name):
                continue
            if section.name in seen and seen[section.name][0] is not loaded:
                other, where = seen[section.name]
                yield loaded.problem(
                    f'Two Workers, "{other.config.name}" and "{loaded.config.name}", define a Workflow called '
                    f'"{section.name}". The names of Workflows are unique in an account.',
                    path,
                    f"The other one is at {other.place(where)}. Rename one of them; to use that of another Worker, set "
                    f'"script_name" to "{other.config.name}".',
                )
            seen.setdefault(section.name, (loaded, path))


def _misfit(loaded: LoadedConfig, index: int, section: WorkflowSection, other: LoadedConfig) -> Iterator[Diagnostic]:
    """What is wrong with a Workflow that `loaded` takes from `other`."""
    name = other.config.name
    theirs = {each.name: each for each in other.config.workflows if each.script_name in (None, name)}
    there = f"it defines: {', '.join(theirs)}" if theirs else "it defines none"
    if section.name not in theirs:
        by_class = [each.name for each in theirs.values() if each.class_name == section.class_name]
        close = closest(section.name, theirs) or next(iter(by_class), None)
        yield loaded.problem(
            f'Worker "{name}" ({other.shown}) has no Workflow called "{section.name}"; {there}.',
            ("workflows", index, "name"),
            f'Did you mean "{close}"?' if close is not None else f"Add it to the `workflows` of {other.shown}.",
        )
    elif (expected := theirs[section.name].class_name) != section.class_name:
        yield loaded.problem(
            f'The class of the Workflow "{section.name}" of Worker "{name}" ({other.shown}) is {expected}, not '
            f"{section.class_name}.",
            ("workflows", index, "class_name"),
            did_you_mean(section.class_name, [expected]) or f"Set it to {show(expected)}.",
        )
