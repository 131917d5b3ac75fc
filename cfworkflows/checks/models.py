"""Types that only pydantic knows: its models, and constraints in `Annotated`.

Nothing of plain data is changed or left out silently here either: a key that a model has no field for is refused,
unless its own configuration says what becomes of it; and text stays text, a number a number, and True what it is.
"""

import functools
import reprlib
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import TYPE_CHECKING, Any

from cfworkflows.checks.misfit import Check, Misfit, Problem, Tally, Uncheckable
from cfworkflows.values.jsdict import JsDict

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError


def model(tp: Any) -> Check:
    """What pydantic makes of plain data; one of a model is taken as it is."""
    adapter = functools.cache(lambda: _adapter(tp))

    def check(value: Any, tally: Tally) -> Any:
        try:
            from pydantic import PydanticUserError, ValidationError
        except ImportError as error:
            raise Uncheckable("only pydantic knows it, which is not installed. Install pydantic.") from error
        try:
            checked = adapter().validate_python(value)
        except ValidationError as error:
            raise Misfit(problems_of(error)) from error
        except (PydanticUserError, NameError) as error:
            raise Uncheckable(f"pydantic cannot: {error}") from error
        if lost := list(_lost(value, checked, "")):
            raise Misfit(lost)
        tally.built += checked is not value
        tally.fields += len(getattr(checked, "model_fields_set", ()))
        return _readable(checked)

    return check


def _adapter(tp: Any) -> "TypeAdapter[Any]":
    from pydantic import TypeAdapter

    return TypeAdapter(tp)


def problems_of(error: "ValidationError") -> list[Problem]:
    """What pydantic says, with the place of each."""
    found = []
    for each in error.errors(include_url=False, include_context=False):
        place = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in each["loc"])
        given = None if each["type"] == "missing" else reprlib.repr(each["input"])
        found.append(Problem(place, each["msg"], given))
    return found


def _lost(given: Any, checked: Any, place: str) -> Iterator[Problem]:
    """What of plain data did not arrive in what was made of it."""
    if getattr(type(checked), "__pydantic_root_model__", False):
        checked = checked.root
    if given is checked:
        return
    if isinstance(given, Mapping):
        yield from _lost_keys(given, checked, place)
    elif isinstance(given, (list, tuple)) and isinstance(checked, (set, frozenset)):
        if len(given) != len(checked):
            yield Problem(place, "some items are there twice", reprlib.repr(given))
    elif isinstance(given, (list, tuple)):
        if isinstance(checked, (list, tuple)) and len(given) == len(checked):
            for index, (before, after) in enumerate(zip(given, checked, strict=True)):
                yield from _lost(before, after, f"{place}[{index}]")
    elif _is_scalar(given) and _is_scalar(checked) and not _is_same(given, checked):
        kinds = f"{type(given).__name__} would become the {type(checked).__name__} {reprlib.repr(checked)}"
        yield Problem(place, f"the {kinds}", reprlib.repr(given))


def _lost_keys(given: Mapping[Any, Any], checked: Any, place: str) -> Iterator[Problem]:
    refuses = True
    if isinstance(checked, Mapping):
        refuses = False
        if isinstance(checked, dict) and checked.keys() <= given.keys():
            # A TypedDict says what is there at least: the rest arrives as it is.
            checked.update({key: given[key] for key in given if key not in checked})
        names = {key: key for key in checked}
        after: Any = checked.get
    elif hasattr(type(checked), "model_fields"):
        refuses = "extra" not in type(checked).model_config  # whose author says what becomes of the others
        names = _names_in_model(checked)
        after = functools.partial(getattr, checked)
    elif is_dataclass(checked) or hasattr(checked, "_fields"):
        names = {name: name for name in getattr(checked, "__dataclass_fields__", None) or checked._fields}
        after = functools.partial(getattr, checked)
    else:
        return
    for key, before in given.items():
        where = f"{place}.{key}"
        if key in names:
            yield from _lost(before, after(names[key]), where)
        elif refuses:
            yield Problem(where, "there is no such field", reprlib.repr(before))


def _names_in_model(model: Any) -> dict[Any, str]:
    """The field that each key of plain data is for: by its name, or by an alias."""
    names = {name: name for name in type(model).model_fields}
    for name, field in type(model).model_fields.items():
        aliases = getattr(field.validation_alias, "choices", [field.validation_alias])
        names |= {getattr(alias, "path", [alias])[0]: name for alias in (*aliases, field.alias) if alias is not None}
    return names


def _is_scalar(value: object) -> bool:
    return type(value) in (bool, int, float, str)


def _is_same(given: Any, checked: Any) -> bool:
    if isinstance(given, str) or isinstance(checked, str):
        return type(given) is type(checked)  # a text that is another one now was changed by what its type says
    return isinstance(given, bool) == isinstance(checked, bool)


def _readable(value: Any) -> Any:
    """`value` with its plain dicts as JsDict, as `decode` gives them."""
    if type(value) is dict or type(value) is JsDict:
        return JsDict({key: _readable(item) for key, item in value.items()})
    return [_readable(item) for item in value] if type(value) is list else value
