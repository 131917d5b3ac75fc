"""The kinds of bindings that the Local Explorer knows."""

from typing import Any

from cfworkflows_emulator.api.kind import ExplorerKind
from cfworkflows_emulator.api.workflows import WORKFLOWS_LISTED

KINDS: tuple[ExplorerKind[Any], ...] = (WORKFLOWS_LISTED,)

# Those of the platform's local server, whose page wants each.
GROUPS = ("kv", "d1", "r2", "do", "workflows", "sendEmail", "flagship")
