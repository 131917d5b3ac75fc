"""What the main module of a Worker offers: its handlers and its Workflow classes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

from cfworkflows.entrypoint import WorkerEntrypoint, WorkflowEntrypoint

GLOBAL_HANDLERS = ("on_fetch", "on_alarm", "on_scheduled", "on_trace", "on_queue", "on_pubsub")


@dataclass(frozen=True, slots=True)
class Exports:
    """`default` is the class `Default`, `on_fetch` the module-level handler: there is at most one of the two.

    `named` are the other WorkerEntrypoint classes, `workflows` the WorkflowEntrypoint classes, each under the name it
    is exported by. `global_handlers` are the module-level handlers that there are, by name.
    """

    default: type[WorkerEntrypoint[Any]] | None = None
    on_fetch: Callable[..., Any] | None = None
    named: dict[str, type[WorkerEntrypoint[Any]]] = field(default_factory=dict)
    workflows: dict[str, type[WorkflowEntrypoint[Any, Any]]] = field(default_factory=dict)
    global_handlers: dict[str, Callable[..., Any]] = field(default_factory=dict)


def find_exports(module: ModuleType) -> Exports:
    """The exports of `module`: the names in `__all__`, or else all that do not begin with an underscore.

    Raises TypeError if there are two default entrypoints, AttributeError if `__all__` names something that is not
    there.
    """
    exported = dict(_exported(module))
    handlers = {name: exported[name] for name in GLOBAL_HANDLERS if callable(exported.get(name))}
    workers = {name: value for name, value in exported.items() if _is_subclass(value, WorkerEntrypoint)}
    default = workers.pop("Default", None)
    if default is not None and handlers:
        error = TypeError("Cannot define multiple default entrypoints")
        error.add_note(f"There is a class Default, and {', '.join(handlers)}. Make them methods of the class.")
        raise error
    return Exports(
        default=default,
        on_fetch=handlers.get("on_fetch"),
        named=workers,
        workflows={name: value for name, value in exported.items() if _is_subclass(value, WorkflowEntrypoint)},
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


def _is_subclass(value: Any, base: type) -> bool:
    return isinstance(value, type) and issubclass(value, base) and value is not base
