"""`workflows`: Workflows of this Worker, and of others.

`section` has the types, `rules` what is checked in one file, `session` what is checked among several, and `classes`
what is checked against the code.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cfworkflows_emulator.config.diagnostics import Diagnostic, Path
from cfworkflows_emulator.config.kinds.kind import Configured, Elsewhere, Kind, Layer
from cfworkflows_emulator.config.kinds.workflow import session
from cfworkflows_emulator.config.kinds.workflow.section import WorkflowSection
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved


class WorkflowKind(Kind[WorkflowSection]):
    """Workflows. Their instances are the engine's, so there is no store of theirs."""

    key = "workflows"
    friendly = "Workflow"
    section = WorkflowSection
    layers = frozenset({Layer.TYPES, Layer.BINDING, Layer.RUNTIME, Layer.ANALYSIS, Layer.EXPLORER, Layer.KIT})

    def resource(self, section: WorkflowSection, /) -> str:
        of = "" if section.script_name is None else f", defined in {section.script_name}"
        return f"{section.class_name}{of}"

    def elsewhere(self, section: WorkflowSection, /) -> Elsewhere | None:
        if section.script_name is None:
            return None
        return Elsewhere(section.script_name, f'the Workflow "{section.name}" of Worker "{section.script_name}"')

    def check(self, report: Report, path: Path, element: Mapping[str, Any], /) -> None:
        from cfworkflows_emulator.config.kinds.workflow import rules

        rules.check(report, path, element)

    def check_whole(self, resolved: Resolved, /) -> None:
        from cfworkflows_emulator.config.kinds.workflow import rules

        rules.check_whole(resolved)

    def check_session(self, configs: Sequence[Configured], /) -> Iterator[Diagnostic]:
        yield from session.check([(loaded, loaded.sections(self)) for loaded in configs])


WORKFLOWS = WorkflowKind()
