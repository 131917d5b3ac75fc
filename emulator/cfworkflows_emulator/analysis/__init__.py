"""Static analysis: what a Worker's source says of its Workflows, without executing any of it.

From the bottom up: `modules` reads and parses, `scopes` and `literals` say what names and constants mean, `program`
follows them across files, `flow` follows `run()` into helpers and callbacks and finds the `steps`. `loops`, `cleanups`,
`futures`, `effects` and `bindings` say what code does that several rules ask about. On that stand the `rules` with
their `findings`, the `graph`, and the types of `env` in `environment`, which asks the `kinds` of bindings
for their `annotations`. Imports `config`, `handlers`, `imports` and
the SDK only.
"""

from cfworkflows_emulator.analysis.checking import check
from cfworkflows_emulator.analysis.environment import env_types
from cfworkflows_emulator.analysis.findings import RULES, Finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.graph import graph
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.analysis.steps import Step

__all__ = ["RULES", "Finding", "Flow", "Program", "Step", "check", "env_types", "graph"]
