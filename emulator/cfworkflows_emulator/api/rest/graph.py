"""The graph of a workflow, which is drawn from its code."""

from typing import Any

from cfworkflows_emulator.api.envelope import ApiError
from cfworkflows_emulator.api.rest.refusals import NO_ROUTE
from cfworkflows_emulator.engine import WorkflowDefinition


def workflow_graph(definition: WorkflowDefinition) -> dict[str, Any]:
    """`{version, workflow}`, as the platform draws it. Raises ApiError: it is not supported yet."""
    raise ApiError(404, NO_ROUTE, f"The graph of a workflow ({definition.name}) is not supported yet.")
