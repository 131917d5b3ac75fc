"""The introspectors that there are, as the engine of a world and the end of its test need them."""

from typing import Protocol

from cfworkflows_emulator.testing.mocks import Mocks


class InstanceIntrospector(Protocol):
    """Looks into one instance."""

    mocks: Mocks

    @property
    def steps(self) -> str:
        """Which steps there were when it was last looked."""

    async def survey(self) -> None:
        """Look which steps there were, and which events they got."""


class Session(Protocol):
    """Looks into the instances of a workflow."""

    mocks: Mocks

    def created(self, id: str) -> None:
        """There is a new instance."""


class Introspections:
    """The introspectors of a world, for its engine to ask."""

    def __init__(self) -> None:
        self.instances: dict[tuple[str, str], InstanceIntrospector] = {}
        self.sessions: dict[str, Session] = {}

    def created(self, workflow: str, id: str) -> None:
        if (session := self.sessions.get(workflow)) is not None:
            session.created(id)

    def of(self, workflow: str, id: str) -> Mocks | None:
        instance = self.instances.get((workflow, id))
        return instance.mocks if instance is not None else None

    async def left(self) -> list[str]:
        """The mocks that met no step, of introspectors that nobody disposed of."""
        for instance in self.instances.values():
            await instance.survey()
        unused = {
            mock: f"all of {workflow}" for workflow, session in self.sessions.items() for mock in session.mocks.unused
        }
        for (workflow, id), instance in self.instances.items():
            for mock in instance.mocks.unused:
                unused.setdefault(mock, f"{workflow}/{id}: {instance.steps}")
        return [f"the {mock}, which nothing used, for {what}" for mock, what in unused.items()]
