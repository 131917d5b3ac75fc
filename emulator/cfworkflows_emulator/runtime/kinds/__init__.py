"""The kinds of bindings at run time: one module for each that the configuration supports. None knows another."""

from pathlib import Path
from typing import Any

from cfworkflows_emulator.config import Kind, LoadedConfig
from cfworkflows_emulator.runtime.kinds.d1 import D1_DATABASES
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.kinds.kv import KV_NAMESPACES
from cfworkflows_emulator.runtime.kinds.r2 import R2_BUCKETS
from cfworkflows_emulator.runtime.kinds.service import SERVICES
from cfworkflows_emulator.runtime.kinds.workflow import WORKFLOWS

KINDS: tuple[RuntimeKind[Any], ...] = (WORKFLOWS, KV_NAMESPACES, D1_DATABASES, R2_BUCKETS, SERVICES)

__all__ = ["KINDS", "RuntimeKind", "places", "runtime_kind"]


def places(loaded: LoadedConfig) -> dict[str, Path]:
    """The files of the data of bindings, in the state folder, by the names of the bindings."""
    found = ((each, section) for each in KINDS for section in loaded.sections(each.kind))
    placed = ((getattr(section, each.kind.name), each.place(section)) for each, section in found)
    return {name: place for name, place in placed if place is not None}


def runtime_kind(kind: Kind[Any]) -> RuntimeKind[Any]:
    """The RuntimeKind of a kind that the configuration supports."""
    return next(each for each in KINDS if each.kind is kind)
