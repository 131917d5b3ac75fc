"""The content of a state folder is replaced as a whole: after a crash it is the old or the new one.

The new content is prepared beside the old one; once its folder has its name, the replacement is
finished by whoever opens the state folder next.
"""

import json
import os
import shutil
from pathlib import Path

from cfworkflows_emulator.storage.copies import data_of

PREPARED, ARRIVING, OUTGOING = ".incoming", ".arriving", ".outgoing"
NOTE = "swap.json"


def prepare(state: Path, folder: Path, aside: Path) -> None:
    """Have the content of `folder` take the place of that of the state folder when it is next opened, and move the old
    one to `aside`. `folder` is in the state folder, and is gone afterwards.
    """
    (folder / NOTE).write_text(json.dumps({"aside": str(aside)}), encoding="utf-8")
    folder.rename(state / PREPARED)


def is_prepared(state: Path) -> bool:
    return os.path.isdir(state / PREPARED) or os.path.isdir(state / ARRIVING)  # noqa: PTH112 - also for no path


def finish(state: Path) -> None:
    """Finish a replacement that was prepared, if any. The folder has to be this process's. Each step can be repeated,
    so that one that was interrupted is finished too. Raises OSError.
    """
    prepared, arriving, outgoing = state / PREPARED, state / ARRIVING, state / OUTGOING
    if prepared.is_dir():
        outgoing.mkdir(exist_ok=True)
        for path in data_of(state):
            path.rename(outgoing / path.name)
        prepared.rename(arriving)
    if arriving.is_dir():
        note = arriving / NOTE
        if outgoing.is_dir():
            if any(outgoing.iterdir()):
                _move_to(outgoing, Path(json.loads(note.read_text(encoding="utf-8"))["aside"]))
            else:
                outgoing.rmdir()
        for path in arriving.iterdir():
            if path != note:
                path.rename(state / path.name)
        shutil.rmtree(arriving)


def _move_to(folder: Path, aside: Path) -> None:
    aside.parent.mkdir(parents=True, exist_ok=True)
    target, number = aside, 1
    while target.exists():
        number += 1
        target = aside.with_name(f"{aside.name}-{number}")
    folder.rename(target)
