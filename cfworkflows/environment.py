"""The module-level `env` and `wait_until`, for code that has no `self`: both belong to the handler that is running."""

from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Any

from cfworkflows.entrypoint import ExecutionContext
from cfworkflows.permit import check_permitted

current_env: ContextVar[Any] = ContextVar("cfworkflows_env")
current_context: ContextVar[ExecutionContext] = ContextVar("cfworkflows_context")


class EnvProxy:
    """`from cfworkflows import env`: the bindings of the Worker whose code is running."""

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        try:
            env = current_env.get()
        except LookupError:
            raise AttributeError(f"env.{name}: no Worker is running, so there are no bindings.") from None
        check_permitted(f"env.{name}")
        return getattr(env, name)

    def __dir__(self) -> list[str]:
        return dir(current_env.get(None))

    def __repr__(self) -> str:
        return repr(current_env.get("<env: no Worker is running>"))


env: Any = EnvProxy()


def wait_until(awaitable: Awaitable[Any]) -> None:
    """Let `awaitable` continue after the response of the running handler is sent.

    Raises RuntimeError outside of a handler.
    """
    try:
        context = current_context.get()
    except LookupError:
        raise RuntimeError("wait_until was called while no handler is running.") from None
    context.wait_until(awaitable)


waitUntil = wait_until  # noqa: N816 - the platform's name
