"""`restart` from a step that is not there, with options that are refused, and without a step."""

import pytest
from restarted import NOT_FOUND, abc

from cfworkflows import WorkflowError


@pytest.mark.parametrize(
    "step",
    [
        {"name": "zzz"},
        {"name": "b", "count": 2},
        {"name": "b", "count": 0},
        {"name": "b", "count": -1},
        {"name": "b", "count": 1.5},
        {"name": "b", "count": float("nan")},
        {"name": "b", "count": float("inf")},
        {"name": "b", "type": "sleep"},
        {"name": "nap"},
    ],
)
@pytest.mark.parametrize("ended", [True, False])
async def test_a_step_that_never_was(serve, program, step, ended):
    """The platform's error, and the instance goes on as if nothing had been."""

    async def run(step):
        await step.do("b-", program.effect())
        await step.do("b", program.effect())
        await step.sleep("nap", "1 hour")

    server = await serve(run)
    instance = await server.create()
    if ended:
        await server.finish(instance)
    before = await server.journal(instance)
    with pytest.raises(WorkflowError) as caught:
        await instance.restart({"from": step})
    assert (NOT_FOUND.format(step["name"]), "instance.cannot_restart") == (str(caught.value), caught.value.code)
    assert before == await server.journal(instance)
    assert "complete" == (await server.finish(instance)).status


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        (5, TypeError, "restart() takes an object with from, not 5"),
        ({"bogus": 1}, TypeError, "restart() does not know bogus; it takes from"),
        ({"from": "b"}, TypeError, "restart() from takes an object with name, count and type, not 'b'"),
        ({"from": {"name": "a", "nth": 1}}, TypeError, "restart() from does not know nth; it takes name, count"),
        ({"from": {}}, WorkflowError, "(body) restart() from.name must be the name of a step, not None"),
        ({"from": {"name": "a", "count": "1"}}, WorkflowError, "(body) restart() from.count must be a number, 1 for"),
        ({"from": {"name": "a", "count": True}}, WorkflowError, "(body) restart() from.count must be a number, 1 for"),
        ({"from": {"name": "a", "type": "nap"}}, WorkflowError, "(body) restart() from.type must be do, sleep or wait"),
        ({"from": {"name": "a", "type": []}}, WorkflowError, "(body) restart() from.type must be do, sleep or wait"),
    ],
)
async def test_options_that_are_refused(serve, program, options, error, text):
    """The text says which."""
    server = await serve(abc(program))
    instance = await server.create()
    with pytest.raises(error) as caught:
        await instance.restart(options)
    assert str(caught.value).startswith(text)
    assert {1} == set(program.calls.values())


@pytest.mark.parametrize("options", [{}, {"from": None}, None])
async def test_without_a_step_it_restarts_from_the_beginning(serve, program, options):
    """As on the platform."""
    server = await serve(abc(program))
    instance = await server.create()
    await instance.restart(options)
    assert ["a", "b", "c"] == (await server.finish(instance)).output
    assert {2} == set(program.calls.values())


async def test_an_instance_that_is_not_there(serve, program):
    """Is not restarted, and the clock is not held."""
    server = await serve(abc(program))
    with pytest.raises(WorkflowError, match=r"instance\.not_found"):
        await server.engine.restart("run", "i", ("do", "a", 1))
    assert 0 == server.clock._holds
