"""The classes that a Worker file defines."""

from typing import Any

import pytest

from cfworkflows import WorkerEntrypoint, WorkflowEntrypoint
from cfworkflows.entrypoint import ExecutionContext
from cfworkflows.generics import type_arguments


class Env:
    pass


def test_a_workflow_may_name_its_environment_only():
    """`WorkflowEntrypoint[Env]` leaves the params untyped, as in TypeScript."""

    class One(WorkflowEntrypoint[Env]):
        pass

    class Two(WorkflowEntrypoint[Env, int]):
        pass

    class Bare(WorkflowEntrypoint):
        pass

    assert (Env, Any) == type_arguments(One, WorkflowEntrypoint)
    assert (Env, int) == type_arguments(Two, WorkflowEntrypoint)
    assert (Any, Any) == type_arguments(Bare, WorkflowEntrypoint)


def test_entrypoints_keep_context_and_environment():
    """As `self.ctx` and `self.env`; the context's `props` are an object unless they are given."""
    context = ExecutionContext(lambda awaitable: None)
    for cls in (WorkerEntrypoint, WorkflowEntrypoint):
        entrypoint = cls(context, "env")
        assert (context, "env") == (entrypoint.ctx, entrypoint.env)
    assert {} == context.props
    assert 5 == ExecutionContext(lambda awaitable: None, 5).props
    assert ExecutionContext.waitUntil is ExecutionContext.wait_until


async def test_a_workflow_without_run_says_so(serve):
    """The instance errors, and the text names the class."""

    class Empty(WorkflowEntrypoint):
        pass

    server = await serve(Empty)
    error = (await server.finish(await server.create())).error
    text = "Empty must define `async def run(self, event, step)`."
    assert ("NotImplementedError", text) == (error.name, error.message)


@pytest.mark.parametrize("value", [None, 0, "text", [1, {"a": None}]])
async def test_run_may_be_a_plain_def(serve, value):
    """What it returns becomes the output."""

    class Plain(WorkflowEntrypoint):
        def run(self, event, step):
            return value

    assert value == await (await serve(Plain)).run()
