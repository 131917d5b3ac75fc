"""Several Workers in one project: each with its own modules and variables, all with one engine."""

import asyncio
import sys
from pathlib import Path
from textwrap import dedent

import pytest

from cfworkflows import Request
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.config import ConfigError
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.runtime import Project, WorkerLoadError

PRELUDE = "from cfworkflows import *\nfrom cfworkflows import env\n"
SHOP = """
import helpers
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        return Response(f"{helpers.WHO} {env.WHO}")
"""
INVOICE = """
[[workflows]]
name = "invoice"
binding = "INVOICES"
class_name = "Invoice"
"""
SERVICE = """
[[services]]
binding = "BILLING"
service = "billing"
"""


@pytest.fixture
def write(tmp_path: Path):
    """Write a Worker, with further files by path; gives its configuration. Each has a `helpers.WHO` and `env.WHO`."""

    def write(name, source, config="", **files):
        folder = tmp_path / name / "src"
        folder.mkdir(parents=True)
        (folder / "entry.py").write_text(PRELUDE + dedent(source))
        (folder / "helpers.py").write_text(f'WHO = "helpers of {name}"\n')
        for path, text in files.items():
            file = folder / f"{path.replace('__', '/')}.py"
            file.parent.mkdir(exist_ok=True)
            file.write_text(dedent(text))
        head = f'name = "{name}"\nmain = "src/entry.py"\ncompatibility_date = "2026-11-01"\n[vars]\nWHO = "{name}"\n'
        (tmp_path / name / "wrangler.toml").write_text(head + config)
        return load_config(tmp_path / name / "wrangler.toml", cwd=tmp_path, process_env={})

    return write


async def text(project, path="/"):
    return await (await project.worker.fetch(Request(f"http://localhost{path}"))).text()


async def test_modules_of_the_same_names_are_kept_apart(write):
    """However they are imported, also while a handler runs; afterwards all are forgotten."""
    before = set(sys.modules)
    shop = write("shop", SHOP)
    billing = write(
        "billing",
        """
        import json, email.message
        import helpers, pkg.middle
        import pkg.middle as middle
        from pkg import inner, inner as again
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                from helpers import WHO
                import entry
                same = entry.Default is type(self)
                return Response.json([helpers.WHO, WHO, pkg.middle.X, middle.X, inner.X, again.X, same, json.dumps(1)])
        """,
        pkg__middle="from . import inner\nfrom .inner import X\n",
        pkg__inner="import helpers\nX = helpers.WHO\n",
    )
    async with Project.open(shop, billing) as project:
        assert "helpers of shop shop" == await text(project)
        answer = await project.workers["billing"].fetch(Request("http://localhost/"))
        assert ["helpers of billing"] * 6 + [True, "1"] == await answer.json()
    assert set() == {
        name for name in set(sys.modules) - before if "entry" in name or "helpers" in name or "pkg" in name
    }


async def test_what_the_folder_does_not_have_comes_from_elsewhere(write):
    """A module that only the first Worker has is none of the second, and a missing one is called by its own name."""
    shop = write("shop", SHOP, only="X = 1\n")
    billing = write("billing", "import helpers\nimport helpers.inner\n")
    with pytest.raises(WorkerLoadError, match=r"No module named 'helpers\.inner'"):
        async with Project.open(shop, billing):
            pass


async def test_an_error_in_the_code_of_any_worker_is_told(write):
    """With the file, the line, and nothing of ours."""
    with pytest.raises(WorkerLoadError, match=r"billing/src/entry\.py could not be imported") as caught:
        async with Project.open(write("shop", SHOP), write("billing", "from pkg import broken\n", pkg__broken="1 / 0")):
            pass
    assert 'src/pkg/broken.py", line 1' in str(caught.value)
    assert "namespace.py" not in str(caught.value)


async def test_a_workflow_of_another_worker_runs_there(write):
    """With that Worker's code and env; create, get, status and send_event work from the first, classes come back."""
    shop = write("shop", SHOP, INVOICE + 'script_name = "billing"\n')
    billing = write(
        "billing",
        """
        import helpers
        from models import Line
        class Invoice(WorkflowEntrypoint):
            async def run(self, event, step):
                line = await step.do("line", lambda: Line("pen", 2))
                paid = await step.wait_for_event("paid", type="paid")
                return [type(line) is Line, line.what, helpers.WHO, env.WHO, self.env.WHO, event.payload, paid.payload]
        """,
        INVOICE.replace("INVOICES", "OWN"),
        models="from dataclasses import dataclass\n@dataclass\nclass Line:\n    what: str\n    price: 'int'\n",
    )
    clock = VirtualClock()
    async with Project.open(shop, billing, clock=clock) as project:
        instance = await project.env.INVOICES.create(id="i", params={"n": 1})
        await clock.settle()
        assert "waiting" == (await instance.status()).status
        await (await project.env.INVOICES.get("i")).send_event(type="paid", payload="card")
        await clock.settle()
        expected = [True, "pen", "helpers of billing", "billing", "billing", {"n": 1}, "card"]
        assert expected == (await instance.status()).output
        assert "complete" == (await (await project.workers["billing"].env.OWN.get("i")).status()).status
        assert "shop" == env_of(project)


def env_of(project):
    from cfworkflows import env

    return env.WHO


async def test_a_worker_that_is_not_there_is_told_of(write):
    """At the start, and by whoever uses the binding: with what to add."""
    shop = write("shop", SHOP, INVOICE + 'script_name = "billing"\n' + SERVICE)
    async with Project.open(shop) as project:
        assert [True, True] == ["--config <the configuration of billing>" in notice for notice in project.notices]
        assert [True, True] == ["A test sets a stand-in: env." in notice for notice in project.notices]
        with pytest.raises(AttributeError, match=r'"invoice" of Worker "billing", which is not part of this session'):
            getattr(project.env, "INVOICES")  # noqa: B009 - the access is what fails
        assert not hasattr(project.env, "BILLING")


async def test_a_service_answers(write):
    """With its own env and props, in a context of its own: the caller's env stays what it is."""
    shop = write(
        "shop",
        """
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                one = await self.env.BILLING.fetch("https://billing/x", method="POST", body="hello")
                two = await self.env.ADMIN.fetch(Request("https://billing/y"))
                return Response.json([one.status, await one.text(), await two.text(), env.WHO])
        """,
        SERVICE + SERVICE.replace("BILLING", "ADMIN") + 'entrypoint = "Admin"\nprops = { role = "boss" }\n',
    )
    billing = write(
        "billing",
        """
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                return Response(f"{env.WHO} {request.method} {request.url} {await request.text()}", {"status": 201})
        class Admin(WorkerEntrypoint):
            async def fetch(self, request):
                return Response(f"{env.WHO} {self.ctx.props}")
        """,
    )
    async with Project.open(shop, billing) as project:
        answer = await (await project.worker.fetch(Request("http://localhost/"))).json()
    assert [201, "billing POST https://billing/x hello", "billing {'role': 'boss'}", "shop"] == answer


async def test_what_a_service_cannot_do_is_told(write):
    """Its errors arrive; methods are not supported; an entrypoint that is not there is named."""
    shop = write("shop", SHOP, SERVICE + SERVICE.replace("BILLING", "NONE") + 'entrypoint = "Gone"\n')
    billing = write(
        "billing",
        """
        class Default(WorkerEntrypoint):
            async def fetch(self, request): raise ValueError("broken")
        class Admin(WorkerEntrypoint): pass
        """,
    )
    async with Project.open(shop, billing) as project:
        with pytest.raises(ValueError, match="broken"):
            await project.env.BILLING.fetch("https://billing/")
        with pytest.raises(RuntimeError, match="no entrypoint 'Gone'; the named WorkerEntrypoints are: Admin"):
            await project.env.NONE.fetch("https://billing/")
        with pytest.raises(
            AttributeError, match=r"of the Worker billing only `fetch` .* \(RPC\) are not supported yet"
        ):
            await project.env.BILLING.add(1, 2)


async def test_what_runs_in_the_background_of_any_worker_is_waited_for(write):
    """`wait_until` of a service too, before the project is closed."""
    shop = write("shop", SHOP, SERVICE)
    billing = write(
        "billing",
        """
        import asyncio
        done = []
        async def later():
            await asyncio.sleep(0)
            done.append(1)
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                self.ctx.wait_until(later())
                return Response()
        """,
    )
    async with Project.open(shop, billing) as project:
        await project.env.BILLING.fetch("https://billing/")
        done = sys.modules["worker-billing.entry"].done
        assert [] == await project.close(grace_s=5)
        assert [1] == done


async def test_workers_that_do_not_fit_together_are_not_opened(write):
    """Before anything of them is loaded."""
    with pytest.raises(ConfigError, match="Two Workers"):
        async with Project.open(write("shop", SHOP, INVOICE), write("billing", "1 / 0", INVOICE)):
            pass


async def test_notices_say_whose_they_are(write):
    """Each with the name of its Worker, where there are several."""
    queue = "class Default(WorkerEntrypoint):\n    def queue(self, batch): pass\n"
    async with Project.open(write("shop", queue), write("billing", queue)) as project:
        whose = [notice.partition(" Default.queue is never called")[0] for notice in project.notices]
    assert ["Worker shop:", "Worker billing:"] == whose
    await asyncio.sleep(0)
