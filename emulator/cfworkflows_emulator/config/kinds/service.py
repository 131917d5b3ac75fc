"""`services`: bindings to the handlers of Workers."""

from dataclasses import dataclass
from typing import Any

from cfworkflows_emulator.config.kinds.kind import Elsewhere, Kind, Layer
from cfworkflows_emulator.config.markers import Section


@dataclass(frozen=True, slots=True)
class ServiceSection(Section):
    """One element of `services`. `entrypoint` is a named class of the Worker `service`, None for its default export;
    `props` is its `ctx.props`.
    """

    binding: str
    service: str
    entrypoint: str | None = None
    environment: str | None = None
    props: dict[str, Any] | None = None
    cross_account_grant: str | None = None
    remote: bool | None = None


class ServiceKind(Kind[ServiceSection]):
    """Service bindings. They have no data, hence no store."""

    key = "services"
    friendly = "Worker"
    section = ServiceSection
    layers = frozenset({Layer.TYPES, Layer.BINDING, Layer.RUNTIME, Layer.ANALYSIS})

    def resource(self, section: ServiceSection, /) -> str:
        return section.service if section.entrypoint is None else f"{section.service}#{section.entrypoint}"

    def elsewhere(self, section: ServiceSection, /) -> Elsewhere:
        return Elsewhere(section.service, f'the Worker "{section.service}"')


SERVICES = ServiceKind()
