"""Values that are literal in the source: numbers, text, dicts of them, durations."""

import ast
import math
import operator
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final


class Unknown:
    """A value that is only known when the code runs."""

    def __repr__(self) -> str:
        return "…"


UNKNOWN: Final = Unknown()

_OPERATORS: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
}
_LONGEST = 100_000  # characters of a computed text


def evaluate(
    node: ast.expr, constant: Callable[[ast.expr], object], qualified: Callable[[ast.expr], str | None]
) -> object:
    """The value of an expression, or UNKNOWN. In a list or a dict the unknown parts are UNKNOWN.

    `constant` returns the value of a name, `qualified` the full name of an import.
    """

    def value(part: ast.expr) -> Any:
        return evaluate(part, constant, qualified)

    match node:
        case ast.Constant(value=given):
            return given
        case ast.List(elts=items) | ast.Tuple(elts=items) if not any(isinstance(each, ast.Starred) for each in items):
            return [value(item) for item in items]
        case ast.Dict(keys=keys, values=values) if all(isinstance(key, ast.Constant) for key in keys):
            pairs = zip(keys, values, strict=True)
            return {key.value: value(item) for key, item in pairs if isinstance(key, ast.Constant)}
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            number = value(operand)
            return -number if isinstance(number, (int, float)) else UNKNOWN
        case ast.BinOp(left=left, op=symbol, right=right):
            return _binary(value(left), symbol, value(right))
        case ast.JoinedStr(values=parts):
            texts = [value(part) for part in parts]
            return "".join(texts) if all(isinstance(text, str) for text in texts) else UNKNOWN
        case ast.FormattedValue(value=inner, conversion=-1, format_spec=None):
            given = value(inner)
            return str(given) if isinstance(given, (str, int)) else UNKNOWN
        case ast.Lambda():
            return UNKNOWN
        case ast.Call(func=function, args=arguments, keywords=keywords):
            return _timedelta(arguments, keywords, value) if qualified(function) == "datetime.timedelta" else UNKNOWN
        case ast.Attribute():
            return math.inf if qualified(node) == "math.inf" else constant(node)
        case ast.Name():
            return constant(node)
    return UNKNOWN


def _binary(left: Any, symbol: ast.operator, right: Any) -> object:
    work = _OPERATORS.get(type(symbol))
    simple = (int, float, str, timedelta)
    if work is None or not isinstance(left, simple) or not isinstance(right, simple):
        return UNKNOWN
    if isinstance(symbol, ast.Mult) and isinstance(left, (str, int)) and isinstance(right, (str, int)):
        text, count = (left, right) if isinstance(left, str) else (right, left)
        if isinstance(text, str) and (isinstance(count, str) or len(text) * count > _LONGEST):
            return UNKNOWN
    try:
        result: object = work(left, right)
    except (TypeError, ArithmeticError, ValueError):
        return UNKNOWN
    return result


def _timedelta(arguments: list[ast.expr], keywords: list[ast.keyword], value: Callable[[ast.expr], Any]) -> object:
    given = [value(argument) for argument in arguments]
    named = {keyword.arg: value(keyword.value) for keyword in keywords if keyword.arg is not None}
    if len(named) < len(keywords) or not all(isinstance(each, (int, float)) for each in (*given, *named.values())):
        return UNKNOWN
    try:
        return timedelta(*given, **named)
    except (TypeError, OverflowError):
        return UNKNOWN


def known(value: object) -> bool:
    """Whether no part of the value is UNKNOWN."""
    if isinstance(value, dict):
        return all(known(item) for item in value.values())
    if isinstance(value, list):
        return all(known(item) for item in value)
    return not isinstance(value, Unknown)
