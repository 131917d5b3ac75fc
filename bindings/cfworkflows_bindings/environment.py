"""`env`: the bindings of a Worker as attributes."""

from collections.abc import Iterator, Mapping
from typing import Any

from cfworkflows.errors import UnsupportedBindingError


class Environment:
    """The bindings of one Worker. `getattr(env, "X", None)` and `hasattr` work as for any object.

    `unsupported` maps the names of bindings that cannot be used here to their kind, for the error that says so, and
    `missing` those of bindings to Workers that are not running to the text of the error.
    """

    def __init__(
        self,
        bindings: Mapping[str, Any],
        unsupported: Mapping[str, str] | None = None,
        missing: Mapping[str, str] | None = None,
    ) -> None:
        self.__dict__.update(bindings)
        self.__unsupported = dict(unsupported or {})
        self.__missing = dict(missing or {})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):  # asked for by copy, inspect and the like, also before __init__
            raise AttributeError(name)
        if name in self.__missing:
            raise UnsupportedBindingError(self.__missing[name])
        if name in self.__unsupported:
            raise UnsupportedBindingError(
                f"env.{name} is a binding of the kind {self.__unsupported[name]}, "
                "which cfworkflows does not support yet."
            )
        known = ", ".join(self) or "none"
        raise AttributeError(f"env has no binding {name}; the configuration has: {known}.")

    def __iter__(self) -> Iterator[str]:
        return (name for name in self.__dict__ if not name.startswith("_Environment__"))

    def __contains__(self, name: object) -> bool:
        return name in list(self)

    def __dir__(self) -> list[str]:
        return [*self, *object.__dir__(self)]

    def __repr__(self) -> str:
        return f"<env: {', '.join(self) or 'no bindings'}>"
