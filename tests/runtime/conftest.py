from pathlib import Path
from textwrap import dedent

import pytest

from cfworkflows_emulator.config.loading import load_config

CONFIG = 'name = "shop"\nmain = "src/entry.py"\ncompatibility_date = "2026-11-01"\n'
PRELUDE = "from cfworkflows import *\nfrom cfworkflows import env, wait_until\n"


@pytest.fixture
def write(tmp_path: Path):
    """Write a Worker with its configuration, and further files by name; gives the loaded configuration."""

    def write(source="", config="", **files):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "wrangler.toml").write_text(CONFIG + dedent(config))
        (tmp_path / "src/entry.py").write_text(PRELUDE + dedent(source))
        for name, text in files.items():
            (tmp_path / "src" / f"{name}.py").write_text(dedent(text))
        return load_config(cwd=tmp_path, process_env={})

    return write
