"""What stands behind `env.X` on this machine: one module, or folder, for each kind of binding.

A binding implements the Protocol that `cfworkflows.types` has for its kind. `forms` reads the options of methods,
`environment` is `env` itself. May import the SDK only: a binding declares what it needs of the emulator as a Protocol.
"""

from cfworkflows_bindings.d1 import D1Binding
from cfworkflows_bindings.environment import Environment
from cfworkflows_bindings.kv import KVBinding
from cfworkflows_bindings.r2 import R2Binding, R2MultipartUpload, R2Object, R2ObjectBody
from cfworkflows_bindings.service import ServiceBinding
from cfworkflows_bindings.workflow import WorkflowBinding, WorkflowEngine, WorkflowInstance

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
