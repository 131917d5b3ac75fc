"""What a configuration or a Worker asks for that this version does not do, said by name at the start."""

from collections.abc import Iterator

from cfworkflows_emulator.config import LoadedConfig, WorkflowSection
from cfworkflows_emulator.runtime.exports import Exports

# From this compatibility date on, the platform calls no module-level handlers (python_no_global_handlers).
NO_GLOBAL_HANDLERS = "2025-08-14"


def notices(loaded: LoadedConfig, exports: Exports) -> list[str]:
    """One text for each thing that is accepted and has no effect, or an effect that Cloudflare would not have."""
    found: list[str] = []
    for index, workflow in enumerate(loaded.config.workflows):
        if is_ours(workflow, loaded):
            found += (f"workflows[{index}].{text} (Workflow {workflow.name})" for text in _unused(workflow))
    for name in exports.global_handlers:
        if name != "on_fetch":
            found.append(f"{name} is never called: that kind of event is not supported yet.")
    if exports.on_fetch is not None and (loaded.config.compatibility_date or "") >= NO_GLOBAL_HANDLERS:
        found.append(
            f"on_fetch answers requests here. Cloudflare calls no module-level handlers with a compatibility_date from "
            f"{NO_GLOBAL_HANDLERS} on: make it the method fetch of class Default(WorkerEntrypoint)."
        )
    for event in ("scheduled", "queue", "email", "tail", "trace"):
        if callable(getattr(exports.default, event, None)):
            found.append(f"Default.{event} is never called: that kind of event is not supported yet.")
    found += (f"{name} is a named entrypoint, which nothing can call yet." for name in exports.named)
    return found


def is_ours(workflow: WorkflowSection, loaded: LoadedConfig) -> bool:
    """Whether this Worker defines the Workflow, rather than binding to that of another."""
    return workflow.script_name in (None, loaded.config.name)


def _unused(workflow: WorkflowSection) -> Iterator[str]:
    if workflow.remote:
        yield "remote is not supported: the Workflow runs on this machine"
