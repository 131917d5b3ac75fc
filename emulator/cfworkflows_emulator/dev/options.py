"""What a command line may ask of `cfwf dev`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cfworkflows_emulator.storage import Durability


MAX_BLOCK_S = 60.0
"""After so many seconds a worker process is replaced whose event loop is blocked by code of the Worker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DevOptions:
    """Paths are relative to `cwd`, but for those of `env_files`: to the configuration's folder. 0 as `max_block_s` is
    never.

    `configs` has a file for each Worker. Script, name and variables are those of the first one. `debug` is where an
    editor's debugger attaches, as host and port, and `debug_wait` whether to wait for one before the code is loaded.
    """

    script: Path | None = None
    port: int | None = None
    ip: str | None = None
    configs: Sequence[Path] = ()
    env: str | None = None
    env_files: Sequence[Path] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    persist_to: Path | None = None
    state: str | None = None
    allowed_hosts: Sequence[str] = ()
    log_level: str = "log"
    cwd: Path | None = None
    speed: float = 1
    watch: bool = True
    durability: "Durability" = "normal"
    check_determinism: bool = False
    debug: tuple[str, int] | None = None
    debug_wait: bool = False
    max_block_s: float = MAX_BLOCK_S
