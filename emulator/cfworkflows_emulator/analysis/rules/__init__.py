"""The rules. Each is a function that yields its findings: of one workflow, or of the whole Worker."""

from collections.abc import Callable, Iterator

from cfworkflows_emulator.analysis.findings import Finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.analysis.rules import (
    awaiting,
    branches,
    cleanup,
    handlers,
    imports,
    naming,
    options,
    ordering,
    payload,
    replays,
    state,
    values,
)

FLOW_RULES: tuple[Callable[[Flow], Iterator[Finding]], ...] = (
    replays.side_effects,
    replays.chance,
    replays.names_by_chance,
    replays.plain_sleeps,
    ordering.races,
    ordering.plain_timeouts,
    naming.step_names,
    naming.duplicate_names,
    awaiting.dropped_steps,
    awaiting.uncalled_steps,
    awaiting.callbacks,
    awaiting.swallowed_errors,
    cleanup.cleanup_effects,
    state.state_in_steps,
    state.event_mutations,
    state.module_counters,
    state.loop_variables,
    ordering.unordered_steps,
    ordering.ended_in_any_order,
    branches.names_in_branches,
    payload.shadowed_fields,
    values.unstorable_results,
    options.durations,
    options.step_options,
    options.event_types,
)
"""The rules about one workflow."""

PROGRAM_RULES: tuple[Callable[[Program], Iterator[Finding]], ...] = (
    imports.imports,
    handlers.handler_arguments,
)
"""The rules about the Worker as a whole."""
