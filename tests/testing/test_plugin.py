"""The pytest plugin in processes of its own: fixtures, modes, what it reports and what it refuses."""

import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from kit import ENVIRONMENT, PLUGIN

pytest_plugins = ["pytester"]

WRANGLER = """
name = "shop"
main = "src/entry.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]
vars = { COLOUR = "red" }

[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"

[env.blue]
name = "shop-blue"
vars = { COLOUR = "blue" }

[[env.blue.workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""
ENTRY = """
from cfworkflows import Response, WorkerEntrypoint, WorkflowEntrypoint

calls = []

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        def charge():
            calls.append(1)
            assert event.payload.get("amount") != 13, "unlucky"
            if event.payload.get("amount") == 0:
                raise ValueError("nothing to charge")
            return len(calls)

        charged = await step.do("charge", charge)
        await step.sleep("a week", "7 days")
        return charged

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        order = await self.env.ORDERS.create({"id": "o1", "params": await request.json()})
        return Response.json({"id": order.id, "colour": self.env.COLOUR})
"""
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs tests in a project with the Worker above: `run(source, "--option", mode="strict", ini="…")`."""
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    pytester.mkdir("src")
    (pytester.path / "wrangler.toml").write_text(WRANGLER)
    (pytester.path / "src" / "entry.py").write_text(ENTRY)

    def run(source: str, *options: str, mode: str = "auto", ini: str = "") -> pytest.RunResult:
        loop = "asyncio_default_fixture_loop_scope = function"
        pytester.makeini(f"[pytest]\nasyncio_mode = {mode}\n{loop}\nfilterwarnings = error\n{ini}")
        pytester.makepyfile(test_it=f"import asyncio\nimport pytest\n{source}")
        return pytester.runpytest_subprocess(*PLUGIN, "-p", "no:schemathesis", "-p", "no:hypothesispytest", *options)

    return run


@pytest.mark.parametrize(("mode", "options"), [("strict", ()), ("auto", ("-n", "2"))], ids=["strict", "xdist"])
def test_every_test_has_a_world_of_its_own(run: Run, mode: str, options: tuple[str, ...]) -> None:
    """Instances, the time, and the modules of the Worker begin anew: in both modes, under xdist, in any order."""
    result = run(
        """
pytestmark = pytest.mark.asyncio

@pytest.mark.parametrize("turn", range(4))
async def test_order(env, clock, worker, turn):
    assert 1_767_225_600_000 == clock.now()
    answer = await (await worker.fetch("/", method="POST", json={"amount": 5})).json()
    assert {"id": "o1", "colour": "red"} == answer
    assert 1 == await (await env.ORDERS.get("o1")).result()
    assert 7 * 86_400_000 == clock.now() - 1_767_225_600_000
""",
        *options,
        mode=mode,
    )
    result.assert_outcomes(passed=4)


def test_settings_of_the_ini_file_and_the_marker(run: Run) -> None:
    """The nearest counts: of the configuration, its environment, the start, and what may be left."""
    result = run(
        """
from datetime import datetime

async def test_ini(env):
    assert "blue" == env.COLOUR
    await env.ORDERS.create()

@pytest.mark.cfworkflows(environment="", unfinished="allow", start=datetime(2026, 2, 1))
async def test_marker(env, clock):
    assert "red" == env.COLOUR
    assert "2026-02-01T00:00:00+00:00" == clock.datetime.isoformat()
    await env.ORDERS.create()

@pytest.mark.cfworkflows(config="nowhere.toml")
async def test_no_config(env):
    pass
""",
        ini="cfworkflows_config = wrangler.toml\ncfworkflows_environment = blue\ncfworkflows_unfinished = error\n",
    )
    result.assert_outcomes(passed=2, errors=2)
    result.stdout.fnmatch_lines(["The test left behind:", '- orders/* (step "a week-1", src/entry.py:16) until 2026-*'])
    result.stdout.fnmatch_lines(["*Could not read file: *nowhere.toml"])


def test_failing_test_tells_the_story_of_its_instances(run: Run) -> None:
    """In a section of the report, with the virtual times; a passing test prints nothing."""
    result = run(
        """
async def test_fails(env):
    order = await env.ORDERS.create(id="a1", params={"amount": 0})
    await order.result()

async def test_passes(env):
    await env.ORDERS.create(id="b1")
""",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "*cfworkflows: orders/a1 (errored)*",
            "2026-01-01 00:00  created by binding with {'amount': 0}",
            '             +0s  step "charge-1" (src/entry.py:15)',
            '             +0s    attempt 1 of "charge-1" failed: ValueError: nothing to charge (src/entry.py:12); *10s',
            '            +10s    attempt 2 of "charge-1"',
            "*errored: ValueError: nothing to charge*",
        ],
    )
    assert "orders/b1" not in result.stdout.str()


FAILING = """
async def test_of_a_step(env):
    await (await env.ORDERS.create(id="a1", params={"amount": 0})).result()

async def test_of_the_worker(worker):
    await worker.fetch("/", method="POST", body="no json")

async def test_of_the_call(env):
    await env.ORDERS.create(id="no id")

async def test_of_a_cause(env):
    try:
        await env.ORDERS.get("nobody")
    except Exception as error:
        raise ExceptionGroup("all", [error]) from error
"""


def test_failure_shows_no_frames_of_ours(run: Run) -> None:
    """In the traceback, in causes and groups, and in what was logged, which comes after the story."""
    result = run(FAILING)
    result.assert_outcomes(failed=4)
    told = result.stdout.str()
    assert "" == "\n".join(line for line in told.splitlines() if re.search(r"cfworkflows\w*/\w+.*\.py", line))
    result.stdout.fnmatch_lines(["*cfworkflows: orders/a1 (errored)*", "*Captured log call*", "*ERROR*a1 errored*"])


def test_full_trace_shows_all_frames(run: Run) -> None:
    """For those who look for a fault of ours."""
    result = run(FAILING, "--full-trace", "-k", "of_the_call")
    result.stdout.fnmatch_lines(["*cfworkflows_bindings/workflow/binding.py:*"])


def test_timeline_of_tests_that_pass(run: Run) -> None:
    """Printed if it is asked for."""
    source = "async def test_passes(env):\n    await (await env.ORDERS.create(id='a1', params={'amount': 5})).result()"
    result = run(source, "--cfwf-timeline")
    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["*test_passes*", "*cfworkflows: orders/a1 (complete)*", "*complete: 1"])
    assert "cfworkflows: orders" not in run(source).stdout.str()


def test_test_that_polls_on_the_machines_time_is_ended(run: Run) -> None:
    """With the report, at its line, as a failure of the test; also in a sync test with a loop of its own."""
    result = run(
        """
async def test_polls(env):
    await env.ORDERS.create(id="a1", params={"amount": 5})
    while True:
        await asyncio.sleep(0.01)

def test_other_loop(env):
    asyncio.run(env.ORDERS.create())
""",
        ini="cfworkflows_patience = 0.5",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(
        [
            "E*StalledError: For 0.5 seconds nothing went on but the test itself.",
            'E *orders/a1 sleeps (step "a week-1", src/entry.py:16) until 2026-01-08 00:00',
            "test_it.py:7: StalledError",
            "E*RuntimeError: env, worker and clock belong to the event loop of the test's fixtures*",
        ]
    )


def test_assertion_in_the_worker_fails_a_test_that_does_not_look(run: Run) -> None:
    """The test fails with the assertion's own line, whatever it met itself; without retries, and as a failure."""
    result = run(
        """
async def test_quiet(env, clock):
    await env.ORDERS.create(id="a1", params={"amount": 13})
    while clock.held:
        await asyncio.sleep(0)

async def test_consequence(env, clock):
    order = await env.ORDERS.create(id="a1", params={"amount": 13})
    while clock.held:
        await asyncio.sleep(0)
    assert "complete" == (await order.status()).status
""",
    )
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines(["E*AssertionError: unlucky", "*stopped by AssertionError: unlucky*"])
    assert "assert 'complete'" not in result.stdout.str()


def test_leaks_are_errors_at_teardown_with_names(run: Run) -> None:
    """Of a test that passed; a failing one has enough to tell."""
    result = run(
        """
kept = []

async def test_leaves(env, tmp_path):
    kept.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))
    kept.append((tmp_path / "left.txt").open("w"))

async def test_fails(env):
    kept.append(asyncio.create_task(asyncio.Event().wait(), name="unseen"))
    assert False

@pytest.mark.cfworkflows(leaks="allow")
async def test_may(env):
    kept.append(asyncio.create_task(asyncio.Event().wait(), name="allowed"))
""",
        "-W",
        "ignore",
    )
    result.assert_outcomes(passed=2, failed=1, errors=1)
    result.stdout.fnmatch_lines(["- the task forgotten: Event.wait*", "- the open file */left.txt"])
    assert "unseen" not in "".join(line for line in result.outlines if line.startswith("- the task"))


@pytest.mark.parametrize("how", ["ini", "option"])
def test_switched_off(run: Run, how: str) -> None:
    """There are no fixtures, and the checks are not done."""
    off = {"ini": ((), "cfworkflows = off"), "option": (("-p", "no:cfworkflows"), "")}
    options, ini = off[how]
    if how == "option" and PLUGIN:
        pytest.skip("the plugin is named, so it cannot be switched off by the name of its entry point")
    result = run("def test_it(env): pass", *options, ini=ini)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*fixture 'env' not found"])


@pytest.mark.parametrize(
    ("source", "ini", "told"),
    [
        ("def test_it(): pass", "cfworkflows = perhaps", "*cfworkflows is on or off, not 'perhaps'."),
        ("def test_it(): pass", "cfworkflows_patience = long", "*is a number of seconds, not 'long'."),
        (
            "@pytest.mark.cfworkflows(colour=1)\ndef test_it(): pass",
            "",
            "*::test_it: the marker cfworkflows takes config*",
        ),
        ("@pytest.mark.cfworkflows(start=1)\ndef test_it(): pass", "", "*cfworkflows is a datetime, not 1."),
    ],
    ids=["ini", "number", "marker", "start"],
)
def test_wrong_settings_are_refused(run: Run, source: str, ini: str, told: str) -> None:
    """Before anything runs, with what there is."""
    result = run(source, ini=ini)
    assert pytest.ExitCode.USAGE_ERROR == result.ret
    result.stderr.fnmatch_lines([told])


def test_plugin_costs_nothing_until_it_is_used() -> None:
    """Importing it, and the door of the kit, loads neither the engine nor its packages."""
    script = (
        "import sys, cfworkflows_emulator.testing.plugin, cfworkflows.testing\n"
        "heavy = {'aiohttp', 'pydantic', 'aiosqlite', 'tomlkit', 'cfworkflows_emulator.engine', 'asyncio'}\n"
        "before = set(sys.modules)\n"
        "print('loaded:', *sorted(heavy & before - {'asyncio'}))"
    )
    done = subprocess.run([sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, text=True, check=True)
    assert "loaded:" == done.stdout.strip()
