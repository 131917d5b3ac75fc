"""What the main module of a Worker offers: its handlers and its Workflow classes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from cfworkflows.entrypoint import WorkerEntrypoint, WorkflowEntrypoint
from cfworkflows_emulator.runtime.dialect import kind_of

GLOBAL_HANDLERS = ("on_fetch", "on_alarm", "on_scheduled", "on_trace", "on_queue", "on_pubsub")


@dataclass(frozen=True, slots=True)
class Exports:
    """`default` is the class `Default`. An old file has `global_handlers` instead, by their names such as `on_fetch`.

    `named` are the other WorkerEntrypoint classes, `workflows` the WorkflowEntrypoint classes, each under its exported
    name.
    """

    default: type[WorkerEntrypoint[Any]] | None = None
    named: dict[str, type[WorkerEntrypoint[Any]]] = field(default_factory=dict)
    workflows: dict[str, type[WorkflowEntrypoint[Any, Any]]] = field(default_factory=dict)
    global_handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)

    def entrypoint(self, name: str | None) -> type[WorkerEntrypoint[Any]] | None:
        """The class of the entrypoint `name`, or the default one, where None says that there is no class for it.

        Raises RuntimeError if there is no such class.
        """
        if name is None or name == "default":
            return self.default
        if name not in self.named:
            there = ", ".join(self.named) or "none"
            raise RuntimeError(f"The Worker has no entrypoint {name!r}; the named WorkerEntrypoints are: {there}.")
        return self.named[name]

    def handles(self, event: str) -> bool:
        """Whether the default entrypoint has a handler of an event, such as `scheduled`."""
        return f"on_{event}" in self.global_handlers or callable(getattr(self.default, event, None))


def find_exports(module: ModuleType) -> Exports:
    """The exports of `module`: the names in `__all__`, or else all that do not begin with an underscore.

    Raises TypeError if there are two default entrypoints, AttributeError if `__all__` names something that is not
    there.
    """
    exported = dict(_exported(module))
    handlers = {name: exported[name] for name in GLOBAL_HANDLERS if callable(exported.get(name))}
    kinds = {name: kind_of(value) for name, value in exported.items()}
    workers = {name: exported[name] for name, kind in kinds.items() if kind == "worker"}
    default = workers.pop("Default", None)
    if default is not None and handlers:
        error = TypeError("Cannot define multiple default entrypoints")
        error.add_note(f"There is a class Default, and {', '.join(handlers)}. Make them methods of the class.")
        raise error
    return Exports(
        default=default,
        named=workers,
        workflows={name: exported[name] for name, kind in kinds.items() if kind == "workflow"},
        global_handlers=handlers,
    )


def _exported(module: ModuleType) -> Iterator[tuple[str, Any]]:
    names = getattr(module, "__all__", None)
    if names is None:
        names = [name for name in vars(module) if not name.startswith("_")]
    for name in names:
        if not hasattr(module, name):
            raise AttributeError(f"__all__ of {module.__name__} names {name!r}, which is not defined in the module.")
        yield name, getattr(module, name)
