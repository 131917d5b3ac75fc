"""The kinds of bindings at run time: one module for each that the configuration supports. None knows another."""

from typing import Any

from cfworkflows_emulator.config import Kind
from cfworkflows_emulator.runtime.kinds.d1 import D1_DATABASES
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.kinds.kv import KV_NAMESPACES
from cfworkflows_emulator.runtime.kinds.r2 import R2_BUCKETS
from cfworkflows_emulator.runtime.kinds.service import SERVICES
from cfworkflows_emulator.runtime.kinds.workflow import WORKFLOWS

KINDS: tuple[RuntimeKind[Any], ...] = (WORKFLOWS, KV_NAMESPACES, D1_DATABASES, R2_BUCKETS, SERVICES)

__all__ = ["KINDS", "RuntimeKind", "runtime_kind"]


def runtime_kind(kind: Kind[Any]) -> RuntimeKind[Any]:
    """The RuntimeKind of a kind that the configuration supports."""
    return next(each for each in KINDS if each.kind is kind)
