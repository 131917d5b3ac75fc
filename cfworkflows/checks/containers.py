"""Lists, tuples, sets and dicts, and what is like them."""

import collections
import reprlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cfworkflows.checks.misfit import Check, CheckerOf, Misfit, Problem, Tally, refused
from cfworkflows.checks.sorts import DICTS, SETS
from cfworkflows.values.jsdict import JsDict


def container(origin: Any, arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    """The check of `origin[arguments]`; of a plain `origin` for no arguments."""
    if origin is tuple:
        return _tuple(arguments, of)
    if origin in DICTS:
        return _dict(origin, arguments, of)
    if origin in SETS:
        return _set(frozenset if origin is frozenset else set, arguments, of)
    return _list(origin, arguments, of)


def _items(values: Iterable[Any], check: Check, tally: Tally) -> list[Any]:
    found, wrong = [], []
    for index, value in enumerate(values):
        try:
            found.append(check(value, tally))
        except Misfit as error:
            wrong += error.under(f"[{index}]")
    if wrong:
        raise Misfit(wrong)
    return found


def _list(origin: Any, arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    item = of(arguments[0]) if arguments else None

    def check(value: Any, tally: Tally) -> Any:
        if not isinstance(value, (list, tuple, collections.deque)):
            raise refused("Input should be a valid list", value)
        kept = isinstance(value, origin)
        if item is None and kept:
            return value
        items = list(value) if item is None else _items(value, item, tally)
        if kept and isinstance(value, (tuple, collections.deque)):  # what a Sequence or a deque is
            return collections.deque(items, value.maxlen) if isinstance(value, collections.deque) else tuple(items)
        tally.conversions += not isinstance(value, list)
        return collections.deque(items) if origin is collections.deque else items

    return check


def _tuple(arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    def open_ended(value: Any, tally: Tally) -> Any:
        if not isinstance(value, (list, tuple)):
            raise refused("Input should be a valid tuple", value)
        return tuple(value if every is None else _items(value, every, tally))

    if not arguments or arguments[-1] is Ellipsis:
        every = of(arguments[0]) if arguments else None
        return open_ended
    checks = [of(each) for each in arguments if each != ()]

    def check(value: Any, tally: Tally) -> Any:
        if not isinstance(value, (list, tuple)):
            raise refused("Input should be a valid tuple", value)
        if len(value) != len(checks):
            raise refused(f"Input should have {len(checks)} items, not {len(value)}", value)
        found, wrong = [], []
        for index, (item, each) in enumerate(zip(value, checks, strict=True)):
            try:
                found.append(each(item, tally))
            except Misfit as error:
                wrong += error.under(f"[{index}]")
        if wrong:
            raise Misfit(wrong)
        return tuple(found)

    return check


def _set(make: Callable[[Iterable[Any]], Any], arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    item = of(arguments[0]) if arguments else None

    def check(value: Any, tally: Tally) -> Any:
        if not isinstance(value, (list, tuple, set, frozenset)):
            raise refused("Input should be a valid set", value)
        items = list(value) if item is None else _items(value, item, tally)
        try:
            found = make(items)
        except TypeError:
            raise refused("Set items should be hashable", value) from None
        if len(found) != len(items):
            raise refused("some items are there twice", value)
        tally.conversions += isinstance(value, (list, tuple))
        return found

    return check


def _dict(origin: Any, arguments: tuple[Any, ...], of: CheckerOf) -> Check:
    names, values = (of(each) for each in arguments) if arguments else (None, None)

    def check(value: Any, tally: Tally) -> Any:
        if not isinstance(value, Mapping):
            raise refused("Input should be a valid dictionary", value)
        if names is None or values is None:
            return value
        found: dict[Any, Any] = {}
        wrong: list[Problem] = []
        for key, item in value.items():
            try:
                name = _key(names, key, tally)
            except Misfit as error:
                wrong += error.under(f".{key}.[key]")
                continue
            try:
                found[name] = values(item, tally)
            except Misfit as error:
                wrong += error.under(f".{key}")
        if not wrong and len(found) != len(value):
            wrong.append(Problem("", "some keys are the same", reprlib.repr(value)))
        if wrong:
            raise Misfit(wrong)
        if origin is collections.defaultdict:
            return collections.defaultdict(arguments[1] if isinstance(arguments[1], type) else None, found)
        return JsDict(found)

    return check


def _key(check: Check, key: Any, tally: Tally) -> Any:
    """A key as its type has it. In JSON each key is text, so text that is written as a number is one here."""
    try:
        return check(key, tally)
    except Misfit:
        if not isinstance(key, str):
            raise
        for read in (int, float):
            try:
                number = read(key)
            except ValueError:
                continue
            if str(number) == key:
                return check(number, tally)
        raise
