"""`env` as a test has it: what the test puts there, the Worker has too."""

from collections.abc import Callable, Mapping
from typing import Any

from cfworkflows_bindings import Environment

_NOTHING: Any = object()


class TestedEnvironment(Environment):
    """The bindings of the Worker whose `env` is `worker`. `seen` makes what a test has in place of one of them.

    What is set here, by hand or by monkeypatch, the Worker has too. To delete a stand-in brings back what it stood for.
    """

    __slots__ = ("_behind", "_first", "_worker")
    __test__ = False  # pytest collects classes of that name
    _worker: Environment
    _behind: dict[int, tuple[Any, Any]]  # by the id of what the test sees: that, and what the Worker has
    _first: dict[str, Any]  # what there was before any stand-in

    def __init__(self, worker: Environment, seen: Callable[[Any], Any]) -> None:
        behind: dict[int, tuple[Any, Any]] = {}
        self.__dict__.update(vars(worker))
        for name in worker:
            binding = getattr(worker, name)
            shown = seen(binding)
            if shown is not binding:
                self.__dict__[name] = shown
                behind[id(shown)] = (shown, binding)
        object.__setattr__(self, "_worker", worker)
        object.__setattr__(self, "_behind", behind)
        object.__setattr__(self, "_first", {name: getattr(self, name) for name in self})

    def __setattr__(self, name: str, value: Any) -> None:
        _, own = self._behind.get(id(value), (value, value))
        setattr(self._worker, name, own)
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        first = self._first.get(name, _NOTHING)
        if first is not _NOTHING and getattr(self, name, _NOTHING) is not first:
            setattr(self, name, first)
            return
        super().__delattr__(name)
        delattr(self._worker, name)

    def __reduce__(self) -> Any:
        """A copy is a plain environment, with what is in there now."""
        return _copied, (dict(vars(self)),)


def _copied(values: Mapping[str, Any]) -> Environment:
    copied = Environment({})
    vars(copied).update(values)
    return copied
