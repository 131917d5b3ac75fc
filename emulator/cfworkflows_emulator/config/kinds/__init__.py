"""The kinds of bindings: where they are in a configuration, what they are called, and what is checked about them.

A kind that has a module here is supported, and listed in `SUPPORTED`. The others are rows of the table `unsupported`,
which is imported only to read a file; `listing` has both.
"""

from typing import Any

from cfworkflows_emulator.config.kinds.d1 import D1_DATABASES
from cfworkflows_emulator.config.kinds.kind import Kind, Layer
from cfworkflows_emulator.config.kinds.kv import KV_NAMESPACES
from cfworkflows_emulator.config.kinds.r2 import R2_BUCKETS
from cfworkflows_emulator.config.kinds.service import SERVICES
from cfworkflows_emulator.config.kinds.workflow import WORKFLOWS

SUPPORTED: tuple[Kind[Any], ...] = (WORKFLOWS, KV_NAMESPACES, D1_DATABASES, R2_BUCKETS, SERVICES)

__all__ = ["D1_DATABASES", "KV_NAMESPACES", "R2_BUCKETS", "SERVICES", "SUPPORTED", "WORKFLOWS", "Kind", "Layer"]
