"""Golden histories: recorded once, replayed with the code of another day."""

import json
from collections.abc import Callable

import pytest
from kit import ENVIRONMENT, PLUGIN

from cfworkflows.testing import FakeEnv, golden

pytest_plugins = ["pytester"]

ENTRY = """
from cfworkflows import WorkflowEntrypoint

class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        payment = await step.do("charge", lambda: {"n": event.payload.amount})
        await step.sleep("think", "7 days")
        approval = await step.wait_for_event("wait", type="approval")
        await step.do("ship", lambda: event.instance_id)
        return approval.payload
"""
TEST = """
import pytest
import entry
from cfworkflows.testing import FakeEnv, golden

@pytest.mark.parametrize("id", ["a1", None])
async def test_order(id):
    async with FakeEnv(ORDERS=entry.Order) as env:
        order = await env.ORDERS.create({"params": {"amount": 5}, **({} if id is None else {"id": id})})
        await order.send_event(type="approval", payload="Ada")
        await order.result()
        await order.matches_history()
        await golden(order)
"""
HISTORY = "__histories__/test_order_a1_/orders-a1.json"
Run = Callable[..., pytest.RunResult]


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs the test above over the entry, some of its text replaced: `run("--cfwf-record", old="new")`."""
    monkeypatch.setenv("PYTHONPATH", ENVIRONMENT["PYTHONPATH"])
    # Python takes the compiled form of a file of the same size and second for that of its new text.
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    pytester.makeini(
        "[pytest]\nasyncio_mode = auto\nasyncio_default_fixture_loop_scope = function\npythonpath = .\n"
        "filterwarnings = error\n"
    )
    pytester.makepyfile(test_it=TEST)

    def run(*options: str, change: tuple[str, str] = ("", "")) -> pytest.RunResult:
        assert change[0] in ENTRY
        (pytester.path / "entry.py").write_text(ENTRY.replace(*change) if change[0] else ENTRY)
        return pytester.runpytest_subprocess(*PLUGIN, "-p", "no:schemathesis", "-p", "no:hypothesispytest", *options)

    return run


def test_a_missing_history_says_how_to_record_it(run: Run) -> None:
    """The test fails until it was recorded; then it passes, and recording again changes no file."""
    result = run()
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([f"E*no recorded history of orders/a1: *pytest --cfwf-record* once, *{HISTORY}*"])
    run("--cfwf-record").assert_outcomes(passed=2)
    run().assert_outcomes(passed=2)


def test_files_are_readable_and_stable(run: Run, pytester: pytest.Pytester) -> None:
    """Values as JSON, lines relative to the project, made-up ids replaced: the same bytes in each recording."""
    run("--cfwf-record")
    files = {path: path.read_text() for path in sorted(pytester.path.glob("__histories__/*/*.json"))}
    made_up = "orders-00000000-0000-4000-8000-000000000001.json"
    assert [made_up, "orders-a1.json"] == [path.name for path in files]
    history = json.loads((pytester.path / HISTORY).read_text())
    assert {"format": 1, "workflow": "orders"} == {key: history[key] for key in ("format", "workflow")}
    started = next(entry for entry in history["entries"] if entry["type"] == "step_started")
    assert ("charge-1", "entry.py:6") == (started["step"], started["data"]["at"])
    assert {"n": 5} == next(entry for entry in history["entries"] if entry["type"] == "step_completed")["value"]
    assert "00000000-0000-4000-8000-000000000001" in next(text for path, text in files.items() if path.name == made_up)
    run("--cfwf-record").assert_outcomes(passed=2)
    assert files == {path: path.read_text() for path in files}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            ('"ship"', '"send"'),
            'step "ship-1" (ran at entry.py:9) was not called again; step "send-1" at entry.py:9 is new',
        ),
        (
            ('"7 days"', '"8 days"'),
            'the duration of sleep "think-1" (ran at entry.py:7) was 604,800 s, and is 691,200 s',
        ),
        (('type="approval"', 'type="approved"'), 'the event type of wait "wait-1" *was "approval", and is "approved"'),
        (
            ("        approval =", '        await step.do("new", lambda: 1)\n        approval ='),
            'wait "wait-1" (ran at entry.py:8) was not called again; step "new-1" at entry.py:8 is new',
        ),
        (
            ('await step.do("ship", lambda: event.instance_id)', "pass"),
            'step "ship-1" (ran at entry.py:9) was not called again',
        ),
    ],
    ids=["renamed", "duration", "event type", "inserted", "removed"],
)
def test_a_change_that_breaks_running_instances_fails(
    run: Run, pytester: pytest.Pytester, change: tuple[str, str], told: str
) -> None:
    """With the step, its line, what was recorded and what is now."""
    run("--cfwf-record")
    pytester.makepyfile(test_it=TEST.replace("        await order.result()\n", ""))  # the instance does not matter
    result = run(change=change)
    result.assert_outcomes(failed=2)
    result.stdout.fnmatch_lines([f"E*orders/a1: the code changed*{told}*".replace("[", "[[]")])


@pytest.mark.parametrize(
    "change",
    [
        ('lambda: {"n": event.payload.amount}', "lambda: 1 / 0"),
        ("return approval.payload", "return await step.do('thank', lambda: approval.payload)"),
        ("        payment", "\n\n        payment"),
    ],
    ids=["callback", "appended", "moved"],
)
def test_a_change_that_breaks_nothing_passes(run: Run, pytester: pytest.Pytester, change: tuple[str, str]) -> None:
    """Other callbacks, which are not called; steps behind all that was recorded; other lines."""
    run("--cfwf-record")
    pytester.makepyfile(test_it=TEST.replace("        await order.result()\n", ""))
    run(change=change).assert_outcomes(passed=2)


def test_a_file_that_is_no_history(run: Run, pytester: pytest.Pytester) -> None:
    """Damaged, or of another format: what it is, and what to do."""
    run("--cfwf-record")
    (pytester.path / HISTORY).write_text("{")
    run().stdout.fnmatch_lines([f"E*{HISTORY} is no recorded history: *Record it anew*"])
    (pytester.path / HISTORY).write_text('{"format": 2}')
    run().stdout.fnmatch_lines([f"E*{HISTORY} was recorded by another version of cfworkflows (format 2*"])


async def test_outside_of_a_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no place for the file."""
    from cfworkflows import WorkflowEntrypoint
    from cfworkflows_emulator.testing import records

    class Order(WorkflowEntrypoint):
        async def run(self, event, step):
            return 1

    monkeypatch.setattr(records, "_running", [])
    async with FakeEnv(ORDERS=Order) as env:
        order = await env.ORDERS.create(id="a1")
        await order.result()
        for check in (order.matches_history, lambda: golden(order)):
            with pytest.raises(RuntimeError, match="Golden histories belong to a test"):
                await check()
