"""What a caller hands over, checked and encoded before anything of it is written."""

from collections.abc import Iterable, Mapping
from typing import Any

from cfworkflows.durations import parse_duration
from cfworkflows.errors import DurationError, SerializationError, WorkflowError
from cfworkflows.typed import validate
from cfworkflows.types import MAX_RETENTION_MS
from cfworkflows.values import encode
from cfworkflows_emulator.engine.definition import WorkflowDefinition
from cfworkflows_emulator.engine.journal.sizes import size_of, too_large


def validated_params(definition: WorkflowDefinition, params: Any) -> Any:
    """The params as they will arrive. The plain data is stored, so that a class may change its fields."""
    if definition.has_typed_params:
        validate(definition.params_type, params)
    return params


def retention_of(retention: Any) -> dict[str, float]:
    """How long a finished instance is to be kept, in ms, by key. Raises WorkflowError for anything else."""
    keys = {"successRetention", "errorRetention", "success_retention", "error_retention"}
    if not isinstance(retention, Mapping) or not retention.keys() <= keys:
        raise WorkflowError(f"retention takes an object with successRetention and errorRetention, not {retention!r}")
    for key, value in retention.items():
        if _milliseconds(value) > MAX_RETENTION_MS:
            raise WorkflowError(
                f"retention: {key} is {_milliseconds(value) / 86_400_000:.1f} days, and the platform keeps an instance "
                "for 30 days at most. Have the workflow store what is needed for longer.",
            )
    try:
        durations = {key: parse_duration(value) for key, value in retention.items()}
    except DurationError as error:
        raise WorkflowError(f"retention: {error}") from error
    for key, duration in durations.items():
        if not duration:
            raise WorkflowError(f"retention: {key} must be more than 0, not {retention[key]!r}")
    return durations


def _milliseconds(value: Any) -> float:
    try:
        return parse_duration(value)
    except DurationError:
        return 0  # reported with the others


def check_batch(sizes: Iterable[int]) -> None:
    """Raise WorkflowError if the params of a batch are too large together: the platform takes them in one message."""
    size = sum(sizes)
    if too_large(size):
        raise WorkflowError(
            f"The params of the batch have {size / 1024 / 1024:.2f} MiB together, and the limit is 1 MiB. Create the "
            "instances in several batches.",
            code="params.too_large",
        )


def encoded(value: Any, what: str) -> str:
    """`value` as it is stored. `what` names it in errors: SerializationError, or WorkflowError for more than 1 MiB."""
    try:
        text = encode(value)
    except SerializationError as error:
        raise SerializationError(f"{what} cannot be stored: {error}", path=error.path) from error
    size = size_of(value, text)
    if too_large(size):
        raise WorkflowError(
            f"The {what} {'have' if what == 'params' else 'has'} {size / 1024 / 1024:.2f} MiB, and the limit is 1 MiB. "
            "Store the data elsewhere (R2, KV) and pass its key.",
            code=f"{what}.too_large",
        )
    return text
