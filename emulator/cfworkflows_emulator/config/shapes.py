"""The shapes of values that are checked and not acted on: one line of text each, cheap to import.

    binding id? remote?:boolean period?=10|60 ...

is an object with the text `binding`, maybe the text `id`, the boolean `remote`, a `period` that is one of two words,
and any other fields. The same words without a name are a type: `string|object`, `=public|fedramp_high`, `any`,
`{bindings?:array}`.
"""

import re
from dataclasses import dataclass
from functools import cache

_FIELD = re.compile(r"([\w$-]+)(\?)?(?:(:|=)(\S+))?")


@dataclass(frozen=True, slots=True)
class Type:
    """JSON types (`string`, `number`, `boolean`, `array`, `object`, `any`), or the texts that are allowed."""

    names: tuple[str, ...]
    choices: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " or ".join(self.names)

    def accepts(self, value: object) -> bool:
        if self.choices:
            return value in self.choices
        return "any" in self.names or json_type(value) in self.names


@dataclass(frozen=True, slots=True)
class Shape:
    """The fields of an object; an `open` one may have others."""

    fields: dict[str, Type]
    required: frozenset[str]
    open: bool


@cache
def shape(text: str) -> Shape:
    """Read the notation of an object."""
    fields: dict[str, Type] = {}
    required: set[str] = set()
    for word in text.replace("...", " ").split():
        match = _FIELD.fullmatch(word)
        assert match is not None, word
        name, optional, sign, rest = match.groups()
        fields[name] = type_of(f"={rest}" if sign == "=" else rest or "string")
        if not optional:
            required.add(name)
    return Shape(fields, frozenset(required), "..." in text)


@cache
def type_of(text: str) -> Type:
    """Read the notation of a type."""
    if text.startswith("{"):
        return Type(("object",))
    if text.startswith("="):
        return Type(("string",), tuple(text[1:].split("|")))
    return Type(tuple(text.split("|")))


def json_type(value: object) -> str:
    """What JSON calls the type of `value`; `date` for the dates and times of TOML."""
    if isinstance(value, bool):
        return "boolean"
    if value is None:
        return "null"
    names = {str: "string", int: "number", float: "number", list: "array", dict: "object"}
    return names.get(type(value), "date")
