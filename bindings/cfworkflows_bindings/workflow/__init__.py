"""`env.MY_WORKFLOW`, over an engine.

`binding` creates instances and finds them again, `instance` is a handle on one; `batch` and `restart` read their
options, `codes` has the platform's numbers, and `engine` says what the emulator's engine has to offer. May import the
SDK and `cfworkflows_bindings.forms`.
"""

from cfworkflows_bindings.workflow.binding import WorkflowBinding
from cfworkflows_bindings.workflow.engine import WorkflowEngine
from cfworkflows_bindings.workflow.instance import WorkflowInstance

__all__ = ["WorkflowBinding", "WorkflowEngine", "WorkflowInstance"]
