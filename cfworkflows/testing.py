"""The test kit: `from cfworkflows.testing import FakeEnv`. It is part of the emulator, and imported on first use.

With pytest there is nothing to import: the fixtures `env`, `worker` and `clock` are there by themselves.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cfworkflows_emulator.testing import *  # noqa: F403 - its names are listed there


def __dir__() -> list[str]:
    from cfworkflows_emulator import testing

    return dir(testing)


if not TYPE_CHECKING:  # a type checker would accept any name

    def __getattr__(name: str) -> Any:
        if name == "__all__":
            return __dir__()
        if name.startswith("_") or name not in __dir__():
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from cfworkflows_emulator import testing

        return getattr(testing, name)
