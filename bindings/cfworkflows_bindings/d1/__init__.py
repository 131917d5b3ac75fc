"""D1: `env.DB`, its statements and its sessions, over a store of which it knows the Protocol alone."""

from cfworkflows_bindings.d1.database import D1Binding
from cfworkflows_bindings.d1.refusal import pointed
from cfworkflows_bindings.d1.store import Answer, D1Store, Formed, Query, Rows, StatementError
from cfworkflows_bindings.d1.values import lists, objects, out

__all__ = [
    "Answer",
    "D1Binding",
    "D1Store",
    "Formed",
    "Query",
    "Rows",
    "StatementError",
    "lists",
    "objects",
    "out",
    "pointed",
]
