"""What the kit's history hides."""

from typing import Any

from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv


class Secretive(WorkflowEntrypoint):
    async def run(self, event: Any, step: Any) -> str:
        await step.do("token", {"sensitive": "output"}, lambda: "hunter2")
        await step.do("plain", lambda: "seen")
        return "done"


async def test_the_history_hides_what_is_sensitive() -> None:
    """The result of a sensitive step is nowhere in the records of an instance, and those of others are."""
    async with FakeEnv(W=Secretive) as env:
        instance = await env.W.create()
        await instance.result()
        history = await instance.history()
    values = {entry.step: entry.value for entry in history if entry.type == "step_completed"}
    assert {"token": "[REDACTED]", "plain": "seen"} == values
    assert "hunter2" not in repr(history)
