"""What the type parameters of generic classes are bound to."""

import sys
import typing
from typing import Any, ForwardRef, Generic, TypeVar, get_args, get_origin


def type_arguments(cls: type, base: type) -> tuple[Any, ...]:
    """What the type parameters of the generic `base` are bound to in its subclass `cls`; `Any` where they are not.

    `class W(WorkflowEntrypoint[Env, Order])` gives `(Env, Order)`, also through classes in between. A name in quotes
    is looked up in the module of the class that writes it; one that is not there at run time is `Any`.
    """
    return tuple(_unbound_to_any(argument) for argument in arguments_of(cls, base))


def arguments_of(cls: type, base: type) -> tuple[Any, ...]:
    """The arguments of `base`, in terms of the type parameters of `cls`."""
    parameters: tuple[Any, ...] = getattr(base, "__parameters__", ())
    if cls is base:
        return parameters
    bound = parameters
    for written in vars(cls).get("__orig_bases__", cls.__bases__):
        parent = get_origin(written) or written
        if parent is Generic or not issubclass(parent, base):
            continue
        given = [_resolved(argument, cls) for argument in get_args(written)]
        names = dict(zip(getattr(parent, "__parameters__", ()), given, strict=False))
        here = [substituted(argument, names) for argument in arguments_of(parent, base)]
        # Of two paths to the base, as with a mixin, the one that says more counts.
        bound = tuple(new if old is own else old for old, new, own in zip(bound, here, parameters, strict=True))
    return bound


def substituted(tp: Any, names: dict[Any, Any]) -> Any:
    if isinstance(tp, TypeVar):
        return names.get(tp, tp)
    inner = getattr(tp, "__parameters__", ())
    if not inner or isinstance(tp, type):
        return tp
    return tp[tuple(names.get(parameter, parameter) for parameter in inner)]


def _unbound_to_any(tp: Any) -> Any:
    if isinstance(tp, TypeVar):
        return Any
    return substituted(tp, dict.fromkeys(getattr(tp, "__parameters__", ()), Any))


def _resolved(tp: Any, where: type) -> Any:
    if not isinstance(tp, ForwardRef):
        return tp
    found = evaluate(tp.__forward_arg__, vars(sys.modules[where.__module__]))
    return Any if found is None else found


def evaluate(annotation: Any, names: dict[str, Any]) -> Any:
    """The type that an annotation stands for, None if it does not stand for one at run time."""

    def bearer() -> None: ...

    bearer.__annotations__ = {"return": annotation}
    try:
        return typing.get_type_hints(bearer, names, include_extras=True)["return"]
    except (NameError, AttributeError, TypeError, SyntaxError):
        return None
