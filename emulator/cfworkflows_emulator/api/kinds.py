"""The kinds of bindings that the Local Explorer knows."""

from typing import Any

from cfworkflows_emulator.api.d1 import D1_LISTED
from cfworkflows_emulator.api.kind import ExplorerKind
from cfworkflows_emulator.api.kv import KV_LISTED
from cfworkflows_emulator.api.r2.buckets import R2_LISTED
from cfworkflows_emulator.api.workflows import WORKFLOWS_LISTED

KINDS: tuple[ExplorerKind[Any], ...] = (WORKFLOWS_LISTED, KV_LISTED, D1_LISTED, R2_LISTED)

# The kinds of the platform's local server, whose page needs each.
GROUPS = ("kv", "d1", "r2", "do", "workflows", "sendEmail", "flagship")
