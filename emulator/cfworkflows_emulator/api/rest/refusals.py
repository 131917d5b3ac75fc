"""The REST API's errors: the platform's codes and messages, with a text for people beside them."""

from collections.abc import Mapping

from cfworkflows.errors import CfworkflowsError, WorkflowError
from cfworkflows_bindings.workflow.codes import ALREADY_EXISTS, NOT_FOUND
from cfworkflows_emulator.api.routing.envelope import ApiError
from cfworkflows_emulator.api.routing.routes import Dialect
from cfworkflows_emulator.api.workflows import explained
from cfworkflows_emulator.storage import StateError

BODY = 10002

_MESSAGE = "workflows.api.error."
_KNOWN = {
    "workflow.not_found": (404, 10200),
    "instance.not_found": (404, NOT_FOUND),
    "instance.cannot_terminate": (400, 10401),
    "instance.already_exists": (400, ALREADY_EXISTS),
    "instance.cannot_restart": (409, BODY),
    "version.not_found": (404, BODY),
    "step.not_found": (404, BODY),
    "instance.unavailable": (503, 10001),
    "internal_server": (500, 10001),
}


def refusal(name: str, detail: str) -> ApiError:
    """The error of the platform that is called `name`, as in `instance.not_found`."""
    status, code = _KNOWN.get(name, (400, BODY))
    return ApiError(status, code, _MESSAGE + name, detail=detail)


def invalid(*problems: str) -> ApiError:
    """A body or a query that is not as it should be."""
    return refusal("body", "\n".join(problems))


def _refused(error: CfworkflowsError, names: Mapping[str, str]) -> ApiError:
    if isinstance(error, StateError):
        return refusal("internal_server", str(error))
    code = error.code if isinstance(error, WorkflowError) else None
    return refusal(code or "body", explained(error))


NO_ROUTE = 7003
NO_METHOD = 7001

DIALECT = Dialect(NO_ROUTE, NO_METHOD, lambda problems: invalid(*problems), _refused)
