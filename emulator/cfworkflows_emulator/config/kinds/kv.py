"""`kv_namespaces`: bindings to KV namespaces."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cfworkflows_emulator.config.diagnostics import Path
from cfworkflows_emulator.config.kinds.kind import Kind, Layer
from cfworkflows_emulator.config.kinds.remote import refuse_remote
from cfworkflows_emulator.config.markers import Section
from cfworkflows_emulator.config.report import Report


@dataclass(frozen=True, slots=True)
class KVSection(Section):
    """One element of `kv_namespaces`. Bindings with one id are one namespace."""

    binding: str
    id: str | None = None
    preview_id: str | None = None
    remote: bool | None = None

    @property
    def namespace(self) -> str:
        """The id on this machine: the first that there is of those for development, for production, and the name."""
        return self.preview_id or self.id or self.binding


class KVKind(Kind[KVSection]):
    """KV namespaces."""

    key = "kv_namespaces"
    friendly = "KV Namespace"
    section = KVSection
    layers = frozenset(Layer)

    def resource(self, section: KVSection, /) -> str:
        return section.namespace

    def check(self, report: Report, path: Path, element: Mapping[str, Any], /) -> None:
        refuse_remote(report, path, element, f"cfwf kv key put --binding {element.get('binding')} KEY VALUE")


KV_NAMESPACES = KVKind()
