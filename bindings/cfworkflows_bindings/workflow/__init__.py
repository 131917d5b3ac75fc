"""`env.MY_WORKFLOW`, over an engine.

`binding` creates and finds instances, `instance` is a handle on one; `batch` and `restart` read their options, `codes`
has the platform's numbers, and `engine` the Protocols that the emulator's engine implements. May import the SDK and
`cfworkflows_bindings.forms`.
"""

from cfworkflows_bindings.workflow.binding import WorkflowBinding
from cfworkflows_bindings.workflow.engine import WorkflowEngine
from cfworkflows_bindings.workflow.instance import WorkflowInstance

__all__ = ["WorkflowBinding", "WorkflowEngine", "WorkflowInstance"]
