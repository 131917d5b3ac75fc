"""What the configurations of several Workers say of each other's Workflows."""

from collections.abc import Iterator, Sequence

from cfworkflows_emulator.config.diagnostics import Diagnostic, Path, closest, did_you_mean, show
from cfworkflows_emulator.config.kinds.kind import Configured
from cfworkflows_emulator.config.kinds.workflow.section import WorkflowSection

Workflows = tuple[Configured, Sequence[WorkflowSection]]
"""A Worker, and its `workflows`."""


def check(workers: Sequence[Workflows]) -> Iterator[Diagnostic]:
    """Names are unique, and what one Worker takes from another, by `script_name`, has to be there."""
    yield from _repeated(workers)
    by_name = {worker.config.name: (worker, sections) for worker, sections in workers}
    for worker, sections in workers:
        for index, section in enumerate(sections):
            other = by_name.get(section.script_name or worker.config.name)
            if other is not None and other[0] is not worker:
                yield from _misfit(worker, index, section, other)


def _repeated(workers: Sequence[Workflows]) -> Iterator[Diagnostic]:
    seen: dict[str, tuple[Configured, Path]] = {}
    for worker, sections in workers:
        for index, section in enumerate(sections):
            path = ("workflows", index, "name")
            if not section.is_of(worker.config.name):
                continue
            if section.name in seen and seen[section.name][0] is not worker:
                other, where = seen[section.name]
                yield worker.problem(
                    f'Two Workers, "{other.config.name}" and "{worker.config.name}", define a Workflow called '
                    f'"{section.name}". The names of Workflows are unique in an account.',
                    path,
                    f"The other one is at {other.place(where)}. Rename one of them; to use that of another Worker, set "
                    f'"script_name" to "{other.config.name}".',
                )
            seen.setdefault(section.name, (worker, path))


def _misfit(worker: Configured, index: int, section: WorkflowSection, other: Workflows) -> Iterator[Diagnostic]:
    """What is wrong with a Workflow that `worker` takes from `other`."""
    owner, sections = other
    name = owner.config.name
    theirs = {each.name: each for each in sections if each.is_of(name)}
    there = f"it defines: {', '.join(theirs)}" if theirs else "it defines none"
    if section.name not in theirs:
        by_class = [each.name for each in theirs.values() if each.class_name == section.class_name]
        close = closest(section.name, theirs) or next(iter(by_class), None)
        yield worker.problem(
            f'Worker "{name}" ({owner.shown}) has no Workflow called "{section.name}"; {there}.',
            ("workflows", index, "name"),
            f'Did you mean "{close}"?' if close is not None else f"Add it to the `workflows` of {owner.shown}.",
        )
    elif (expected := theirs[section.name].class_name) != section.class_name:
        yield worker.problem(
            f'The class of the Workflow "{section.name}" of Worker "{name}" ({owner.shown}) is {expected}, not '
            f"{section.class_name}.",
            ("workflows", index, "class_name"),
            did_you_mean(section.class_name, [expected]) or f"Set it to {show(expected)}.",
        )
