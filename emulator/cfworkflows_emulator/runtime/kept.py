"""The state of a project as a whole: saved at one moment, and replaced, while it is served or not."""

from collections.abc import Mapping
from pathlib import Path

from cfworkflows import __version__
from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.clock import SystemClock
from cfworkflows_emulator.runtime.kinds import KINDS
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.time import write_time
from cfworkflows_emulator.storage.copies import check_versions, copy_state
from cfworkflows_emulator.storage.folder import StateFolder
from cfworkflows_emulator.storage.kept import KeptFolder
from cfworkflows_emulator.storage.saves import BRANCHES, Group, Save, Saves


def schemas() -> Mapping[str, KeptFolder]:
    """What this version knows of the databases in a state folder, by the first parts of their paths."""
    return {kind.kept.place: kind.kept for kind in KINDS if kind.kept is not None}


async def save_served(resources: Resources, group: Group, name: str, *, replace: bool = False) -> Save:
    """Copy the state of a project that runs, which goes on meanwhile: everything that was acknowledged before is in
    the copy, and nothing by halves. Raises StateError.
    """
    saves = Saves(_folder(resources).path)

    def fill(new: Path) -> None:
        copy_state(saves.state, new, opened)
        write_time(new, resources.engine.clock)

    async with resources.frozen() as opened:
        return saves.make(group, name, fill, by=__version__, now_ms=SystemClock().now(), replace=replace)


def replace_served(resources: Resources, name: str | None) -> str | None:
    """Have the state of a project that runs become that of a save, None: become empty. The process that takes this
    one's place finishes it. Gives the name of the save that the old state becomes. Raises StateError.
    """
    if resources.renew is None:
        raise CfworkflowsError("This server cannot be replaced. Stop it, and load the save then.")
    saves = Saves(_folder(resources).path)
    aside = _prepared(saves, name)
    resources.renew(f"{saves.current} was reset" if name is None else f"{name} was loaded")
    return aside


def save_unserved(state: Path, group: Group, name: str, *, replace: bool = False) -> Save:
    """Like `save_served`, for a state folder that no process uses."""
    with StateFolder(state):
        saves = Saves(state)
        return saves.make(
            group, name, lambda new: copy_state(state, new), by=__version__, now_ms=SystemClock().now(), replace=replace
        )


def replace_unserved(state: Path, name: str | None) -> str | None:
    """Like `replace_served`, for a state folder that no process uses."""
    with StateFolder(state):
        aside = _prepared(Saves(state), name)
    with StateFolder(state):  # which finishes it
        return aside


def branch_of_save(state: Path, save: str, name: str) -> Save:
    """Make a branch from a save. Raises StateError."""
    saves = Saves(state)
    source = saves.find(save)

    def fill(new: Path) -> None:
        copy_state(source, new)
        check_versions(new, f"The save {save}", schemas())

    return saves.make(BRANCHES, name, fill, by=__version__, now_ms=SystemClock().now())


def _prepared(saves: Saves, name: str | None) -> str | None:
    source = saves.find(name) if name is not None else None

    def fill(new: Path) -> None:
        if source is None:
            new.mkdir()
            return
        copy_state(source, new)
        check_versions(new, f"The save {name}", schemas())

    return saves.replace(saves.stage(fill), "reset" if name is None else "load", SystemClock().now())


def _folder(resources: Resources) -> StateFolder:
    if resources.folder is None:
        raise CfworkflowsError("The state is in memory, so there is nothing to save.")
    return resources.folder
