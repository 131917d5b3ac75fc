"""Async tests and fixtures that use the kit run in whatever mode of pytest-asyncio. PYTEST_DONT_REWRITE

In its strict mode, the default, pytest-asyncio leaves alone what is not marked, and pytest then says that it does not
support async functions. What asks for the kit is marked here. What is marked for another library stays as it is.
"""

import inspect
from collections.abc import Generator
from types import ModuleType
from typing import Any

import pytest
import pytest_asyncio

WORLD = "cfworkflows_world"
_KIT = ("cfworkflows.testing", "cfworkflows_emulator.testing")
_OTHERS = ("asyncio", "anyio", "trio", "twisted", "tornado")


class Coroutines:
    """Marks the async tests that use a fixture of the kit, or whose module imports from it."""

    @pytest.hookimpl(wrapper=True, trylast=True)  # the innermost: pytest-asyncio looks at the marks when this is done
    def pytest_pycollect_makeitem(self) -> Generator[None, Any, Any]:
        made = yield
        for item in made if isinstance(made, list) else [made]:
            if isinstance(item, pytest.Function):
                _take(item)
        return made

    @pytest.hookimpl(tryfirst=True)
    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        _take(metafunc.definition)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[Any], request: pytest.FixtureRequest
    ) -> Generator[None, Any, Any]:
        """An async fixture of a test that uses the kit's."""
        function = inspect.unwrap(getattr(fixturedef.func, "__func__", fixturedef.func))
        if (
            (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function))
            and WORLD in request.fixturenames
            and "anyio_backend" not in request.fixturenames
            and not any(request.node.get_closest_marker(name) for name in _OTHERS if name != "asyncio")
        ):
            pytest_asyncio.fixture(function)  # it marks the function, and what it gives is not needed
        return (yield)


def _take(item: pytest.Function) -> None:
    if not _is_async(item.obj) or any(item.get_closest_marker(name) is not None for name in _OTHERS):
        return
    if "anyio_backend" in item.fixturenames:
        return
    if WORLD in item.fixturenames or _imports_the_kit(item.module):
        item.add_marker("asyncio")


def _is_async(function: Any) -> bool:
    inner = getattr(getattr(function, "hypothesis", None), "inner_test", function)
    return inspect.iscoroutinefunction(inner)


def _imports_the_kit(module: ModuleType) -> bool:
    for value in list(vars(module).values()):
        name = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
        if isinstance(name, str) and name.startswith(_KIT):
            return True
    return False
