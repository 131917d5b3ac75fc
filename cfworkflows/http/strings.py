"""Values as text, by the rules of JavaScript."""


class Text:
    """An object that `str()` turns into its text: JavaScript does so wherever it needs text."""

    __slots__ = ()


def to_string(value: object, where: str) -> str:
    """`value` as JavaScript writes it: `5` and `5.0` are `"5"`, `True` is `"true"`.

    `where` names the place for the TypeError that anything but text, a number or a boolean raises: JavaScript would
    write `"null"` or `"[object Object]"`, which is never meant.
    """
    if isinstance(value, (str, Text)):
        return str(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e21 else repr(value)
    raise TypeError(f"{where} must be text, a number or a boolean, not {type(value).__name__}.")
