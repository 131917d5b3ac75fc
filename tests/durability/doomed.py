"""`cfwf` whose workers die at a named point, when they come to it for the n-th time; run in place of `cfwf`.

The file DOOM says where: `{"point": "commit:after", "nth": 3}`, counted since it was written. It goes with the death.
The file PASSED gets a line for each point that is passed.
"""

import json
import os
import signal
from collections.abc import Awaitable
from pathlib import Path

from cfworkflows_emulator.cli.main import main
from cfworkflows_emulator.engine.run import step_do
from cfworkflows_emulator.server.outgoing import Outgoing
from cfworkflows_emulator.storage import Database, commits
from cfworkflows_emulator.storage.connection import Connection
from cfworkflows_emulator.supervisor import supervisor

DOOM, PASSED = (Path(os.environ[name]) for name in ("DOOM", "PASSED"))

POINTS = {
    "commit:before": "nothing of a transaction is written",
    "commit:inside": "all of it is written, and not committed",
    "commit:after": "it is committed, and nobody was told",
    "checkpoint:before": "the log is to be folded into the database",
    "checkpoint:after": "the log is folded into the database",
    "callback:before": "an attempt is durable, and its callback is to start",
    "callback:after": "a callback has had its effect, and nothing of its result is stored",
    "answer:before": "a request is carried out, and its answer is to be sent",
}


class Counter:
    """How often the point of DOOM was passed, since that was written."""

    def __init__(self):
        self.doom = None
        self.count = 0

    def passed(self, point):
        try:
            text = DOOM.read_text()
        except FileNotFoundError:
            return
        if text != self.doom:
            self.doom, self.count = text, 0
        with PASSED.open("a") as passed:
            passed.write(f"{point}\n")
        doom = json.loads(text)
        self.count += doom["point"] == point
        if doom["point"] == point and self.count == doom["nth"]:
            DOOM.unlink()
            os.kill(os.getpid(), signal.SIGKILL)


counter = Counter()
_transact, _invoke, _send, _checkpoint = Connection.transact, step_do._invoke, Outgoing.send, Database.checkpoint


def transact(connection, function, *, is_atomic=False):
    def inside(sqlite):
        result = function(sqlite)
        if not is_atomic:
            counter.passed("commit:inside")
        return result

    counter.passed("commit:before")
    result = _transact(connection, inside, is_atomic=is_atomic)
    counter.passed("commit:after")
    return result


def invoke(*arguments):
    counter.passed("callback:before")
    given = _invoke(*arguments)
    if isinstance(given, Awaitable):
        return awaited(given)
    counter.passed("callback:after")
    return given


async def awaited(given):
    result = await given
    counter.passed("callback:after")
    return result


async def send(outgoing):
    counter.passed("answer:before")
    await _send(outgoing)


async def checkpoint(database, **options):
    counter.passed("checkpoint:before")
    await _checkpoint(database, **options)
    counter.passed("checkpoint:after")


Connection.transact, step_do._invoke, Outgoing.send, Database.checkpoint = transact, invoke, send, checkpoint
commits.CHECKPOINT_AFTER = 15  # rather than thousands of entries
supervisor.YOUNG_S = 0  # no number of deaths is a reason to give up

if __name__ == "__main__":
    main()
