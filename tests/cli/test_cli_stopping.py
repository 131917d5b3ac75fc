import asyncio
import json
import signal

import pytest
from dev_workers import WORKFLOW, free_port


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_lets_requests_end(write, running, number, tmp_path):
    """A request under way is answered after the signal, and the command ends with 0."""
    write(
        """
        from pathlib import Path
        async def on_fetch(request):
            print("begins")
            while not Path("go").exists():
                await asyncio.sleep(0.01)
            return Response("ended")
        """
    )
    async with running() as dev:
        asking = asyncio.create_task(dev.get())
        await dev.line("begins")
        dev.signal(number)
        await dev.line("Shutting down")
        (tmp_path / "go").touch()
        assert (200, "ended") == await asking
        assert 0 == await dev.ended()
    assert "cut off" not in dev.text


async def test_callbacks_of_steps_may_end_and_are_kept(write, running, tmp_path):
    """A callback that runs at the signal ends, its result is stored, and the next process goes on after it."""
    write(
        """
        import pathlib, time
        FOLDER = pathlib.Path(__file__).parent
        def slow():
            print("runs")
            while not (FOLDER / "go").exists():
                time.sleep(0.005)
            return "result"
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                result = await step.do("slow", slow)
                await step.wait_for_event("go on", type="go")
                return result
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                if "create" in request.url:
                    await self.env.ORDERS.create(id="one")
                if "send" in request.url:
                    await (await self.env.ORDERS.get("one")).send_event(type="go")
                return Response.json(await (await self.env.ORDERS.get("one")).status())
        """,
        WORKFLOW,
    )
    async with running() as dev:
        await dev.get("/create")
        await dev.line("runs")
        dev.signal()
        await dev.line("Shutting down")
        (tmp_path / "src/go").touch()
        assert 0 == await dev.ended()
    assert "cut off" not in dev.text
    async with running() as dev:
        await dev.get("/send")
        await dev.line("order/one complete")
        expected = {"status": "complete", "output": "result", "error": None, "rollback": None}
        assert expected == json.loads((await dev.get())[1])
    assert "runs" not in dev.text


async def test_what_does_not_end_is_named(write, running):
    """Requests and callbacks that do not end in time are cut off by name, and the command still ends with 0."""
    write(
        """
        async def stuck():
            print("stuck")
            await asyncio.Event().wait()
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.do("stuck", stuck)
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                await self.env.ORDERS.create(id="one")
                await asyncio.Event().wait()
        """,
        WORKFLOW,
    )
    async with running() as dev:
        asking = asyncio.create_task(dev.get("/hangs"))
        await dev.line("stuck")
        assert 0 == await dev.stop()
        with pytest.raises(OSError, match=r"."):
            await asking
    assert "warning: GET /hangs was cut off after 5 seconds." in dev.lines
    assert "warning: callback of stuck-1 in order/one was cut off after 5 seconds." in dev.lines


async def test_a_second_signal_ends_at_once(write, running):
    """Whoever does not want to wait presses Ctrl+C again."""
    write("async def on_fetch(request):\n    print('hangs')\n    await asyncio.Event().wait()\n")
    async with running() as dev:
        asking = asyncio.create_task(dev.get())
        await dev.line("hangs")
        dev.signal(signal.SIGINT)
        await dev.line("Shutting down")
        dev.signal(signal.SIGINT)
        assert 130 == await dev.ended()
        with pytest.raises(OSError, match=r"."):
            await asking


async def test_a_blocked_event_loop_is_ended(write, running):
    """A handler that blocks the loop cannot keep the process: one signal is enough, after the grace."""
    write("def on_fetch(request):\n    print('blocks')\n    threading.Event().wait()\n")
    async with running() as dev:
        asking = asyncio.create_task(dev.get())
        await dev.line("blocks")
        assert 0 == await dev.stop()
        with pytest.raises(OSError, match=r"."):
            await asking
    assert "Stopped the hard way: code of the Worker blocks the event loop." in dev.lines


async def test_a_thread_that_blocks_does_not_keep_the_process(write, running):
    """A thread of the Worker's own, or one that it waits for in to_thread, is left behind at the end."""
    write(
        """
        def forever():
            threading.Event().wait()
        def on_fetch(request):
            asyncio.get_running_loop().run_in_executor(None, forever)
            threading.Thread(target=forever).start()
            return Response("started")
        """
    )
    async with running() as dev:
        assert (200, "started") == await dev.get()
        assert 0 == await dev.stop()
    assert "Shutting down local server..." == dev.lines[-1]


async def test_a_closed_output_is_no_error(write, starting):
    """`cfwf dev | head -1` goes on serving."""
    write()
    port = free_port()
    async with starting("--port", str(port)) as dev:
        await dev.ready()
        dev.process._transport.get_pipe_transport(1).close()
        for _ in range(3):
            assert (200, "hello") == await dev.get()
        dev.signal()
        assert 0 == await dev.process.wait()
