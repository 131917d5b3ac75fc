"""The description of an API in the OpenAPI format, made of its routes."""

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter

from cfworkflows import __version__
from cfworkflows_emulator.api.routing.routes import ANY_JSON, Route

_TEMPLATE = "#/components/schemas/{model}"
_MESSAGES = {
    "type": "array",
    "items": {
        "type": "object",
        "properties": {"code": {"type": "integer"}, "message": {"type": "string"}},
        "required": ["code", "message"],
    },
}
_FAILURE = {
    "type": "object",
    "properties": {
        "success": {"type": "boolean", "enum": [False]},
        "errors": _MESSAGES,
        "messages": _MESSAGES,
        "result": {"type": "null"},
    },
    "required": ["success", "errors", "messages", "result"],
}


def describe(title: str, server: str, routes: Sequence[Route]) -> dict[str, Any]:
    """An OpenAPI 3.1 document of `routes`, whose paths begin behind `server`."""
    schemas: dict[str, Any] = {"failure": _FAILURE}
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path or "/", {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": __version__},
        "servers": [{"url": server}],
        "paths": paths,
        "components": {"schemas": schemas},
    }


def _operation(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    names = re.findall(r"\{(\w+)\}", route.path)
    words = re.findall(r"\w+", re.sub(r"[{}]", "", route.path))
    operation: dict[str, Any] = {
        "operationId": "-".join([route.method.lower(), *words]),
        "summary": route.summary,
        "parameters": [
            {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
            for name in names
        ]
        + _query_parameters(route, schemas),
        "responses": {
            "200": {"description": "The result.", "content": _content(route, schemas)},
            "4XX": {
                "description": "What is wrong with the request.",
                "content": {"application/json": {"schema": {"$ref": _TEMPLATE.format(model="failure")}}},
            },
        },
    }
    if route.body is not None:
        schema = {} if route.body is ANY_JSON else _schema(route.body, schemas)
        operation["requestBody"] = {"required": False, "content": {"application/json": {"schema": schema}}}
    return operation


def _query_parameters(route: Route, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    schema = route.query.model_json_schema(ref_template=_TEMPLATE)
    schemas.update(schema.pop("$defs", {}))
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _not_null(field)}
        for name, field in schema.get("properties", {}).items()
    ]


def _not_null(field: dict[str, Any]) -> dict[str, Any]:
    """The schema of a parameter, which is left out rather than null."""
    options = [option for option in field.get("anyOf", []) if option != {"type": "null"}]
    return options[0] if len(options) == 1 else field


def _content(route: Route, schemas: dict[str, Any]) -> dict[str, Any]:
    if route.path.endswith("/subscribe"):
        return {"text/event-stream": {"schema": {"type": "string"}}}
    if route.result is None:
        return {"application/json": {"schema": {"type": "object"}}}
    envelope = {
        "type": "object",
        "properties": {
            "success": {"type": "boolean", "enum": [True]},
            "errors": _MESSAGES,
            "messages": _MESSAGES,
            "result": _schema(route.result, schemas),
            "result_info": {"type": "object"},
        },
        "required": ["success", "errors", "messages", "result"],
    }
    return {"application/json": {"schema": envelope}}


def _schema(type_: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        schema = type_.model_json_schema(ref_template=_TEMPLATE)
    else:
        schema = TypeAdapter(type_).json_schema(ref_template=_TEMPLATE)
    schemas.update(schema.pop("$defs", {}))
    return schema
