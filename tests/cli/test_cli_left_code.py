"""Code that would do something if it were cancelled, in a real process that reloads and stops: it does nothing."""

import pytest

LEFT = """
class Left(WorkflowEntrypoint):
    async def run(self, event, step):
        async def hold():
            while True:
                try:
                    await asyncio.Event().wait()
                except BaseException:
                    Path("effects").touch()

        asyncio.create_task(hold())
        try:
            if event.payload == "callback":
                await step.do("hold", hold)
            while True:
                try:
                    await step.sleep("nap", "1 day")
                except BaseException:
                    Path("effects").touch()
        finally:
            Path("effects").touch()


class Default(WorkerEntrypoint):
    async def fetch(self, request):
        kind = request.url.rpartition("/")[2]
        if kind != "hello":
            await self.env.LEFT.create(id=kind, params=kind)
        return Response(kind)
"""
CONFIG = """
[[workflows]]
name = "left"
binding = "LEFT"
class_name = "Left"
"""


@pytest.mark.parametrize("kind", ["run", "callback"])
async def test_code_does_nothing_at_a_reload_and_a_stop(write, running, tmp_path, kind):
    """Both end in order, and the next worker goes on with the instance."""
    write("from pathlib import Path\n" + LEFT, CONFIG)
    async with running() as dev:
        await dev.get(f"/{kind}")
        with (tmp_path / "src/entry.py").open("a") as source:
            source.write("# saved\n")
        await dev.line("Reloaded")
        assert (200, "hello") == await dev.get("/hello")
        assert 0 == await dev.stop()
    assert "the hard way" not in dev.text
    assert "blocks the event loop" not in dev.text
    assert not (tmp_path / "effects").exists()
