"""Golden histories: what instances did, as JSON beside the tests, and replayed with the code of today."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cfworkflows_emulator.engine import Entry
from cfworkflows_emulator.shown import shown
from cfworkflows_emulator.testing.records import Record, running

if TYPE_CHECKING:
    from cfworkflows_emulator.testing.workflow import WorkflowInstance

FORMAT = 1
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


async def golden(instance: "WorkflowInstance") -> None:
    """Check that the code still does what an instance of it did when its history was recorded.

    With `pytest --cfwf-record`, write the history of `instance` so far to
    `__histories__/<test>/<workflow>-<id>.json` beside the test; what was there is overwritten. Without, replay what is
    recorded there, after every step: no callback is called, and `instance` itself does not matter. Steps that come
    behind all that was recorded are no difference, since running instances reach them as new ones do.

    Raises AssertionError with what differs, and if there is no recorded history; RuntimeError outside of pytest.
    """
    __tracebackhide__ = True
    record = running()
    if record.histories is None:
        raise RuntimeError(
            "Golden histories belong to a test: call this in one that pytest runs, without cfworkflows off."
        )
    world, workflow = instance._world, instance._workflow
    id = await _stable_id(instance)
    path = record.histories / f"{_filename(f'{workflow}-{id}')}.json"
    if record.recording:
        _, entries = await world.engine.history(workflow, instance.id)
        text = _text(workflow, entries, record).replace(instance.id, id)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return
    if not path.is_file():
        raise AssertionError(
            f"There is no recorded history of {workflow}/{id}: run this test with `pytest --cfwf-record` once, look at "
            f"{_shown(path)}, and keep it under version control."
        )
    entries = _entries(path)
    difference = await world.engine.rehearse(workflow, id, entries, strict=False)
    if difference is not None:
        raise AssertionError(
            f"{workflow}/{id}: {shown(difference)}.\nInstances that began before the change, as the one in "
            f"{_shown(path)}, do not go on as they should. Change the workflow so that it still does what it did, or, "
            "if none is left that matters, record anew with `pytest --cfwf-record`."
        )


async def _stable_id(instance: "WorkflowInstance") -> str:
    """The id, or one in its place that is the same in every run, if it was made up."""
    if not _UUID.fullmatch(instance.id):
        return instance.id
    rows = await instance._world.engine.list(instance._workflow, limit=1_000_000)
    made_up = sorted(row.key for row in rows if _UUID.fullmatch(row.id))
    own = next(row.key for row in rows if row.id == instance.id)
    return f"00000000-0000-4000-8000-{made_up.index(own) + 1:012d}"


def _text(workflow: str, entries: Sequence[Entry], record: Record) -> str:
    """The history as JSON: values as they are stored, source lines relative to the test's folder, no tracebacks."""
    told = [_told(entry, record) for entry in entries]
    content = {"format": FORMAT, "workflow": workflow, "entries": told}
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _told(entry: Entry, record: Record) -> dict[str, Any]:
    if "stream" in entry.data:
        raise AssertionError(
            f"The history cannot be recorded: step {entry.step} gave a stream, and its bytes are not part of a history."
        )
    data = dict(entry.data)
    if "at" in data:
        data["at"] = _relative(data["at"], record)
    if "error" in data:
        data["error"] = {**data["error"], "traceback": None}
    told: dict[str, Any] = {"seq": entry.seq, "time": entry.time, "type": entry.type}
    if entry.step is not None:
        told["step"] = entry.step
    if data:
        told["data"] = data
    if entry.value is not None:
        told["value"] = json.loads(entry.value)
    return told


def _relative(at: str, record: Record) -> str:
    root = record.root
    path = Path(at)
    return path.relative_to(root).as_posix() if root is not None and path.is_relative_to(root) else path.name


def _entries(path: Path) -> list[Entry]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise AssertionError(
                f"{_shown(path)} was recorded by another version of cfworkflows (format {content['format']}, this one "
                f"reads {FORMAT}). Record it anew with `pytest --cfwf-record`."
            )
        return [_entry(told) for told in content["entries"]]
    except (ValueError, KeyError, TypeError) as error:
        raise AssertionError(
            f"{_shown(path)} is no recorded history: {error!r}. Record it anew with `pytest --cfwf-record`."
        ) from None


def _entry(told: Mapping[str, Any]) -> Entry:
    value = json.dumps(told["value"], ensure_ascii=False) if "value" in told else None
    return Entry(told["seq"], told["time"], told["type"], told.get("step"), told.get("data", {}), value)


def _filename(text: str) -> str:
    return re.sub(r"[^\w.-]+", "_", text)


def _shown(path: Path) -> str:
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)
