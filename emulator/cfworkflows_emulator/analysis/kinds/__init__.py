"""The kinds of bindings that `cfwf types` annotates: one module for each. None imports another."""

from typing import Any

from cfworkflows_emulator.analysis.kinds.d1 import D1_DATABASES
from cfworkflows_emulator.analysis.kinds.kind import TypedKind
from cfworkflows_emulator.analysis.kinds.kv import KV_NAMESPACES
from cfworkflows_emulator.analysis.kinds.r2 import R2_BUCKETS
from cfworkflows_emulator.analysis.kinds.service import SERVICES
from cfworkflows_emulator.analysis.kinds.workflow import WORKFLOWS

KINDS: tuple[TypedKind[Any], ...] = (WORKFLOWS, KV_NAMESPACES, D1_DATABASES, R2_BUCKETS, SERVICES)

__all__ = ["KINDS", "TypedKind"]
