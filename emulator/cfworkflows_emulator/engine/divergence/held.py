"""The plain values that a callback was made with: variables of the function around it, defaults, bound arguments."""

import functools
from collections.abc import Iterator
from types import FunctionType, MethodType

_PLAIN = (str, int, float, bool, bytes, type(None))
LONGEST_TEXT = 200


def held_by(callback: object) -> str:
    """The values as text, to be compared; anything else than plain values is left out."""
    return ", ".join(f"{name}={_shown(value)}" for name, value in _values(callback) if type(value) in _PLAIN)


def _values(callback: object) -> Iterator[tuple[str, object]]:
    while type(callback) is functools.partial:
        yield from ((f"argument {number}", value) for number, value in enumerate(callback.args, 1))
        yield from callback.keywords.items()
        callback = callback.func
    if type(callback) is MethodType:
        callback = callback.__func__
    if type(callback) is not FunctionType:
        return
    for name, cell in zip(callback.__code__.co_freevars, callback.__closure__ or (), strict=True):
        try:
            yield name, cell.cell_contents
        except ValueError:  # the variable has no value yet
            continue
    names = callback.__code__.co_varnames[: callback.__code__.co_argcount]
    defaults = callback.__defaults__ or ()
    yield from zip(names[len(names) - len(defaults) :], defaults, strict=True)
    yield from (callback.__kwdefaults__ or {}).items()


def _shown(value: object) -> str:
    if type(value) is int and value.bit_length() > LONGEST_TEXT:  # Python refuses to show very long ones
        return hex(value)[:LONGEST_TEXT]
    return repr(value)[:LONGEST_TEXT]
