"""What stands behind `env.X` on this machine: one module, or folder, for each kind of binding.

A binding implements the Protocol that `cfworkflows.types` has for its kind. `forms` reads the options of methods,
`environment` is `env` itself. May import the SDK only: a binding declares what it needs of the emulator as a Protocol.
"""

from typing import TYPE_CHECKING, Any

from cfworkflows_bindings.environment import Environment
from cfworkflows_bindings.service import ServiceBinding
from cfworkflows_bindings.workflow import WorkflowBinding, WorkflowEngine, WorkflowInstance

if TYPE_CHECKING:
    from cfworkflows_bindings.d1 import D1Binding
    from cfworkflows_bindings.kv import KVBinding
    from cfworkflows_bindings.r2 import R2Binding, R2MultipartUpload, R2Object, R2ObjectBody

__all__ = [
    "D1Binding",
    "Environment",
    "KVBinding",
    "R2Binding",
    "R2MultipartUpload",
    "R2Object",
    "R2ObjectBody",
    "ServiceBinding",
    "WorkflowBinding",
    "WorkflowEngine",
    "WorkflowInstance",
]

# A project without such bindings does without their modules.
_LATE = {
    "D1Binding": "cfworkflows_bindings.d1",
    "KVBinding": "cfworkflows_bindings.kv",
    "R2Binding": "cfworkflows_bindings.r2",
    "R2MultipartUpload": "cfworkflows_bindings.r2",
    "R2Object": "cfworkflows_bindings.r2",
    "R2ObjectBody": "cfworkflows_bindings.r2",
}

if not TYPE_CHECKING:  # else a type checker would accept any name

    def __getattr__(name: str) -> Any:
        from importlib import import_module

        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_LATE[name]), name)
        return found
