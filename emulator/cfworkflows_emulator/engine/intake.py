"""What a caller hands over, checked and encoded before anything of it is written."""

from collections.abc import Mapping
from typing import Any

from cfworkflows.durations import parse_duration
from cfworkflows.errors import DurationError, SerializationError, WorkflowError
from cfworkflows.typed import is_validated, validate
from cfworkflows.values import encode
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.sizes import size_of, too_large


def validated_params(definition: WorkflowDefinition, params: Any) -> Any:
    """The params as they will arrive. What is stored is the plain data, so that a class may change its fields."""
    if is_validated(definition.params_type):
        validate(definition.params_type, params)
    return params


def retention_of(retention: Any) -> dict[str, float]:
    """How long a finished instance is to be kept, in ms, by key. Raises WorkflowError for anything else."""
    keys = {"successRetention", "errorRetention", "success_retention", "error_retention"}
    if not isinstance(retention, Mapping) or not retention.keys() <= keys:
        raise WorkflowError(
            f"retention takes an object with successRetention and errorRetention, not {retention!r}", code="body"
        )
    try:
        durations = {key: parse_duration(value) for key, value in retention.items()}
    except DurationError as error:
        raise WorkflowError(f"retention: {error}", code="body") from error
    for key, duration in durations.items():
        if not duration:
            raise WorkflowError(f"retention: {key} must be more than 0, not {retention[key]!r}", code="body")
    return durations


def encoded(value: Any, what: str) -> str:
    """`value` as it is stored. `what` names it in errors: SerializationError, or WorkflowError for more than 1 MiB."""
    try:
        text = encode(value)
    except SerializationError as error:
        raise SerializationError(f"{what} cannot be stored: {error}", path=error.path) from error
    size = size_of(value, text)
    if too_large(size):
        raise WorkflowError(
            f"The {what} have {size / 1024 / 1024:.2f} MiB, and the limit is 1 MiB. Store them elsewhere (R2, KV) and "
            "pass their key.",
            code=f"{what}.too_large",
        )
    return text
