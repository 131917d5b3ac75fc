"""The rules. Each is a function that gives its findings: of one workflow, or of the whole Worker."""

from collections.abc import Callable, Iterator

from cfworkflows_emulator.analysis.findings import Finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.rules import awaiting, naming, options, replays, state, values

FLOW_RULES: tuple[Callable[[Flow], Iterator[Finding]], ...] = (
    replays.side_effects,
    replays.chance,
    replays.names_by_chance,
    replays.plain_sleeps,
    replays.races,
    naming.step_names,
    naming.duplicate_names,
    awaiting.dropped_steps,
    awaiting.uncalled_steps,
    awaiting.callbacks,
    awaiting.swallowed_errors,
    state.state_in_steps,
    state.event_mutations,
    state.loop_variables,
    state.unordered_steps,
    values.unstorable_results,
    options.durations,
    options.step_options,
    options.event_types,
)
"""Those that look at one workflow at a time."""
