"""The section of a configuration that counts: the top level, or an environment with what it inherits."""

from typing import Any, NamedTuple

from cfworkflows_emulator.config.diagnostics import Path
from cfworkflows_emulator.config.report import Report


class Resolved(NamedTuple):
    """The section that counts: the top level, or an environment with what it inherits.

    `env` is the requested name; `section` is the report of its section, if the file has it.
    """

    data: dict[str, Any]
    env: str | None
    top: Report
    section: Report | None
    own: frozenset[str]

    def report(self, key: str) -> Report:
        """The report for the section that the value of `key` comes from."""
        return self.section if self.section is not None and key in self.own else self.top

    def place(self, path: Path) -> str:
        """`file:line:column` of what is at `path` in the section that counts."""
        return str(self.report(str(path[0])).location(path))
