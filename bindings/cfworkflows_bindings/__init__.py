"""What stands behind `env.X` on this machine: one module for each kind of binding.

May import the SDK only. What a binding needs of the emulator it declares itself, as a Protocol.
"""

from cfworkflows_bindings.environment import Environment
from cfworkflows_bindings.service import ServiceBinding
from cfworkflows_bindings.workflow import WorkflowBinding, WorkflowEngine, WorkflowInstance

__all__ = ["Environment", "ServiceBinding", "WorkflowBinding", "WorkflowEngine", "WorkflowInstance"]
