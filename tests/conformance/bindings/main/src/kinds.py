"""The kinds of bindings that the interpreter knows: a module for each.

A module has BINDINGS, the names in the configuration, and may have

OPTIONS    the place of the options among the arguments of a method, for calls in the form of keywords
SHORT      the option that may be given there by its value alone, by method
is_map     whether the result of a call with these arguments is a Map, which a dict does not say by itself
OPS        the ops of its own: a function of the op and the scope for each
described  an object of its own as JSON, None for another
"""

import re
from collections.abc import Callable
from types import ModuleType
from typing import Any

import d1
import kv
import r2

KINDS: tuple[ModuleType, ...] = (kv, d1, r2)

OPS: dict[str, Callable[[dict[str, Any], Any], Any]] = {
    name: op for kind in KINDS for name, op in getattr(kind, "OPS", {}).items()
}


def kind_of(binding: str) -> ModuleType | None:
    return next((kind for kind in KINDS if binding in kind.BINDINGS), None)


def as_keywords(binding: str, method: str, arguments: list[Any]) -> tuple[list[Any], dict[str, Any]]:
    """A call whose options are written as keywords, in snake_case."""
    kind = kind_of(binding)
    place = getattr(kind, "OPTIONS", {}).get(method)
    if place is None or len(arguments) != place + 1:
        return arguments, {}
    options = arguments[place]
    if isinstance(options, str) and (name := getattr(kind, "SHORT", {}).get(method)):
        options = {name: options}
    if not isinstance(options, dict):
        return arguments, {}
    return arguments[:place], {snake_case(name): value for name, value in options.items()}


def is_map(binding: str, method: str, arguments: list[Any]) -> bool:
    kind = kind_of(binding)
    return hasattr(kind, "is_map") and bool(kind.is_map(method, arguments))


def described(value: Any) -> Any:
    for kind in KINDS:
        if hasattr(kind, "described") and (shown := kind.described(value)) is not None:
            return shown
    return None


def snake_case(name: str) -> str:
    return re.sub(r"(?<!^)[A-Z]", lambda capital: f"_{capital[0].lower()}", name)
