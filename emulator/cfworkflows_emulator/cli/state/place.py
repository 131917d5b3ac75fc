"""The state that a command is about, and who has it."""

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.cli.workflows.client import Client
from cfworkflows_emulator.cli.workflows.connection import state_folder
from cfworkflows_emulator.cli.workflows.options import Target
from cfworkflows_emulator.cli.workflows.servers import client_of, proved_address, server_of
from cfworkflows_emulator.clock import monotonic
from cfworkflows_emulator.runtime import branch_of_save, replace_unserved, save_unserved
from cfworkflows_emulator.storage.saves import Group, Saves

LOADED_WITHIN_S = 60.0
LOOK_S = 0.02


@dataclass(frozen=True, slots=True)
class Place:
    """A state folder, and the server that uses it, None if none does."""

    state: Path
    server: Client | None
    address: str | None

    @property
    def saves(self) -> Saves:
        return Saves(self.state)

    @property
    def shown(self) -> str:
        """For people: which state this is."""
        return f"{shown_path(self.state)} ({f'served at {self.address}' if self.address else 'not served'})"

    def copy(self, group: Group, name: str, *, replace: bool = False) -> Path:
        """Make a copy of the state at one moment."""
        if self.server is None:
            return save_unserved(self.state, group, name, replace=replace).path
        body = {"group": group, "name": name, "replace": replace}
        return Path(self.server.request("POST", "/state/copies", body=body).result["path"])

    def branch_of(self, save: str, name: str) -> Path:
        return branch_of_save(self.state, save, name).path

    def load(self, name: str | None) -> str | None:
        """Have a save, or nothing, take the place of the state. Gives the name of the save that has the old one."""
        if self.server is None:
            return replace_unserved(self.state, name)
        done: dict[str, Any] = self.server.request("POST", "/state/load", body={"name": name}).result
        self._await_the_next(done["process"])
        before: str | None = done["before"]
        return before

    def _await_the_next(self, process: int) -> None:
        """Until another process answers for the server. A Worker that does not load is reported by RefusedError."""
        assert self.server is not None
        pause, deadline = threading.Event(), monotonic() + LOADED_WITHIN_S
        while self.server.request("GET", "/state").result["process"] == process:
            if monotonic() > deadline:
                raise CfworkflowsError(f"{self.address} goes on with the old state: see what it prints.")
            pause.wait(LOOK_S)


def place_of(target: Target) -> Place:
    """Raises CfworkflowsError if the server does not answer, and ConfigError if there is no project."""
    if target.host is not None or target.port is not None:
        from cfworkflows_emulator.cli.workflows.connection import connect

        with connect(target) as client:
            path = client.request("GET", "/state").result["path"]
        if path is None or not Path(path).is_dir():
            raise CfworkflowsError("The state of that server is not on this machine.")
        return Place(Path(path), client, proved_address(Path(path)))
    state = state_folder(target).absolute()
    holder = server_of(state)
    server = client_of(holder, state) if holder is not None else None
    return Place(state, server, holder.address if holder is not None and server is not None else None)


def shown_path(path: Path) -> str:
    """Relative to where the command was started, if it is below."""
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
