"""The state folder of a project: where it is, and that one process at a time uses it."""

import hashlib
import ipaddress
import json
import os
import socket
import sys
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cfworkflows_emulator.storage import swap
from cfworkflows_emulator.storage.connection import DiskError, StateError

DEFAULT = Path(".cfwf/state")
"""Relative to the folder of the configuration file."""


PROBE_BYTES = 1024 * 1024
DATABASE = "workflows.sqlite"
HOLDER = "holder.json"
"""The file in the folder that says which process uses it."""


class Holder(NamedTuple):
    """Who uses a state folder: the URL of its server, and what only the two of them know."""

    address: str
    secret: str


def holder_of(path: Path) -> Holder | None:
    """The server that uses the state folder `path`; None if no server does, or its URL is not known.

    The file in the folder may be left over, or come from anywhere with the folder: so the server has to be on this
    machine and, before anything is told to it, has to answer with the `proof` of the secret.
    """
    try:
        note = json.loads((path / HOLDER).read_text(encoding="utf-8"))
        holder = Holder(str(note["address"]), str(note["secret"]))
        os.kill(note["pid"], 0)
        url = urlsplit(holder.address)
        is_here = url.scheme == "http" and url.username is None and _is_here(url.hostname or "")
        return holder if is_here else None
    except (OSError, ValueError, KeyError, TypeError, OverflowError):  # no such process or file, or an old version's
        return None


def is_locked(path: Path) -> bool:
    """Whether a process uses the state folder `path` just now."""
    try:
        os.close(_locked(path / "lock"))
    except BlockingIOError:
        return True
    return False


def proof(secret: str, nonce: str) -> str:
    """What a server answers that knows the secret in its state folder, and nobody else to whom `nonce` is new."""
    return hashlib.sha256(f"{secret} {nonce}".encode()).hexdigest()


def _is_here(host: str) -> bool:
    """Whether an address is of this machine: nothing can be bound to another one."""
    if host == "localhost":
        return True
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(ipaddress.ip_address(host)), 0))
        except (OSError, ValueError):
            return False
    return True


def takes_data(path: Path) -> bool:
    """Whether a file of 1 MiB can be written in a state folder: the disk is not full, and it is not read-only.

    A folder that was removed is made again, unless the folder of the project is gone too.
    """
    probe = path / "probe"
    try:
        path.parent.mkdir(exist_ok=True)
        path.mkdir(exist_ok=True)
        try:
            probe.write_bytes(bytes(PROBE_BYTES))
        finally:
            probe.unlink(missing_ok=True)
    except OSError:
        return False
    return True


class StateFolder:
    """An open state folder. The lock goes with the process, so a killed server leaves none behind.

    `holder` is the process that is named to others, by default the current one; `address` is the URL where it answers,
    and `secret` what is in the folder for `proof`. What is noted of another process stays when the folder is closed,
    because that process may open it again. Raises DiskError if the folder cannot be written, and StateError if another
    process holds it.
    """

    def __init__(self, path: Path, holder: int | None = None, address: str | None = None) -> None:
        self.path = path
        self._holder = path / HOLDER
        self._holds_for_another = holder not in (None, os.getpid())
        self._lock: int | None = None
        self.secret = os.urandom(16).hex()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = _locked(path / "lock")
            _open.add(self)
            self._keep_out_of_git()
            swap.finish(path)
            note: dict[str, Any] = {"pid": holder or os.getpid(), "command": sys.argv}
            if address:
                note |= {"address": address, "secret": self.secret}
            # At once, because others read it.
            new = self._holder.with_suffix(".new")
            new.write_text(json.dumps(note), encoding="utf-8")
            new.replace(self._holder)
        except BlockingIOError:
            raise StateError(
                f"{path} is in use by another process{self._describe_holder()}. "
                "Stop it, or choose another folder with --persist-to."
            ) from None
        except OSError as error:
            if self._lock is not None:  # this process may live on, and the next one is to open the folder then
                _unlock(self._lock)
                self._lock = None
            raise DiskError(
                f"{path} cannot be used as state folder: {error.strerror or error}. "
                "Choose a folder that can be written with --persist-to."
            ) from error

    def _keep_out_of_git(self) -> None:
        ignore = self.path / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")

    def _describe_holder(self) -> str:
        try:
            holder = json.loads(self._holder.read_text(encoding="utf-8"))
            return f" (pid {holder['pid']}: {' '.join(holder['command'])})"
        except (OSError, ValueError, KeyError, TypeError):
            return ""  # it is just being written, or is another program's: the lock is what counts

    @property
    def database(self) -> Path:
        """The database of all workflow instances."""
        return self.path / DATABASE

    @property
    def was_used(self) -> bool:
        """Whether a server has served with this database before."""
        return self.database.exists() and (self.path / "clock.json").exists()

    def close(self) -> None:
        if self._lock is None:
            return  # another process may hold it by now
        if not self._holds_for_another:
            self._holder.unlink(missing_ok=True)
        _unlock(self._lock)
        self._lock = None

    def _let_go(self) -> None:
        """In a fork: the folder is still its parent's."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> "StateFolder":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


_open: "weakref.WeakSet[StateFolder]" = weakref.WeakSet()


def _let_go_of_all() -> None:
    for folder in list(_open):
        folder._let_go()


os.register_at_fork(after_in_child=_let_go_of_all)


def _unlock(descriptor: int) -> None:
    """Free the lock, also in forked processes that have a copy of `descriptor`, whatever forked them."""
    import fcntl

    fcntl.flock(descriptor, fcntl.LOCK_UN)
    os.close(descriptor)


def _locked(path: Path) -> int:
    """A descriptor that holds the lock of the file until it is closed. Raises BlockingIOError if it is held already."""
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
