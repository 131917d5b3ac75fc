import asyncio
import dataclasses
import json
import logging

import pytest

from cfworkflows import Request
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.config import ConfigError
from cfworkflows_emulator.runtime import Project, WorkerLoadError
from cfworkflows_emulator.storage import StateError

WORKFLOW = """
[[workflows]]
name = "order"
binding = "ORDERS"
class_name = "Order"
"""


async def text(project, url="http://localhost/"):
    return await (await project.worker.fetch(Request(url))).text()


async def finished(instance):
    """The status of an instance once it has ended."""
    async with asyncio.timeout(5):
        while (status := await instance.status())["status"] not in ("complete", "errored"):  # noqa: ASYNC110
            await asyncio.sleep(0)
    return status


async def test_default_answers(write):
    """Each request gets an object of its own, with env and ctx."""
    config = write(
        """
        class Default(WorkerEntrypoint):
            count = 0
            async def fetch(self, request):
                self.count += 1
                return Response(f"{request.url} {self.env.GREETING} {self.count} {self.ctx.props}")
        """,
        '[vars]\nGREETING = "hi"\n',
    )
    async with Project.open(config) as project:
        assert ["http://localhost/ hi 1 {}"] * 2 == [await text(project), await text(project)]


async def test_variables_that_are_objects(write):
    """They read with dots and as dicts, however deep, as objects are read everywhere."""
    config = write(
        """
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                env = self.env
                return Response.json([env.O.a, env.O["a"], env.O.deep[0].b, [*env.O.deep], env.LIST])
        """,
        '[vars]\nO = { a = 1, deep = [{ b = 2 }] }\nLIST = [1, "x"]\n',
    )
    async with Project.open(config) as project:
        assert [1, 1, 2, [{"b": 2}], [1, "x"]] == json.loads(await text(project))


@pytest.mark.parametrize(
    "source",
    [
        "class Default(WorkerEntrypoint):\n    async def fetch(self): return Response('ok')\n",
        "class Default(WorkerEntrypoint):\n    def fetch(self, request): return Response('ok')\n",
        "class Default(WorkerEntrypoint):\n    async def fetch(self, request, e=0, c=0): return Response('ok')\n",
        "class Default(WorkerEntrypoint):\n    async def fetch(self, *given): return Response('ok'[: len(given)])\n",
        "class Default(WorkerEntrypoint):\n    @staticmethod\n    async def fetch(request): return Response('ok')\n",
        "def on_fetch(): return Response('ok')\n",
        "async def on_fetch(request): return Response('ok')\n",
        "async def on_fetch(request, env, ctx): return Response('ok' if ctx.wait_until and request.url else '')\n",
    ],
)
async def test_handlers_take_what_they_have_parameters_for(write, source):
    """Surplus arguments are dropped, and a handler may be sync or async, a method or a function."""
    async with Project.open(write(source)) as project:
        assert "ok" == await text(project)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("None", r"Default\.fetch \(.*entry\.py:4\) returned None\. Return a Response on every path"),
        ("{'a': 1}", r"returned a dict: \{'a': 1\}\. Return a Response: `return Response\.json\(\.\.\.\)`"),
        ("'text'", r"returned a str: 'text'\. Return a Response: `return Response\(\.\.\.\)`"),
        ("object", r"returned a type: .*\. Return a Response, for example"),
        ("'x' * 500", r"returned a str: 'x{76}\.\.\.\. Return"),
        ("Response.error()", "must not be an error response"),
    ],
)
async def test_a_handler_that_returns_no_response_is_told_so(write, expression, message):
    """The TypeError names the handler, its line, what it returned, and what to do."""
    config = write(
        f"class Default(WorkerEntrypoint):\n    async def fetch(self, request):\n        return {expression}\n"
    )
    async with Project.open(config) as project:
        with pytest.raises(TypeError, match=message):
            await project.worker.fetch(Request("http://localhost/"))


@pytest.mark.parametrize(
    "source", ["", "class Default(WorkerEntrypoint): pass\n", "class Other(WorkerEntrypoint): pass"]
)
async def test_without_a_handler_a_request_fails(write, source):
    """A Worker without fetch says so in the platform's words."""
    async with Project.open(write(source)) as project:
        with pytest.raises(RuntimeError, match=r"^Handler does not export a fetch\(\) function\."):
            await project.worker.fetch(Request("http://localhost/"))


async def test_module_level_env_is_there_from_the_import_on(write):
    """The module-level env works while the module is imported, in a handler, in a run and in the callbacks of steps."""
    config = write(
        """
        AT_IMPORT = env.GREETING
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                inner = await step.do("async", lambda: env.GREETING)
                def blocking():
                    return env.GREETING
                return [env.GREETING, inner, await step.do("thread", blocking), self.env.GREETING]
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response(AT_IMPORT + env.GREETING)
        """,
        '[vars]\nGREETING = "hi"\n' + WORKFLOW,
    )
    async with Project.open(config) as project:
        assert "hihi" == await text(project)
        instance = await project.env.ORDERS.create()
        assert ["hi"] * 4 == (await finished(instance))["output"]


async def test_a_workflow_runs_on_the_clock_it_is_given(write):
    """Time is the clock's: a sleep of a day is over when the clock was moved on by a day."""
    config = write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                await step.sleep("a day", "1 day")
                return "done"
        """,
        WORKFLOW,
    )
    clock = VirtualClock()
    async with Project.open(config, clock=clock) as project:
        instance = await project.env.ORDERS.create({"id": "one"})
        await clock.advance("23 hours")
        assert "waiting" == (await instance.status())["status"]
        await clock.advance("2 hours")
        expected = {"status": "complete", "output": "done", "error": None, "rollback": None}
        assert expected == await finished(instance)


async def test_steps_can_be_made_tasks(write):
    """create_task and TaskGroup take the future of a step, as every asyncio user expects."""
    config = write(
        """
        import asyncio
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                first = asyncio.create_task(step.do("a", lambda: 1))
                async with asyncio.TaskGroup() as group:
                    others = [group.create_task(step.do(name, lambda name=name: name)) for name in "bc"]
                return [await first, *(other.result() for other in others)]
        """,
        WORKFLOW,
    )
    async with Project.open(config) as project:
        assert [1, "b", "c"] == (await finished(await project.env.ORDERS.create()))["output"]


async def test_payloads_are_checked_against_the_type_of_the_workflow(write):
    """The second type argument of the class is what params are validated as."""
    config = write(
        """
        from dataclasses import dataclass
        @dataclass
        class Params:
            amount: int
        class Order(WorkflowEntrypoint[dict, Params]):
            async def run(self, event, step):
                return event.payload.amount + 1
        """,
        WORKFLOW,
    )
    async with Project.open(config) as project:
        assert 3 == (await finished(await project.env.ORDERS.create(params={"amount": 2})))["output"]
        with pytest.raises(ValueError, match="amount"):
            await project.env.ORDERS.create(params={"amount": "many"})


async def test_the_limit_of_steps_is_the_configured_one(write):
    """limits.steps of the configuration is what the engine counts to."""
    config = write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                for number in range(3):
                    await step.do(str(number), lambda: 1)
        """,
        WORKFLOW + "limits.steps = 2\n",
    )
    async with Project.open(config) as project:
        status = await finished(await project.env.ORDERS.create())
    assert "The limit of 2 steps has been reached" in status["error"]["message"]


async def test_instances_go_on_in_the_next_process(write, tmp_path):
    """With a state folder an instance outlives the project, and is taken up when it is opened again."""
    config = write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                first = await step.do("first", lambda: "kept")
                await step.sleep("an hour", "1 hour")
                return first
        """,
        WORKFLOW,
    )
    state = tmp_path / "state"
    clock = VirtualClock()
    async with Project.open(config, clock=clock, state=state) as project:
        await project.env.ORDERS.create({"id": "one"})
        await clock.settle()
    clock = VirtualClock()
    async with Project.open(config, clock=clock, state=state) as project:
        await clock.advance("61 minutes")
        assert "kept" == (await finished(await project.env.ORDERS.get("one")))["output"]


async def test_wait_until_goes_on_after_the_response(write):
    """What a handler hands over ends later, and close waits for it."""
    config = write(
        """
        import asyncio
        ended, release = [], asyncio.Event()
        async def later(name):
            await release.wait()
            ended.append(name)
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                self.ctx.waitUntil(later("ctx"))
                wait_until(asyncio.ensure_future(later("module")))
                wait_until(asyncio.gather(later("gathered")))
                self.env.ENDED, self.env.RELEASE = ended, release
                return Response("answered")
        """
    )
    async with Project.open(config) as project:
        assert "answered" == await text(project)
        assert [] == project.env.ENDED
        project.env.RELEASE.set()
        assert [] == await project.close(grace_s=60)
        assert ["ctx", "gathered", "module"] == sorted(project.env.ENDED)


async def test_what_does_not_end_is_cut_off_and_named(write):
    """close gives what it did not wait for, and closing twice is once."""
    config = write(
        """
        import asyncio
        async def forever():
            await asyncio.Event().wait()
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                self.ctx.wait_until(forever())
                return Response()
        """
    )
    async with Project.open(config) as project:
        await text(project)
        assert ["wait_until(forever)"] == await project.close(grace_s=0)
        assert [] == await project.close(grace_s=0)


async def test_errors_in_wait_until_are_logged(write, caplog):
    """An error that nobody awaits is logged with its traceback; what cannot be awaited is refused."""
    config = write(
        """
        async def fails():
            raise ValueError("later")
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                self.ctx.wait_until(fails())
                try:
                    self.ctx.wait_until(5)
                except TypeError as error:
                    return Response(str(error))
        """
    )
    with caplog.at_level(logging.ERROR, "cfworkflows.worker"):
        async with Project.open(config) as project:
            assert "wait_until takes a coroutine or another awaitable, not 5." == await text(project)
            await project.close(grace_s=60)
    assert ["Uncaught error in wait_until"] == [record.getMessage() for record in caplog.records]
    assert "later" == str(caplog.records[0].exc_info[1])


async def test_bindings_that_are_not_there_yet_say_so(write):
    """A binding of a kind that is not supported raises when it is used, with its kind; hasattr tells too."""
    config = write(
        config="""
        [[vectorize]]
        binding = "INDEX"
        index_name = "x"
        [[workflows]]
        name = "invoice"
        binding = "INVOICES"
        class_name = "Invoice"
        script_name = "billing"
        """
    )
    async with Project.open(config) as project:
        with pytest.raises(AttributeError, match=r"env\.INDEX is a binding of the kind Vectorize Index"):
            getattr(project.env, "INDEX")  # noqa: B009 - the access is what fails
        with pytest.raises(AttributeError, match=r'Workflow "invoice" of Worker "billing", which is not part of this'):
            getattr(project.env, "INVOICES")  # noqa: B009
        assert not hasattr(project.env, "INDEX")
        assert {} == project.engine.definitions


async def test_workflow_classes_must_be_there(write):
    """A class that is configured and missing is reported with its place in the configuration."""
    config = write("class Orders(WorkflowEntrypoint): pass\n", WORKFLOW)
    with pytest.raises(ConfigError, match=r"class Order .*wrangler\.toml:8:14.* is not in src/entry\.py.*Orders"):
        async with Project.open(config):
            pass


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("class Order: pass\n", r"write `class Order\(WorkflowEntrypoint\)`"),
        ("__all__ = []\nclass Order(WorkflowEntrypoint): pass\n", r'add "Order" to __all__'),
    ],
)
async def test_a_class_that_is_no_workflow_is_explained(write, source, hint):
    """A class of the right name that cannot be the Workflow gets a hint of its own."""
    with pytest.raises(ConfigError, match=hint):
        async with Project.open(write(source, WORKFLOW)):
            pass


async def test_two_default_entrypoints_do_not_load(write):
    """The error of the exports is a WorkerLoadError that tells the file."""
    config = write("class Default(WorkerEntrypoint): pass\ndef on_fetch(): pass\n")
    with pytest.raises(WorkerLoadError, match=r"entry\.py: TypeError: Cannot define multiple default entrypoints"):
        async with Project.open(config):
            pass


async def test_a_project_that_does_not_load_leaves_its_state_folder(write, tmp_path):
    """After a failed start the folder is free, so that the next start can take it."""
    state = tmp_path / "state"
    with pytest.raises(WorkerLoadError):
        async with Project.open(write("1 / 0\n"), state=state):
            pass
    async with Project.open(write(""), state=state):
        with pytest.raises(StateError, match="in use"):
            async with Project.open(write("", config=""), state=state):
                pass


async def test_what_has_no_effect_is_told(write):
    """Keys and handlers that are accepted and not acted on are named, and only those."""
    config = write(
        """
        class Order(WorkflowEntrypoint): pass
        class Admin(WorkerEntrypoint): pass
        class Default(WorkerEntrypoint):
            async def fetch(self, request): return Response()
            async def scheduled(self, controller): pass
            async def queue(self, batch): pass
        """,
        WORKFLOW
        + """
        schedules = ["0 6 * * *"]
        concurrency.limit = 3
        jurisdiction = "eu"
        limits.steps = 5
        default_retention.error_retention = "1 day"
        """.replace("        ", ""),
    )
    async with Project.open(config) as project:
        told = project.notices
    expected = ["Default.queue"]
    assert len(expected) == len(told)
    assert all(name in text for name, text in zip(expected, told, strict=True))


@pytest.mark.parametrize(("date", "told"), [("2025-08-13", False), ("2026-11-01", True)])
async def test_module_level_handlers_are_told_to_be_of_the_past(write, date, told):
    """on_fetch works whatever the date, with a notice from the date on at which Cloudflare stopped calling it."""
    config = write("def on_fetch(): return Response('ok')\ndef on_queue(): pass\n")
    config = dataclasses.replace(config, config=dataclasses.replace(config.config, compatibility_date=date))
    async with Project.open(config) as project:
        assert "ok" == await text(project)
        assert told == any(notice.startswith("on_fetch answers requests here") for notice in project.notices)
        assert any(notice.startswith("on_queue is never called") for notice in project.notices)


async def test_a_configured_schedule_creates_instances(write):
    """The configuration is all it takes."""
    config = write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                return event.schedule.cron
        """,
        WORKFLOW + 'schedules = "0 6 * * *"\n',
    )
    clock = VirtualClock()
    async with Project.open(config, clock=clock) as project:
        await clock.advance("2 days")
        (workflow,) = project.engine.definitions
        rows = await project.engine.list(workflow)
    assert ["complete"] * 2 == [row.status for row in rows]
    assert all(row.id.startswith("0 6 * * *-") for row in rows)


async def test_the_default_retention_is_seven_days(write):
    """Of the instances of a Workflow that sets none, however they end."""
    config = write("class Order(WorkflowEntrypoint): pass", WORKFLOW)
    async with Project.open(config) as project:
        definition = project.engine.definitions["order"]
    week = 7 * 86_400_000
    assert (week, week) == (definition.success_retention_ms, definition.error_retention_ms)
