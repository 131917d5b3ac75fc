"""The bindings of a Worker, as its configuration names them."""

from dataclasses import dataclass, field

from cfworkflows_emulator.config.diagnostics import Location, Path
from cfworkflows_emulator.config.source import Source


@dataclass(frozen=True, slots=True)
class BindingInfo:
    """A name in `env` that is not a variable: its kind, what it is bound to, and whether this version supports it.

    `path` is where it is in the file.
    """

    name: str
    kind: str
    resource: str | None
    supported: bool
    path: Path
    _source: Source | None = field(repr=False, compare=False)

    @property
    def location(self) -> Location | None:
        """Where the binding is in the file."""
        return None if self._source is None else self._source.location(self.path)
