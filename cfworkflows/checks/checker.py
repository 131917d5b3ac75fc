"""Which check a type has."""

import enum
import functools
import operator
import sys
from dataclasses import is_dataclass
from typing import Annotated, Any, Final, ForwardRef, Literal, TypeVar, get_args, get_origin

from cfworkflows.checks.containers import container
from cfworkflows.checks.misfit import Check, Tally, Uncheckable
from cfworkflows.checks.models import model
from cfworkflows.checks.records import named_tuple, record, typed_dict
from cfworkflows.checks.scalars import SCALARS, instance, literal, member, textual
from cfworkflows.checks.sorts import CONTAINERS, UNIONS, is_named_tuple, is_typed_dict
from cfworkflows.checks.unions import union
from cfworkflows.generics import evaluate

_MADE_FROM_TEXT = {"pathlib", "pathlib._local", "ipaddress"}
_MARKS = ("__get_pydantic_core_schema__", "__pydantic_config__", "__pydantic_validator__")
_OF_PYDANTIC = {"pydantic", "pydantic_core", "annotated_types"}


def checker(tp: Any) -> Check:
    """The check of `tp`. Raises Uncheckable where there is none."""
    try:
        return _cached(tp)
    except TypeError:  # it has no hash: Annotated with a list, for example
        return _checker(tp)


def _later(tp: Any) -> Check:
    """The check of `tp`, made when it is first needed: types may contain themselves."""

    @functools.cache
    def made() -> Check:
        return checker(tp)

    def check(value: Any, tally: Tally) -> Any:
        return made()(value, tally)

    return check


def is_for_pydantic(tp: Any) -> bool:
    """Whether only pydantic knows what a class is, or a note in `Annotated`."""
    if any(hasattr(tp, name) for name in _MARKS):
        return True
    return type(tp).__module__.partition(".")[0] in _OF_PYDANTIC


def _checker(tp: Any) -> Check:
    origin, arguments = get_origin(tp), get_args(tp)
    if origin is Annotated:
        return model(tp) if any(map(is_for_pydantic, arguments[1:])) else checker(arguments[0])
    if tp in SCALARS:
        return SCALARS[tp]
    if origin is Final:
        return checker(arguments[0])
    if origin in UNIONS:
        return union([("" if each is type(None) else _name(each), checker(each)) for each in arguments])
    if origin is Literal:
        return literal(arguments)
    aliased = getattr(tp, "__supertype__", None) or getattr(tp, "__value__", None)  # NewType, and the `type` statement
    if aliased is not None and not isinstance(tp, type):
        return _later(aliased)
    if isinstance(tp, TypeVar):
        return _later(_unbound(tp))
    cls = origin or tp
    if cls in CONTAINERS:
        return container(cls, arguments, checker)
    if not isinstance(cls, type):
        raise Uncheckable(f"{tp!r} is not a type that is known at run time")
    return model(tp) if is_for_pydantic(cls) else _of_class(cls, arguments)


def _unbound(parameter: TypeVar) -> Any:
    """What a type parameter may stand for."""
    if parameter.__constraints__:
        return functools.reduce(operator.or_, parameter.__constraints__)
    bound = parameter.__bound__
    if isinstance(bound, ForwardRef):
        bound = evaluate(bound.__forward_arg__, vars(sys.modules[parameter.__module__]))
    return Any if bound is None else bound


_cached = functools.lru_cache(maxsize=1024)(_checker)


def _of_class(cls: type, arguments: tuple[Any, ...]) -> Check:
    if is_typed_dict(cls):
        return typed_dict(cls, arguments, _later)
    if is_dataclass(cls):
        return record(cls, arguments, _later)
    if is_named_tuple(cls):
        return named_tuple(cls, arguments, _later)
    if issubclass(cls, enum.Enum):
        return member(cls)
    if cls.__module__ in _MADE_FROM_TEXT:
        return textual(cls)
    try:
        isinstance(None, cls)
    except TypeError as error:
        raise Uncheckable(str(error)) from error
    return instance(cls)


def _name(tp: Any) -> str:
    return tp.__name__ if isinstance(tp, type) and get_origin(tp) is None else str(tp).replace("typing.", "")
