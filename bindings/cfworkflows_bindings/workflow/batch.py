"""The two forms of `create_batch`: a list of instances, and the object `{count, …}` or `{instances}`."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cfworkflows.durations import parse_duration
from cfworkflows.errors import DurationError, WorkflowError
from cfworkflows.types import LOCATION_HINTS, BatchError, BatchResult, WorkflowInstance
from cfworkflows_bindings.forms import Form
from cfworkflows_bindings.workflow.codes import ALREADY_EXISTS, DUPLICATE_IN_BATCH, MESSAGES

MAX_BATCH = 100
CREATE = Form("id", "params", "retention", "locationHint")
"""The options of each instance, and those of `create`."""

_RETENTION = Form("successRetention", "errorRetention")
_ID = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,99}")
_RESERVED = re.compile(r"batch|terminate|terminateAll|cf_[0-9a-f]{64}")


def options_of_object(options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The options of each instance of the object form, in the names that an engine takes.

    Raises WorkflowError, with the platform's text and a note that says which option it is, for any that is wrong.
    """
    if "count" in options and "instances" in options:
        raise WorkflowError("count and instances cannot be given together", code="body")
    if "instances" in options:
        _refuse_unknown("", options, {"instances"})
        instances = options["instances"]
        if isinstance(instances, (str, bytes, Mapping)) or not isinstance(instances, Iterable):
            raise _invalid(f"instances: expected a list of objects, got {instances!r}.")
        listed = list(instances)
        if not 1 <= len(listed) <= MAX_BATCH:
            raise noted("Batch size exceeds maximum allowed", f"instances: {crowded(len(listed))}")
        return [_checked(f"instances[{index}].", each) for index, each in enumerate(listed)]
    if "count" not in options:
        raise _invalid(f"expected a list, or an object with count or instances, got {dict(options)!r}.")
    count = options["count"]
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise noted("count must be a positive integer", f"It is {count!r}.")
    if count > MAX_BATCH:
        raise noted(f"batchCreate only supports {MAX_BATCH} instances at a time", f"count: {crowded(count)}")
    shared = {key: value for key, value in options.items() if key != "count"}
    _refuse_unknown("", shared, CREATE.spellings.keys() - {"id"})
    return [_checked("", shared)] * count


def result(options: Sequence[Mapping[str, Any]], created: Sequence[WorkflowInstance[Any] | None]) -> BatchResult[Any]:
    """`{created, errors}`: the handles, and `{index, id, code, message}` for each id that was taken.

    `created` has None in the place of an instance whose id was taken, before the batch or earlier in it.
    """
    return BatchResult(created=[each for each in created if each is not None], errors=list(_errors(options, created)))


def _errors(options: Sequence[Mapping[str, Any]], created: Sequence[object]) -> Iterator[BatchError]:
    seen: set[str] = set()
    for index, (each, instance) in enumerate(zip(options, created, strict=True)):
        id = each.get("id")
        if instance is None:
            code = DUPLICATE_IN_BATCH if id in seen else ALREADY_EXISTS
            yield BatchError(index=index, id=id, code=code, message=MESSAGES[code])
        if id is not None:
            seen.add(id)


def _checked(where: str, options: object) -> dict[str, Any]:
    if not isinstance(options, Mapping):
        raise _invalid(f"{where.removesuffix('.')}: expected an object, got {options!r}.")
    _refuse_unknown(where, options, CREATE.spellings.keys())
    checked = {CREATE.spellings[key]: value for key, value in options.items()}
    id = checked.get("id", "")
    if "id" in checked and (not isinstance(id, str) or not _ID.fullmatch(id) or _RESERVED.fullmatch(id)):
        raise noted("Instance ID is invalid", f"{where}id: {id!r}", code="instance.invalid_id")
    if checked.get("retention") is not None:
        _check_retention(f"{where}retention", checked["retention"])
    hint = checked.get("location_hint")
    if hint is not None and hint not in LOCATION_HINTS:
        expected = "|".join(f'"{each}"' for each in LOCATION_HINTS)
        raise noted(f"Invalid option: expected one of {expected}", f"{where}locationHint: {hint!r}")
    return checked


def _check_retention(where: str, retention: object) -> None:
    if not isinstance(retention, Mapping):
        raise _invalid(f"{where}: expected an object with successRetention and errorRetention, got {retention!r}.")
    _refuse_unknown(f"{where}.", retention, _RETENTION.spellings)
    for key, value in retention.items():
        try:
            wrong = "" if parse_duration(value) > 0 else "it must be more than 0."
        except DurationError as error:
            wrong = str(error)
        if wrong:
            raise noted(
                "Duration must be a number or a string in format '{{number}} {{unit}}' "
                "where unit is second(s), minute(s), etc.",
                f"{where}.{key}: {wrong}",
            )


def _refuse_unknown(where: str, options: Mapping[str, Any], known: Iterable[str]) -> None:
    unknown = [f"{where}{key}" for key in options if key not in known]
    if unknown:
        raise _invalid(f"{', '.join(unknown)}: no such option; there are {', '.join(sorted(known))}.")


def crowded(size: int) -> str:
    """What to do about a batch that is too large, or empty."""
    return f"1 to {MAX_BATCH}, not {size}.{' Make several batches.' if size else ''}"


def _invalid(note: str) -> WorkflowError:
    return noted("Provided argument is invalid", note)


def noted(message: str, note: str, *, code: str | None = "body") -> WorkflowError:
    """A WorkflowError with the platform's text, and a note that says more."""
    error = WorkflowError(message, code=code)
    error.add_note(note)
    return error
