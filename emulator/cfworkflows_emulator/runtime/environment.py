"""Builds the `env` of a Worker: its variables, its Workflows, and the other Workers of the session."""

import asyncio
import contextvars
from collections.abc import Mapping
from typing import Any

from cfworkflows.http import Request, Response
from cfworkflows_bindings import Environment, ServiceBinding, WorkflowBinding
from cfworkflows_emulator.config import SERVICES, WORKFLOWS, LoadedConfig, absent
from cfworkflows_emulator.config.kinds.service import ServiceSection
from cfworkflows_emulator.engine import Engine
from cfworkflows_emulator.runtime.worker import Worker


def environment(config: LoadedConfig, engine: Engine, workers: Mapping[str, Worker], names: list[str]) -> Environment:
    """The bindings of the Worker of `config`. `names` are those of the session's Workers, `workers` has each of them
    once it is loaded.
    """
    bindings: dict[str, Any] = {name: variable.value for name, variable in config.variables.items()}
    missing = dict(absent(config, names))
    for workflow in config.sections(WORKFLOWS):
        if workflow.binding not in missing:
            bindings[workflow.binding] = WorkflowBinding(engine, workflow.name)
    for service in config.sections(SERVICES):
        if service.binding not in missing:
            bindings[service.binding] = ServiceBinding(_Call(workers, service), service.service)
    unsupported = {info.name: info.kind for info in config.bindings if not info.supported}
    return Environment(bindings, unsupported, missing)


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
        # What the module-level `env` stands for here is to stay what it is.
        return await asyncio.get_running_loop().create_task(answer, context=contextvars.copy_context())
