"""Async tests and fixtures run without a mode of pytest-asyncio's, in a project that has set nothing."""

import re

import pytest
from kit import ENVIRONMENT, PLUGIN, ROOT
from projects import WRANGLER

pytest_plugins = ["pytester"]

ENTRY = """
from cfworkflows import WorkflowEntrypoint

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep("a week", "7 days")
        return "done"
"""
TESTS = """
import pytest

@pytest.fixture
async def order(env):
    yield await env.ORDERS.create(id="a1")

@pytest.fixture
async def other(env):
    return await env.ORDERS.create(id="a2")

async def test_plain(env):
    assert "done" == await (await env.ORDERS.create()).result()

async def test_fixtures(order, other):
    assert ["done", "done"] == [await order.result(), await other.result()]

class TestOrders:
    @pytest.fixture
    async def third(self, env):
        return await env.ORDERS.create(id="a3")

    @pytest.mark.parametrize("turn", [1, 2])
    async def test_methods(self, third, turn):
        assert "done" == await third.result()

@pytest.mark.asyncio
async def test_marked(env):
    assert "ORDERS" in env

def test_sync(order):
    assert "a1" == order.id
"""
KIT_ONLY = """
from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv

class Quick(WorkflowEntrypoint):
    async def run(self, event, step):
        return 1

async def test_fake():
    async with FakeEnv(QUICK=Quick) as env:
        assert 1 == await (await env.QUICK.create()).result()
"""
ANYIO = """
import pytest

@pytest.fixture
def anyio_backend():
    return "asyncio"

@pytest.mark.anyio
async def test_anyio(env):
    assert "done" == await (await env.ORDERS.create()).result()
"""


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project whose pytest is told nothing but to fail for warnings."""
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    pytester.mkdir("src")
    (pytester.path / "wrangler.toml").write_text(WRANGLER)
    (pytester.path / "src" / "entry.py").write_text(ENTRY)
    return pytester


def _run(project: pytest.Pytester, *options: str) -> pytest.RunResult:
    return project.runpytest_subprocess(
        *PLUGIN, "-p", "no:schemathesis", "-p", "no:hypothesispytest", "-W", "error", "-W", UNSET, *options
    )


UNSET = "ignore:The configuration option:pytest.PytestDeprecationWarning"


@pytest.mark.parametrize(
    "mode", [(), ("--asyncio-mode=strict",), ("--asyncio-mode=auto",)], ids=["none", "strict", "auto"]
)
def test_tests_that_use_the_kit_run_in_every_mode(project: pytest.Pytester, mode: tuple[str, ...]) -> None:
    """Those with its fixtures, also behind async fixtures of their own, and those of modules that import it."""
    project.makepyfile(test_it=TESTS, test_kit=KIT_ONLY)
    _run(project, *mode).assert_outcomes(passed=7)


def test_anyio_runs_what_is_marked_for_it(project: pytest.Pytester) -> None:
    """On asyncio, with the fixtures of the kit; its own tasks are no leaks."""
    pytest.importorskip("anyio")
    project.makepyfile(test_it=ANYIO)
    _run(project).assert_outcomes(passed=1)


def test_what_does_not_use_the_kit_is_left_alone(project: pytest.Pytester) -> None:
    """It fails as it does without the kit, in pytest-asyncio's strict mode."""
    project.makepyfile(test_it="async def test_alone():\n    pass\n")
    result = _run(project)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*async def functions are not natively supported*"])


def test_snippet_of_the_readme_runs_in_an_empty_project(project: pytest.Pytester) -> None:
    """The Worker and the test that the README prints, and no setting."""
    readme = (ROOT / "README.md").read_text()
    snippets = re.findall(r"^```python\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    worker = next(text for text in snippets if "WorkflowEntrypoint" in text)
    test = next(text for text in snippets if "async def test_" in text)
    name = re.search(r"class (\w+)\(WorkflowEntrypoint", worker)
    binding = re.search(r"env\.([A-Z_]+)\.create", test)
    assert name is not None
    assert binding is not None
    text = WRANGLER.replace('"ORDERS"', f'"{binding[1]}"').replace('"Order"', f'"{name[1]}"')
    (project.path / "wrangler.toml").write_text(text)
    (project.path / "src" / "entry.py").write_text(worker)
    project.makepyfile(test_it=test)
    _run(project).assert_outcomes(passed=1)
