"""Whether a journal that comes from elsewhere is one that an engine can have written."""

import functools
import json
import math
import re
import typing
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NotRequired, get_args, get_origin, is_typeddict

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from cfworkflows.errors import WorkflowError
from cfworkflows.step.config import DYNAMIC_DELAY, ResolvedConfig, resolve
from cfworkflows.values import MAX_DEPTH, UnresolvedClassWarning, decode
from cfworkflows_emulator.engine import (
    MAX_STATE_BYTES,
    MAX_VALUE_BYTES,
    Chunk,
    Entry,
    InstanceRow,
    is_event_type,
    shown_size,
    size_of,
)
from cfworkflows_emulator.engine.journal.entries import ENTRIES, OF_ANY_KIND, EntryType
from cfworkflows_emulator.engine.journal.state import InstanceState, StepState, Verb
from cfworkflows_emulator.views import History, describe_timeline

_LARGEST_NUMBER = 2**54
"""A time is at most the last that counts in whole ms, and the longest delay after it."""
_LONGEST_NAME = 300
_STEP = re.compile(r".+-[1-9][0-9]{0,9}", re.DOTALL)
_BRANCH = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,99}")
_WITH_VALUE = {
    EntryType.WORKFLOW_QUEUED,
    EntryType.WORKFLOW_COMPLETED,
    EntryType.STEP_COMPLETED,
    EntryType.EVENT_RECEIVED,
    EntryType.ROLLBACK_STEP_COMPLETED,
}


class ForeignJournalError(ValueError):
    """No engine wrote it. The text names the entry and what is wrong in it."""


def check_journal(entries: Sequence[Entry], chunks: Iterable[Chunk]) -> None:
    """Raise ForeignJournalError unless all of an instance is as the tables say, and fits together."""
    for before, entry in zip([None, *entries], entries, strict=False):
        if before is not None and entry.seq <= before.seq:
            raise ForeignJournalError(f"entry {entry.seq} comes behind entry {before.seq}")
        _check_entry(entry)
    first = entries[0]
    if first.type != EntryType.WORKFLOW_QUEUED or not {"timestamp", "trigger"} <= first.data.keys():
        raise ForeignJournalError(
            "it does not begin with `workflow_queued`, which says what created the instance, and when"
        )
    pieces = list(chunks)
    stored = sum(len(each.value or "") + len(json.dumps(dict(each.data))) for each in entries)
    stored += sum(len(piece.data) for piece in pieces)
    if stored > MAX_STATE_BYTES:
        raise ForeignJournalError(f"it has {shown_size(stored)}, and an instance at most {shown_size(MAX_STATE_BYTES)}")
    state = InstanceState()
    for entry in entries:
        _check_order(state, entry)
        state.apply(entry)
    # What can be shown of it can also be read when it goes on.
    describe_timeline(InstanceRow(0, "", "", state.status, 0, 0), History.of(entries), 0, 0)
    _check_streams(state, pieces)


def is_text(text: str) -> bool:
    """Whether UTF-8 has a form for it, as for all but lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _check_entry(entry: Entry) -> None:
    kind = ENTRIES.get(entry.type)
    if kind is None:
        from cfworkflows import __version__

        raise _wrong(entry, f"is a {entry.type!r}, which cfworkflows {__version__} does not know")
    if entry.step is not None:
        if not is_text(entry.step):
            raise ForeignJournalError(f"the step of entry {entry.seq} is not Unicode text")
        if len(entry.step) > _LONGEST_NAME or _STEP.fullmatch(entry.step) is None:
            raise _wrong(entry, "has a step that is not a name with its number, such as charge-1")
    needs_step = kind.step is not None or kind.undoes is not None or entry.type in OF_ANY_KIND
    if needs_step and entry.step is None:
        raise _wrong(entry, "names no step")
    if not needs_step and entry.step is not None and entry.type != EntryType.WORKFLOW_RESTARTED:
        raise _wrong(entry, f"is about a step, which a {entry.type} is not")
    _check_data(entry, kind.data)
    if entry.value is not None:
        _check_value(entry, entry.value)


def _check_data(entry: Entry, shape: type) -> None:
    try:
        _model(shape).model_validate(dict(entry.data))
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(map(str, ("data", *problem["loc"])))
        raise _wrong(entry, f"is wrong in {where}: {problem['msg']}") from error
    for number in _numbers(entry.data):
        if not 0 <= number <= _LARGEST_NUMBER:
            raise _wrong(entry, "has a number that is negative, or too large for a time or a count")
    for key in ("config", "rollback"):
        if key in entry.data:
            _check_config(entry, entry.data[key])
    if _BRANCH.fullmatch(entry.data.get("branch", "0")) is None:
        raise _wrong(entry, "has a branch that is no path of numbers, such as 0.2")
    event_type = entry.data.get("eventType")
    if event_type is not None and not is_event_type(event_type):
        raise _wrong(entry, f"has {event_type[:100]!r} for a type of event, which is none")


def _check_config(entry: Entry, config: Mapping[str, Any]) -> None:
    retries = dict(config["retries"])
    if retries["delay"] == DYNAMIC_DELAY:
        retries["delay"] = 0
    try:
        resolve(str(entry.step), {**config, "retries": retries})
        ResolvedConfig.from_dict(config)
    except Exception as error:
        reason = getattr(error, "__notes__", [str(error)])[0].partition("\n")[0]
        raise _wrong(entry, f"is wrong in data.config: {reason}") from error


def _check_value(entry: Entry, text: str) -> None:
    if entry.type not in _WITH_VALUE:
        raise _wrong(entry, f"has a value, and a {entry.type} has none")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UnresolvedClassWarning)  # it is told of when somebody reads it
            value = decode(text)
    except Exception as error:
        raise _wrong(entry, f"has a value that cannot be read: {type(error).__name__}: {error}") from error
    if _is_deep(value):
        raise _wrong(entry, f"has a value of more than {MAX_DEPTH} levels")
    if (size := size_of(value, text)) > MAX_VALUE_BYTES:
        raise _wrong(entry, f"has a value of {shown_size(size)}, and one has at most {shown_size(MAX_VALUE_BYTES)}")


def _check_order(state: InstanceState, entry: Entry) -> None:
    """Raise ForeignJournalError for an entry of a step that has not begun, or has ended."""
    kind = ENTRIES[entry.type]
    base = ENTRIES[kind.undoes] if kind.undoes is not None else kind
    undoes = kind.undoes is not None or entry.type in (EntryType.ROLLBACK_COMPLETED, EntryType.ROLLBACK_ERRORED)
    if undoes and state.rollback is None:
        raise _wrong(entry, "comes before rollback_started")
    if entry.type in OF_ANY_KIND:
        _check_any_kind(state, entry)
    if base.step is None:
        return
    verbs: Mapping[str, Verb] = state.verbs(base.step)
    if kind.undoes is not None and state.rollback is not None:
        verbs = state.rollback.steps
    found = verbs.get(str(entry.step))
    if base.starts:
        if found is not None:
            raise _wrong(entry, f"begins {entry.step} a second time")
        return
    if found is None:
        raise _wrong(entry, f"is about {entry.step}, which has not begun")
    if found.done:
        raise _wrong(entry, f"is about {entry.step}, which has ended")
    if isinstance(found, StepState) and not base.ends:
        begins = (kind.undoes or entry.type) == EntryType.ATTEMPT_STARTED
        number = entry.data["attempt"]
        if begins == found.attempt_open or (number <= found.attempts if begins else number != found.attempts):
            raise _wrong(entry, f"is about attempt {number} of {entry.step}, whose turn it is not")
    if entry.type == EntryType.WAIT_COMPLETED and entry.data["event"] not in {event.seq for event in state.events}:
        raise _wrong(entry, f"takes the event {entry.data['event']}, which is not there")


def _check_any_kind(state: InstanceState, entry: Entry) -> None:
    kind = entry.data["kind"]
    if kind == "rollback":
        known: Iterable[str] = state.rollback.steps if state.rollback is not None else ()
    else:
        known = state.verbs(kind)
    if str(entry.step) not in known:
        raise _wrong(entry, f"is about {entry.step}, which has not begun")


def _check_streams(state: InstanceState, chunks: Sequence[Chunk]) -> None:
    stored = {
        (step, known.stream.attempt, known.stream.chunks)
        for step, known in state.steps.items()
        if known.stream is not None and known.stream.chunks
    }
    given: dict[tuple[str, int], int] = {}
    sizes: dict[str, int] = {}
    for chunk in chunks:
        if given.get((chunk.step, chunk.attempt), 0) != chunk.number:
            raise ForeignJournalError(f"the stream of {chunk.step} is there twice")
        given[chunk.step, chunk.attempt] = chunk.number + 1
        sizes[chunk.step] = sizes.get(chunk.step, 0) + len(chunk.data)
    if stored != {(*place, count) for place, count in given.items()}:
        raise ForeignJournalError("its streams are not those that the journal tells of")
    for step, known in state.steps.items():
        if known.stream is not None and known.stream.size != sizes.get(step, 0):
            raise ForeignJournalError(f"the stream of {step} is not as long as the journal says")


@functools.cache
def _model(shape: type) -> type[BaseModel]:
    """A TypedDict of the table as a model that takes nothing else; pydantic knows those of Python 3.12 on only."""
    hints = typing.get_type_hints(shape, include_extras=True)
    optional: frozenset[str] = getattr(shape, "__optional_keys__", frozenset())
    fields: dict[str, Any] = {}
    for name, hint in hints.items():
        is_optional = name in optional or get_origin(hint) is NotRequired
        inner = get_args(hint)[0] if get_origin(hint) is NotRequired else hint
        # Names such as `bytes` are types in the annotations of a class, and only names here.
        fields[f"field_{name}"] = (_strict(inner), _field(name, is_optional=is_optional))
    config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)
    model: type[BaseModel] = create_model(shape.__name__, __config__=config, **fields)
    return model


def _field(name: str, *, is_optional: bool) -> Any:
    return Field(default=None, alias=name) if is_optional else Field(alias=name)


def _strict(hint: Any) -> Any:
    if is_typeddict(hint):
        return _model(hint)
    if get_origin(hint) is list:
        return list[_strict(get_args(hint)[0])]  # type: ignore[misc]  # made at run time
    return hint


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, bool):
        return
    if isinstance(value, int | float):
        yield value if not isinstance(value, float) or math.isfinite(value) else -1
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _numbers(item)
    elif isinstance(value, list):
        for item in value:
            yield from _numbers(item)


def _is_deep(value: Any) -> bool:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [item for each in level for item in _items(each)]
        if not level:
            return False
    return True


def _items(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list | tuple | set | frozenset) else ()


def _wrong(entry: Entry, what: str) -> ForeignJournalError:
    return ForeignJournalError(f"entry {entry.seq} {what}")


def invalid(reason: object) -> WorkflowError:
    return WorkflowError(f"The journal cannot be taken over: {reason}.", code="import.invalid")
