"""How to run pytest with the plugin of the test kit, in a process of its own."""

import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

# Without an installation that knows the entry point, the plugin is named.
INSTALLED = "cfworkflows" in {point.name for point in entry_points(group="pytest11")}
PLUGIN = [] if INSTALLED else ["-p", "cfworkflows_emulator.testing.plugin"]
PYTEST = [sys.executable, "-m", "pytest", *PLUGIN, "-p", "no:cacheprovider"]
ROOT = Path(__file__).parent.parent
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(
        [*map(str, (ROOT, ROOT / "bindings", ROOT / "emulator")), os.environ.get("PYTHONPATH", "")]
    ),
    "PYTHONDONTWRITEBYTECODE": "1",
}
