"""What the interpreter knows of KV namespaces."""

from typing import Any

BINDINGS = ("KV", "KV2", "KV_SAME")

OPTIONS = {"get": 1, "getWithMetadata": 1, "put": 2, "list": 0}
"""Where each method takes its options."""

SHORT = {"get": "type", "getWithMetadata": "type"}
"""The option that may be given alone, by its value."""


def is_map(method: str, arguments: list[Any]) -> bool:
    """Whether the result is a Map: it is one if the keys are many."""
    return method in ("get", "getWithMetadata") and bool(arguments) and isinstance(arguments[0], list)
