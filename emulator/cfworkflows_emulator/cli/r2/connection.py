"""Where the buckets are: at a server, or in the state folder of a project that is not served."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cfworkflows_emulator import DEFAULT_PORT
from cfworkflows_emulator.cli.r2.client import Buckets
from cfworkflows_emulator.cli.workflows.connection import state_folder
from cfworkflows_emulator.cli.workflows.options import Target


@contextmanager
def buckets_of(target: Target) -> Iterator[Buckets]:
    """Those of the server that `target` names, else of the one that uses its state folder, else of the folder."""
    from cfworkflows_emulator.cli.r2.online import ServedBuckets

    if target.host is not None or target.port is not None:
        host = target.host or "localhost"
        yield ServedBuckets(f"http://{f'[{host}]' if ':' in host else host}:{target.port or DEFAULT_PORT}")
        return
    from cfworkflows_emulator.cli.workflows.servers import proved_address

    state = state_folder(target)
    if (address := proved_address(state)) is not None:
        yield ServedBuckets(address, by_folder=True)
        return
    from cfworkflows_emulator.cli.r2.offline import folder_buckets
    from cfworkflows_emulator.config import R2_BUCKETS
    from cfworkflows_emulator.config.loading import load_config

    cwd = (target.cwd or Path()).absolute()
    config = load_config(target.config, cwd=cwd, env=target.env, process_env=os.environ)
    with folder_buckets(state, [section.bucket for section in config.sections(R2_BUCKETS)]) as buckets:
        yield buckets
