"""A workflow under test with its surroundings, to be opened again and again over other engines."""

import contextvars
import copy
import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from cfworkflows.entrypoint import WorkflowEntrypoint
from cfworkflows_bindings import Environment
from cfworkflows_emulator.clock import SystemClock
from cfworkflows_emulator.config import WORKFLOWS
from cfworkflows_emulator.engine import Engine, WorkflowDefinition
from cfworkflows_emulator.runtime import Exports, Worker, definition_of, runtime_kind
from cfworkflows_emulator.testing.fake_env import FakeEnv
from cfworkflows_emulator.testing.workflow import FakeWorkflow, Workflow
from cfworkflows_emulator.views import shown

Entrypoint = type[WorkflowEntrypoint[Any, Any]]
Target = Entrypoint | FakeWorkflow | Workflow
"""A Workflow class, one with settings (`FakeEnv.workflow`), or a binding of the fixture `env` or of a FakeEnv."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The workflow called `name`, all `workflows` that there are, and the `env` that they share."""

    name: str
    workflows: Mapping[str, tuple[WorkflowDefinition, Entrypoint]]
    env: Environment

    @classmethod
    def of(cls, target: Target, env: Mapping[str, Any] | None) -> "Blueprint":
        """Raises TypeError for something else, and for an `env` beside a binding, which has its own."""
        if isinstance(target, Workflow):
            if env is not None:
                raise TypeError("A binding brings its env along: give env only together with a Workflow class.")
            return cls._of_binding(target)
        if isinstance(target, FakeWorkflow) or (isinstance(target, type) and issubclass(target, WorkflowEntrypoint)):
            return cls._of_class(target, dict(env or {}))
        raise TypeError(
            f"{shown(target)} is no Workflow: give a Workflow class, FakeEnv.workflow(cls, …), or a binding of the "
            "test kit."
        )

    @classmethod
    def _of_class(cls, target: Entrypoint | FakeWorkflow, env: dict[str, Any]) -> "Blueprint":
        binding = next((name for name, value in env.items() if value is target), None)
        if binding is None:
            entrypoint = target.cls if isinstance(target, FakeWorkflow) else target
            binding = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", entrypoint.__name__).upper()
            env[binding] = target
        fake = FakeEnv(**env)
        if other := next((name for name, each in fake._faked.items() if not isinstance(each.fake, FakeWorkflow)), None):
            raise TypeError(
                f"{other} has data, which env cannot give here: pass a binding of the fixture `env`, or of a FakeEnv."
            )
        nobody = Worker(Exports(), None, SystemClock())
        workflows = {
            section.name: (definition_of(section, faked.cls, nobody), faked.cls)
            for _, faked, section in fake._faked.values()
            if isinstance(faked, FakeWorkflow)
        }
        bindings = {name: Unbound(each.section.name) for name, each in fake._faked.items()}
        return cls(fake._faked[binding].section.name, workflows, Environment({**fake._values, **bindings}))

    @classmethod
    def _of_binding(cls, target: Workflow) -> "Blueprint":
        world = target._world
        workflows: dict[str, tuple[WorkflowDefinition, Entrypoint]] = {}
        for name, definition in world.engine.definitions.items():
            entrypoint = type(contextvars.copy_context().run(definition.entrypoint))
            workflows[name] = (definition, entrypoint)
        return cls(target._workflow, workflows, world.worker.env)

    def open(self, engine: Engine) -> Worker:
        """Make the workflows known to `engine`, with bindings over it. They have no schedules."""
        env = copy.copy(self.env)
        binding = runtime_kind(WORKFLOWS).binding
        for name in self.env:
            value = getattr(self.env, name)
            if isinstance(value, (Unbound, binding)):
                setattr(env, name, binding(engine, value._workflow))
        worker = Worker(Exports(), env, engine.clock)
        for definition, cls in self.workflows.values():
            engine.define(dataclasses.replace(definition, entrypoint=partial(worker.make, cls), schedules=()))
        return worker


@dataclass(frozen=True, slots=True)
class Unbound:
    """Stands for the binding of a workflow until there is an engine."""

    _workflow: str
