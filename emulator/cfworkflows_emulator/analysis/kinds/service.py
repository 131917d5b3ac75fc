"""Service bindings: the handlers of another Worker."""

from cfworkflows.types import Fetcher
from cfworkflows_emulator.analysis.kinds.kind import TypedKind
from cfworkflows_emulator.config import SERVICES as KIND
from cfworkflows_emulator.config.kinds.service import ServiceSection


class ServiceTypes(TypedKind[ServiceSection]):
    """`Fetcher`, for any Worker."""

    kind = KIND
    promise = Fetcher


SERVICES = ServiceTypes()
