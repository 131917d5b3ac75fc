"""An instance as one JSON document, to be taken to another state folder."""

import base64
import binascii
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from cfworkflows import __version__
from cfworkflows.errors import WorkflowError
from cfworkflows_emulator.api.explorer.journals import ForeignJournalError, check_journal, invalid, is_text
from cfworkflows_emulator.api.routing.validation import Form
from cfworkflows_emulator.engine import Chunk, Engine, Entry
from cfworkflows_emulator.engine.journal.state import InstanceState
from cfworkflows_emulator.views import iso

FORMAT = 1
"""The version of the document. It grows when a document of the previous version would be misread."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _as_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError("expected a time as text, as in 2026-11-22T10:00:00.000Z")
    return value


_Number = Annotated[int, Field(ge=0, le=2**53 - 1)]


class ExportedEntry(Form):
    """A line of the journal. `value` is as the codec writes it: JSON, with `$` tags for what JSON lacks."""

    seq: Annotated[int, Field(ge=1, le=2**53 - 1)]
    time: Annotated[AwareDatetime, Field(strict=False, ge=_EPOCH), BeforeValidator(_as_text)]
    type: str
    step: str | None = None
    data: dict[str, Any] = Field(default_factory=dict)
    value: Any = None


class ExportedStream(Form):
    """The output of an attempt that is a stream, in pieces, each in base64."""

    step: str
    attempt: _Number
    chunks: list[str]


class InstanceDocument(Form):
    """An instance. `workflow`, `id`, `status`, `exported` and `cfworkflows` say where it comes from."""

    format: Literal[1]
    cfworkflows: str
    workflow: str
    id: str
    status: str
    exported: str
    journal: Annotated[list[ExportedEntry], Field(min_length=1)]
    streams: list[ExportedStream] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _is_known(cls, value: Any) -> Any:
        found = value.get("format") if isinstance(value, dict) else None
        if found is None:
            raise ValueError("This is not an exported instance: it has no `format`.")
        if found != FORMAT:
            raise ValueError(
                f"The instance was exported in format {found!r}, and this version of cfworkflows ({__version__}) reads "
                f"format {FORMAT}. Export it again with this version, or import it with that one."
            )
        return value


async def export_instance(engine: Engine, workflow: str, id: str) -> dict[str, Any]:
    """An `InstanceDocument`, with all there is: outputs of sensitive steps too, since a replay needs them.

    Raises WorkflowError if there is no such instance, if it was restarted or deleted while it was read, and if its
    journal is damaged.
    """
    row, entries = await engine.history(workflow, id)
    state = InstanceState.read(entries)
    if state.unreadable_from is not None and state.error is not None:
        raise WorkflowError(f"Instance {id} cannot be exported. {state.error.message}", code="export.damaged")
    streams = []
    for step, known in state.steps.items():
        if known.stream is None:
            continue
        chunks = []
        for number in range(known.stream.chunks):
            data = await engine.store.streams.read(row.key, step, known.stream, number)
            if data is None:
                raise WorkflowError(f"Instance {id} was restarted while it was exported. Export it again.")
            chunks.append(base64.b64encode(data).decode())
        streams.append({"step": step, "attempt": known.stream.attempt, "chunks": chunks})
    return {
        "format": FORMAT,
        "cfworkflows": __version__,
        "workflow": workflow,
        "id": id,
        "status": str(state.visible_status),
        "exported": iso(engine.clock.now()),
        "journal": [_exported(id, entry) for entry in entries],
        "streams": streams,
    }


def _exported(id: str, entry: Entry) -> dict[str, Any]:
    shown: dict[str, Any] = {"seq": entry.seq, "time": iso(entry.time), "type": entry.type}
    if entry.step is not None:
        shown["step"] = entry.step
    if entry.data:
        shown["data"] = entry.data
    if entry.value is not None:
        try:
            shown["value"] = json.loads(entry.value)
        except ValueError as error:
            raise WorkflowError(
                f"Instance {id} cannot be exported: the value of entry {entry.seq} ({entry.type}) in its journal is "
                f"damaged: {error}",
                code="export.damaged",
            ) from error
    return shown


async def import_instance(engine: Engine, workflow: str, document: InstanceDocument, id: str | None = None) -> str:
    """Take an exported instance over, under its own id or another one. It continues where it was. Returns the id.

    Raises WorkflowError for an id that is taken, and for something that is no journal.
    """
    entries = [_entry(each) for each in document.journal]
    chunks = list(_chunks(document.streams))
    try:
        check_journal(entries, chunks)
    except ForeignJournalError as error:
        raise invalid(error) from error
    except Exception as error:
        raise invalid(f"{type(error).__name__}: {error}") from error
    await engine.adopt(workflow, id or document.id, entries, chunks)
    return id or document.id


def _entry(shown: ExportedEntry) -> Entry:
    elapsed = shown.time - _EPOCH
    time = (elapsed.days * 86_400 + elapsed.seconds) * 1000 + elapsed.microseconds // 1000
    value = _text(shown.value) if "value" in shown.model_fields_set else None
    return Entry(shown.seq, time, shown.type, shown.step, shown.data, value)


def _text(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text if is_text(text) else json.dumps(value, separators=(",", ":"))


def _chunks(streams: Sequence[ExportedStream]) -> Iterator[Chunk]:
    for stream in streams:
        for number, text in enumerate(stream.chunks):
            try:
                data = base64.b64decode(text, validate=True)
            except (binascii.Error, ValueError) as error:
                raise invalid(f"chunk {number} of the stream of {stream.step} is not base64: {error}") from error
            yield Chunk(stream.step, stream.attempt, number, data)
