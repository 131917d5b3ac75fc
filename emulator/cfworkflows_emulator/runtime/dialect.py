"""Dialects: how the classes of a Worker want to be called, and what they return.

An attribute of a base class says the dialect, so that no table of dialects has to be kept, and classes of several
dialects may be in one module. The classes of `cfworkflows` do not have it: they are native.
"""

from collections.abc import Callable
from typing import Any, Literal, Protocol

from cfworkflows.entrypoint import ExecutionContext, WorkerEntrypoint, WorkflowEntrypoint
from cfworkflows.generics import type_arguments
from cfworkflows.http import Request, Response
from cfworkflows_emulator.handlers import Event
from cfworkflows_emulator.runtime.signatures import place, prefix

ATTRIBUTE = "__cfworkflows_dialect__"
"""The attribute of a base class, or of a module-level handler, that holds its dialect."""

Kind = Literal["worker", "workflow"]


class Dialect(Protocol):
    """One way to write a Worker, beside the native one.

    `request` and `response` are the boundary of HTTP, one function each way.
    """

    def kind_of(self, cls: type) -> Kind | None:
        """What a class of this dialect is; None for the bases themselves, and for classes that are never called."""

    def make(self, cls: type, context: ExecutionContext, env: Any) -> Any:
        """A new object of an entrypoint class. That of a Workflow has `run(event, step)`."""

    def params_type(self, cls: type) -> Any:
        """The type that payloads of a Workflow class are checked against, and arrive as; Any for plain data."""

    def arguments(
        self, event: Event, name: str, handler: Callable[..., Any], own: tuple[Any, ...], env: Any, context: Any
    ) -> tuple[Any, ...]:
        """What `handler`, which is there as `name`, is called with: of `own`, env and the context what it is to get.

        Raises TypeError, or lets the call raise it, for a handler that does not take what it has to.
        """

    def request(self, request: Request) -> Any:
        """The request that a fetch handler receives."""

    def response(self, result: Any, handler: Callable[..., Any]) -> Response:
        """What a fetch handler returned, as a Response that can be sent. Raises TypeError if it is none."""


def dialect_of(code: Any) -> Dialect:
    """The dialect that a class, or a module-level handler, is written in."""
    found: Dialect = getattr(code, ATTRIBUTE, NATIVE)
    return found


def kind_of(value: Any) -> Kind | None:
    """What an exported value is to the platform; None if it is nothing to it."""
    return dialect_of(value).kind_of(value) if isinstance(value, type) else None


class Native:
    """`from cfworkflows import …`: nothing has to be converted, and handlers take any prefix of their arguments."""

    def kind_of(self, cls: type) -> Kind | None:
        if issubclass(cls, WorkerEntrypoint):
            return "worker" if cls is not WorkerEntrypoint else None
        return "workflow" if issubclass(cls, WorkflowEntrypoint) and cls is not WorkflowEntrypoint else None

    def make(self, cls: type, context: ExecutionContext, env: Any) -> Any:
        return cls(context, env)

    def params_type(self, cls: type) -> Any:
        return type_arguments(cls, WorkflowEntrypoint)[1]

    def arguments(
        self, event: Event, name: str, handler: Callable[..., Any], own: tuple[Any, ...], env: Any, context: Any
    ) -> tuple[Any, ...]:
        given = (*own, env, context) if event.ambient else own
        return given if event.strict else prefix(event, name, handler, given)

    def request(self, request: Request) -> Any:
        return request

    def response(self, result: Any, handler: Callable[..., Any]) -> Response:
        if isinstance(result, Response):
            if result.type == "error":
                raise TypeError("Return value from serve handler must not be an error response (like Response.error())")
            return result
        raise TypeError(f"{place(handler)} returned {_describe(result)}. {_remedy(result)}")


NATIVE = Native()


def _describe(result: Any) -> str:
    if result is None:
        return "None"
    text = repr(result)
    return f"a {type(result).__name__}: {text if len(text) <= 80 else text[:77] + '...'}"


def _remedy(result: Any) -> str:
    if result is None:
        return 'Return a Response on every path, for example `return Response("hello")`.'
    if isinstance(result, (dict, list)):
        return "Return a Response: `return Response.json(...)` sends it as JSON."
    if isinstance(result, (str, bytes)):
        return "Return a Response: `return Response(...)` sends it as the body."
    return 'Return a Response, for example `return Response("hello")`.'
