import asyncio
import os
import signal

import psutil
import pytest

from cfworkflows_emulator.supervisor.child import COLLECT_EVERY

MORTAL = """
import os
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        if "exit" in request.url:
            os._exit(7)
        if "fault" in request.url:
            os.kill(os.getpid(), 11)
        return Response(str(os.getpid()))
"""


def runs(process):
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE  # nobody reaps orphans in a container


@pytest.mark.parametrize(("path", "reason"), [("/exit", "ended with exit code 7"), ("/fault", "was ended by SIGSEGV")])
async def test_a_worker_that_dies_is_started_again(write, running, path, reason):
    """The reason is printed, and another process answers."""
    write(MORTAL)
    async with running() as dev:
        first = await dev.get()
        with pytest.raises(OSError, match=r"."):
            await dev.get(path)
        await dev.line(reason)
        second = await dev.get()
        assert (200, 200) == (first[0], second[0])
        assert first[1] != second[1]


async def test_an_endless_loop_in_an_import_is_left_by_the_next_save(write, running):
    """New code that never finishes loading does not keep the one after it from being loaded, nor a signal from work."""
    folder = write(MORTAL)
    async with running() as dev:
        before = set(psutil.Process(dev.process.pid).children())
        (folder / "src/entry.py").write_text("print('loops', flush=True)\nwhile True:\n    pass\n")
        await dev.line("loops")
        write(MORTAL + "# repaired\n")
        await dev.line("Reloaded in ")
        assert 200 == (await dev.get())[0]
        (folder / "src/entry.py").write_text("print('loops again', flush=True)\nwhile True:\n    pass\n")
        await dev.line("loops again")
        assert 0 == await dev.stop()
    assert [] == [process for process in before if runs(process)]


async def test_a_worker_that_always_dies_is_left_alone(write, running):
    """After a few deaths in a row only a change starts the code again; until then the answers tell why."""
    folder = write(MORTAL)
    async with running() as dev:
        (folder / "src/entry.py").write_text("import os\nos._exit(9)\n")
        await dev.line("That was the 5th time in a row")
        await dev.line("Waiting for a change")
        status, text = await dev.get()
        assert 500 == status
        assert "ended with exit code 9" in text
        write(MORTAL)
        await dev.line("Reloaded in ")
        assert 200 == (await dev.get())[0]


async def test_a_worker_that_dies_at_the_first_start_ends_the_command(write, starting):
    """There is nothing to go back to: exit code 1, and why."""
    write("import os\nos._exit(9)\n")
    async with starting("--port", "0") as dev:
        assert 1 == await dev.ended()
    assert (
        "error: The worker process ended with exit code 9: something called os._exit. It died before it served."
        in dev.text
    )


@pytest.mark.parametrize("blocked", [False, True], ids=["idle", "in an endless loop"])
async def test_nothing_outlives_a_supervisor_that_is_killed(write, running, starting, blocked):
    """After kill -9 of the one pid that users know, port and state are free for the next command."""
    write(
        """
        def on_fetch(request):
            print("asked")
            while "loop" in request.url:
                pass
            return Response("")
        """
    )
    async with running() as dev:
        port = dev.url.rpartition(":")[2]
        left = psutil.Process(dev.process.pid).children()
        asking = asyncio.create_task(dev.get("/loop" if blocked else "/"))
        await dev.line("asked")
        dev.signal(signal.SIGKILL)
        await dev.process.wait()
        async with running("--port", port) as again:
            assert 200 == (await again.get())[0]
            assert [] == [process for process in left if runs(process)]
        await asyncio.gather(asking, return_exceptions=True)


async def test_ctrl_c_ends_an_endless_loop(write, running):
    """The signal of a terminal reaches all processes; the command ends in order, and at the second one at once."""
    write("def on_fetch(request):\n    print('asked')\n    while True:\n        pass\n")
    async with running() as dev:
        processes = [psutil.Process(dev.process.pid), *psutil.Process(dev.process.pid).children()]
        asking = asyncio.create_task(dev.get())
        await dev.line("asked")
        for process in processes:
            os.kill(process.pid, signal.SIGINT)
        await dev.line("Shutting down local server...")
        dev.signal(signal.SIGINT)
        assert 130 == await dev.ended()
        assert [] == [process for process in processes[1:] if runs(process)]
        await asyncio.gather(asking, return_exceptions=True)


async def test_speed_makes_a_long_sleep_short(write, running):
    """With --speed an instance that sleeps for a day is complete soon, and its times never go back afterwards."""
    write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a day", "1 day")
                return event.timestamp.timestamp()
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                id = request.url[-1]
                if "create" in request.url:
                    await self.env.ORDERS.create(id=id)
                return Response.json((await (await self.env.ORDERS.get(id)).status()).output)
        """,
        '[[workflows]]\nname = "order"\nbinding = "ORDERS"\nclass_name = "Order"\n',
    )
    async with running("--speed", "1000000") as dev:
        await dev.get("/create/1")
        await dev.line("order/1 complete")
        first = float((await dev.get("/1"))[1])
        await dev.get("/create/2")
        await dev.line("order/2 complete")
        dev.signal(signal.SIGKILL)
        await dev.ended()
    async with running("--speed", "1000000") as dev:
        await dev.get("/create/3")
        await dev.line("order/3 complete")
        assert float((await dev.get("/3"))[1]) > first + 24 * 3600


async def test_a_worker_leaves_what_was_there_before_it_to_itself(write, running):
    """Garbage is looked for among the objects of the worker only, so that the others' memory stays shared."""
    write(
        """
        import gc
        on_fetch = lambda: Response(f"{gc.isenabled()} {gc.get_freeze_count() > 10_000} {gc.get_threshold()[0]}")
        """
    )
    async with running() as dev:
        assert (200, f"True True {COLLECT_EVERY}") == await dev.get()
