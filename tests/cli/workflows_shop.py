"""A shop whose instances wait for something, and `cfwf workflows` in its folder, for tests."""

import json
import os
import subprocess

from devserver import CFWF, clean_environment

from cfworkflows_emulator.cli.workflows.client import instance_path, resolved
from cfworkflows_emulator.cli.workflows.connection import connect
from cfworkflows_emulator.cli.workflows.options import Target

WORKER = """
class Orders(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("charge", lambda: {"who": "Zoë", "amount": 12.5}, rollback=lambda: None)

        async def flaky(ctx):
            if ctx.attempt == 1:
                raise ValueError("no [bold]luck[/bold]")
            return "x" * 3000

        await step.do("flaky", flaky, retries={"limit": 1, "delay": "1 day"}, sensitive="output")
        await step.sleep("nap", "1 day")
        got = await step.wait_for_event("approval", type="approval", timeout="1 day")
        return {"got": got.payload}

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response("shop")
"""
CONFIG = """
[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Orders"
"""


class Shop:
    """Runs `cfwf workflows …` in `folder`, with the times of UTC."""

    def __init__(self, folder):
        self.folder = folder

    def run(self, *arguments, stdin=None, cwd=None, **environment):
        """The finished process; its outputs are text."""
        return subprocess.run(
            [CFWF, "workflows", *arguments],
            cwd=cwd or self.folder,
            env={**clean_environment(), "TZ": "UTC", **environment},
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def out(self, *arguments, **options):
        """What it printed; it did not fail."""
        done = self.run(*arguments, **options)
        assert 0 == done.returncode, done.stderr
        return done.stdout

    def json(self, *arguments, **options):
        return json.loads(self.out(*arguments, "--json", **options))

    def fails(self, *arguments, code=1, **options):
        """The text of the error that it ended with."""
        done = self.run(*arguments, **options)
        assert code == done.returncode, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr

    def timeline(self, id="latest", *options):
        return self.json("instances", "describe", "orders", id, *options)

    def until(self, id, reached):
        """The timeline, once `reached(timeline)`, of a project that is served. In this process, which is quicker."""
        with connect(Target(cwd=self.folder)) as client:
            path = f"{instance_path('orders', resolved(client, 'orders', id))}/timeline"
            while not reached(timeline := client.request("GET", path).result):
                os.sched_yield()
        return timeline

    def until_state(self, id, step, state):
        """Once a step is in a state."""
        return self.until(id, lambda timeline: (step, state) in states(timeline))


def states(timeline):
    return [(step["name"], step["state"]) for step in timeline["steps"]]
