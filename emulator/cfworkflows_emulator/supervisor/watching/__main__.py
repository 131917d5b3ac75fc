"""Run as a process of its own, see `WatcherProcess`: prints what changes in folders.

`python -m … FOLDER…` prints `null` when it watches, then a JSON array of paths for each batch of changes. It ends when
its standard input is closed.
"""

import json
import os
import signal
import sys
import threading

from watchfiles import watch

from cfworkflows_emulator.supervisor.watching.watcher import BATCH_MS, QUIET_MS


def main(folders: list[str]) -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)  # it ends with the supervisor, which may be getting the same signal
    threading.Thread(target=_end_with_supervisor, daemon=True).start()
    batches = watch(
        *folders,
        watch_filter=None,
        debounce=BATCH_MS,
        step=QUIET_MS,
        rust_timeout=100,
        yield_on_timeout=True,
        recursive=False,
        ignore_permission_denied=True,
    )
    for number, changes in enumerate(batches):
        if number == 0:
            print("null", flush=True)
        if changes:
            print(json.dumps(sorted({path for _, path in changes})), flush=True)


def _end_with_supervisor() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
