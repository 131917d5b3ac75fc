"""What stands behind `env.X` on this machine: one module, or folder, for each kind of binding.

A binding keeps what `cfworkflows.types` promises of its kind. `forms` reads the options of methods, `environment` is
`env` itself. May import the SDK only. What a binding needs of the emulator it declares itself, as a Protocol.
"""

from cfworkflows_bindings.environment import Environment
from cfworkflows_bindings.service import ServiceBinding
from cfworkflows_bindings.workflow import WorkflowBinding, WorkflowEngine, WorkflowInstance

__all__ = ["Environment", "ServiceBinding", "WorkflowBinding", "WorkflowEngine", "WorkflowInstance"]
