"""Bodies and queries against their pydantic models, with messages that name the place."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from cfworkflows.http import Request
from cfworkflows_emulator.api.routing.compression import CompressionError, decompressed

Model = TypeVar("Model", bound=BaseModel)


class InvalidError(Exception):
    """A body or a query is not as it should be. `problems` are texts such as `page: Too small: …`, one or more."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class Query(BaseModel):
    """The query of a route. A parameter that it does not know changes nothing."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)


class Form(BaseModel):
    """The JSON object that a route takes. A field that it does not know is a mistake."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


async def read_json(request: Request) -> Any:
    """The JSON of a request's body, None if it has no body or an empty one. Raises InvalidError."""
    data = await request.bytes()
    if not data:
        return None
    try:
        data = decompressed(data, request.headers.get("content-encoding"))
    except CompressionError as error:
        raise InvalidError((str(error),)) from error
    try:
        return json.loads(data, parse_constant=_refuse_constant) if data else None
    except (ValueError, RecursionError) as error:
        raise InvalidError((f"Invalid JSON request body: {error}",)) from error


def checked_query(model: type[Model], query: Mapping[str, str]) -> Model:
    """Raises InvalidError."""
    checked: Model = _checked(lambda: model.model_validate(query))
    return checked


def checked_body(model: Any, value: Any) -> Any:
    """`value` as a `model`, which is a class or any other type that pydantic knows. Raises InvalidError."""
    return _checked(lambda: TypeAdapter(model).validate_python(value))


def _checked(validate: Any) -> Any:
    try:
        return validate()
    except ValidationError as error:
        raise InvalidError(tuple(dict.fromkeys(_explain(problem) for problem in error.errors()))) from error


def _explain(problem: Mapping[str, Any]) -> str:
    where = ".".join(map(str, problem["loc"]))
    return f"{where}: {_reason(problem)}" if where else _reason(problem)


def _reason(problem: Mapping[str, Any]) -> str:
    context = problem.get("ctx", {})
    match problem["type"]:
        case "greater_than_equal":
            return f"Too small: expected number to be >={context['ge']:.17g}"
        case "less_than_equal":
            return f"Too big: expected number to be <={context['le']:.17g}"
        case "too_short":
            return f"Too small: expected array to have >={context['min_length']} items"
        case "too_long":
            return f"Too big: expected array to have <={context['max_length']} items"
        case "model_type" | "model_attributes_type" | "dict_type":
            return f"Invalid input: expected object, received {_json_type(problem['input'])}"
        case "list_type":
            return f"Invalid input: expected array, received {_json_type(problem['input'])}"
        case "float_parsing":
            return f'Expected query param to be number but received "{problem["input"]}"'
        case "literal_error":
            options = context["expected"].replace(" or ", ", ").replace("'", '"').replace(", ", "|")
            return f"Invalid option: expected one of {options}"
        case "int_parsing" | "int_from_float":
            return f'Expected query param to be a whole number but received "{problem["input"]}"'
        case "extra_forbidden":
            return "There is no such field"
        case _:
            return str(problem["msg"]).removeprefix("Value error, ")


def _json_type(value: object) -> str:
    if value is None:
        return "null"
    names: dict[type, str] = {bool: "boolean", int: "number", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
