"""A Worker that is written into a folder, to be read and never run."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from cfworkflows_emulator.analysis import Finding, Program, check
from cfworkflows_emulator.config import LoadedConfig
from cfworkflows_emulator.config.loading import load_config

HEAD = 'name = "shop"\nmain = "src/entry.py"\ncompatibility_flags = ["python_workers"]\n'
IMPORTS = "from cfworkflows import *\n"


class Written:
    """A project in a folder; `config` and `program` read it when they are asked for."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def config(self) -> LoadedConfig:
        return load_config(self.folder / "wrangler.toml", cwd=self.folder, process_env={})

    @property
    def program(self) -> Program:
        return Program(self.folder / "src/entry.py")

    def findings(self) -> list[Finding]:
        return check(self.program, self.config)

    def found(self) -> list[tuple[str, int]]:
        """Rule and line of each finding."""
        return [(each.rule, each.location.line) for each in self.findings()]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Written]:
    """Write the configuration and the main file, below its import line, and other files by their names."""

    def write(source: str, config: str = "", **files: str) -> Written:
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "wrangler.toml").write_text(HEAD + dedent(config))
        (tmp_path / "src/entry.py").write_text(IMPORTS + dedent(source))
        for name, text in files.items():
            (tmp_path / f"src/{name}.py").write_text(dedent(text))
        return Written(tmp_path)

    return write
