"""A project in a temporary folder, whose configuration is written as JSON and as TOML."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomlkit

from cfworkflows_emulator.config import ConfigError, Diagnostic, LoadedConfig
from cfworkflows_emulator.config.loading import load_config

MINIMAL = {"name": "shop", "main": "src/entry.py", "compatibility_date": "2026-11-01"}
WORKFLOW = {"name": "orders", "binding": "ORDERS", "class_name": "Orders"}


@dataclass
class Project:
    """A folder with `src/entry.py`; `name` is the configuration file that `write` writes."""

    folder: Path
    name: str = "wrangler.jsonc"
    process_env: dict[str, str] = field(default_factory=dict)

    def write(self, data: Mapping[str, Any]) -> Path:
        """Write `data` in the format of the file's name."""
        text = tomlkit.dumps(data) if self.name.endswith(".toml") else json.dumps(data, indent=2)
        return self.text(text)

    def text(self, text: str) -> Path:
        """Write the configuration as it is."""
        path = self.folder / self.name
        path.write_bytes(text.encode())
        return path

    def file(self, name: str, text: str) -> Path:
        """Write another file."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def load(
        self,
        data: Mapping[str, Any] | None = None,
        *,
        env: str | None = None,
        variables: Mapping[str, str] | None = None,
        env_files: Sequence[Path] = (),
    ) -> LoadedConfig:
        """Write `data`, on top of a minimal configuration, and load it."""
        if data is not None:
            self.write({**MINIMAL, **data})
        return load_config(
            self.folder / self.name,
            cwd=self.folder,
            env=env,
            variables=variables,
            env_files=env_files,
            process_env=self.process_env,
        )

    def problems(self, data: Mapping[str, Any] | None = None, *, env: str | None = None) -> list[Diagnostic]:
        """All errors and warnings."""
        try:
            return list(self.load(data, env=env).warnings)
        except ConfigError as error:
            return error.diagnostics

    def errors(self, data: Mapping[str, Any] | None = None, *, env: str | None = None) -> list[Diagnostic]:
        """The errors."""
        return [each for each in self.problems(data, env=env) if each.severity == "error"]

    def warnings(self, data: Mapping[str, Any] | None = None, *, env: str | None = None) -> list[Diagnostic]:
        """The warnings."""
        return [each for each in self.problems(data, env=env) if each.severity == "warning"]


def text_at(diagnostic: Diagnostic) -> str:
    """The line of the file from where the diagnostic points; of the header of a TOML table the last part."""
    assert diagnostic.location is not None
    text = diagnostic.location.text[diagnostic.location.column - 1 :]
    return re.sub(r"^\[\[?(?:\w+\.)*(\w+)\]\]?$", r"\1", text)
