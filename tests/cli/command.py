"""`cfwf` as a command that comes to its end by itself."""

import os
import subprocess
import sys
from pathlib import Path

CFWF = Path(sys.executable).with_name("cfwf")
OUTSIDE = ("CLOUDFLARE_", "NO_COLOR", "FORCE_COLOR")


def cfwf(*arguments, cwd, **environment):
    """Run it; gives the finished process, whose outputs are text."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(OUTSIDE)}
    return subprocess.run(
        [CFWF, *map(str, arguments)],
        cwd=cwd,
        env={**inherited, "TZ": "UTC", **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
