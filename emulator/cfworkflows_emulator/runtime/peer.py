"""What `wrangler dev` kept is taken over, into a save."""

from pathlib import Path

from cfworkflows import __version__
from cfworkflows_emulator.clock import SystemClock
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.runtime.kinds import KINDS
from cfworkflows_emulator.storage.peer import Left, Peer, Taken
from cfworkflows_emulator.storage.saves import SAVES, Saves


def take_over(
    config: LoadedConfig, root: Path, state: Path, name: str, *, replace: bool
) -> tuple[list[Taken], list[Left]]:
    """Make a save of what the bindings of `config` have in wrangler's state at `root`.

    Gives what was taken over, and what was left. Raises StateError.
    """
    peer = Peer(root)
    taken: list[Taken] = []

    def fill(new: Path) -> None:
        new.mkdir()
        for kind in KINDS:
            for section in config.sections(kind.kind):
                found = kind.take_over(section, peer, new)
                if found is not None and found not in taken:
                    taken.append(found)

    Saves(state).make(SAVES, name, fill, by=__version__, now_ms=SystemClock().now(), replace=replace)
    return taken, list(peer.left())
