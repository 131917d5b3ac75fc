"""The configurations, read in a process of their own while this one imports the server.

So a start takes as long as the longer of the two. And what only checks a configuration, pydantic above all, takes no
memory of the processes that stay.
"""

import os
import pickle
import signal
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfworkflows_emulator.config import LoadedConfig


class Reading:
    """What `load` gave at first, and gives when it has been asked for again."""

    def __init__(self, load: "Callable[[], Sequence[LoadedConfig]]") -> None:
        self._load = load
        self._configs: Sequence[LoadedConfig] = ()
        self._digests: dict[str, str] = {}
        self._pipe, theirs = os.pipe()
        self._pid = os.fork()
        if self._pid:
            os.close(theirs)
            return
        try:
            # Ctrl-C is for both, and the other one has the last word.
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            with open(theirs, "wb") as pipe:  # noqa: PTH123 - a descriptor
                pipe.write(pickle.dumps(self._read()))
        finally:
            os._exit(0)

    def result(self) -> "Sequence[LoadedConfig]":
        """Wait for them. Raises ConfigError, and whatever else `load` does."""
        with open(self._pipe, "rb") as pipe:  # noqa: PTH123 - a descriptor
            text = pipe.read()
        _, status = os.waitpid(self._pid, 0)
        # Without a whole answer it is tried again here, where what goes wrong can be seen.
        found = pickle.loads(text) if text and not status else self._read()  # noqa: S301 - our own process wrote it
        if isinstance(found, Exception):
            raise found
        self._configs, self._digests = found
        return self._configs

    def again(self) -> "Sequence[LoadedConfig]":
        """As they are now: the same, if nothing has changed that they were made from. Raises ConfigError."""
        from cfworkflows_emulator.supervisor.sources import digests

        if digests(self._digests, [], time.time_ns()) != self._digests:
            return self._load()
        return self._configs

    @property
    def first(self) -> "Sequence[LoadedConfig]":
        """As they were at the start."""
        return self._configs

    def _read(self) -> "tuple[Sequence[LoadedConfig], dict[str, str]] | Exception":
        from cfworkflows.errors import CfworkflowsError
        from cfworkflows_emulator.supervisor.sources import digests

        began_ns = time.time_ns()
        try:
            configs = self._load()
        except CfworkflowsError as error:
            return error
        return configs, digests((str(path) for each in configs for path in each.watched), [], began_ns)
