"""Service bindings: the handlers of the other Workers of the session."""

import asyncio
import contextvars
from collections.abc import Mapping

from cfworkflows.http import Request, Response
from cfworkflows.permit import permit
from cfworkflows_bindings import ServiceBinding
from cfworkflows_emulator.config import SERVICES as KIND
from cfworkflows_emulator.config.kinds.service import ServiceSection
from cfworkflows_emulator.runtime.kinds.kind import RuntimeKind
from cfworkflows_emulator.runtime.resources import Resources
from cfworkflows_emulator.runtime.worker import Worker


class ServiceRuntime(RuntimeKind[ServiceSection]):
    """Services call Workers, which are looked up when they are called."""

    kind = KIND

    @property
    def binding(self) -> type[ServiceBinding]:
        return ServiceBinding

    async def bind(self, section: ServiceSection, resources: Resources, /) -> ServiceBinding:
        return ServiceBinding(_Call(resources.workers, section), section.service)


class _Call:
    """Hands requests to the Worker of a service binding, each in a task and a context of its own."""

    def __init__(self, workers: Mapping[str, Worker], service: ServiceSection) -> None:
        self._workers = workers
        self._service = service

    async def __call__(self, request: Request) -> Response:
        service = self._service
        if service.service not in self._workers:
            raise RuntimeError(f"The Worker {service.service} is not loaded yet: call it in a handler, not on import.")
        answer = self._workers[service.service].fetch(request, service.entrypoint, service.props)
        # The module-level `env` of the caller has to stay what it is.
        context = contextvars.copy_context()
        context.run(permit.set, None)  # what it does is its own, whatever becomes of the caller
        return await asyncio.get_running_loop().create_task(answer, context=context)


SERVICES = ServiceRuntime()
