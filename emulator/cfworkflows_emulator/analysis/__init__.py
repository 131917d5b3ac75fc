"""Static analysis: what a Worker's source says about its Workflows, without executing it.

From the bottom up: `modules` reads and parses, `scopes` and `literals` say what names and constants mean, `program`
follows them across files, `flow` follows `run()` into helpers and callbacks and finds the `steps`. `loops`, `cleanups`,
`futures`, `effects` and `bindings` recognise what several rules look for. Above them are the `rules` with their
`findings`, the `graph`, and the types of `env` in `environment`, which gets its `annotations` from the `kinds` of
bindings. Imports `config`, `handlers`, `imports` and the SDK only.
"""

from cfworkflows_emulator.analysis.checking import check
from cfworkflows_emulator.analysis.environment import env_types
from cfworkflows_emulator.analysis.findings import RULES, Finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.graph import graph
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.analysis.steps import Step

__all__ = ["RULES", "Finding", "Flow", "Program", "Step", "check", "env_types", "graph"]
