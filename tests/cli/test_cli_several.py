"""`cfwf dev` with several configurations."""

import json
import signal

import pytest
from devserver import PRELUDE

SHOP = """
import helpers
class Default(WorkerEntrypoint):
    async def fetch(self, request):
        instance = await self.env.INVOICES.get("i") if request.url.endswith("/status") else None
        if instance is not None:
            return Response.json((await instance.status()))
        if request.url.endswith("/create"):
            await self.env.INVOICES.create(id="i")
        return Response(helpers.WHO)
"""
BILLING = """
import helpers
class Invoice(WorkflowEntrypoint):
    async def run(self, event, step):
        first = await step.do("first", lambda: helpers.WHO)
        await step.wait_for_event("paid", type="paid")
        return [first, helpers.WHO]
"""
INVOICE = """
[[workflows]]
name = "invoice"
binding = "INVOICES"
class_name = "Invoice"
"""


@pytest.fixture
def workers(tmp_path):
    """Two Workers, `shop` and `billing`, each with a `helpers.WHO`; gives the options that name their files."""
    for name, source, config in (("shop", SHOP, INVOICE + 'script_name = "billing"\n'), ("billing", BILLING, INVOICE)):
        folder = tmp_path / name
        (folder / "src").mkdir(parents=True)
        (folder / "src/entry.py").write_text(PRELUDE + source)
        (folder / "src/helpers.py").write_text(f'WHO = "{name}"\n')
        (folder / "wrangler.toml").write_text(f'name = "{name}"\nmain = "src/entry.py"\n{config}')
    return "--config", "shop/wrangler.toml", "--config", "billing/wrangler.toml"


async def finished(dev):
    """The output of the instance, once it is complete."""
    await dev.line("invoice/i complete")
    return json.loads((await dev.get("/status"))[1])["output"]


async def send(dev):
    import asyncio
    import urllib.request

    url = f"{dev.url}/cdn-cgi/local/explorer/api/workflows/invoice/instances/i/events/paid"
    request = urllib.request.Request(url, data=b"{}", method="POST")
    await asyncio.to_thread(lambda: urllib.request.urlopen(request).close())


async def test_the_first_answers_and_reaches_the_other(workers, running, tmp_path):
    """The tables say what is whose, the lists too; the state is the first one's."""
    async with running(*workers) as dev:
        assert (200, "shop") == await dev.get("/create")
        await send(dev)
        assert ["billing", "billing"] == await finished(dev)
        _, listed = await dev.get("/client/v4/accounts/a/workflows")
        assert [("invoice", "billing")] == [
            (each["name"], each["script_name"]) for each in json.loads(listed)["result"]
        ]
        _, listed = await dev.get("/cdn-cgi/local/explorer/api/local/workers")
        assert [("shop", True), ("billing", False)] == [
            (each["name"], each["isSelf"]) for each in json.loads(listed)["result"]
        ]
    assert "Worker shop, which answers the requests, has access to the following bindings:" in dev.lines
    assert "Worker billing has access to the following bindings:" in dev.lines
    assert any(line.startswith("env.INVOICES (Invoice, defined in billing)      Workflow") for line in dev.lines)
    assert (tmp_path / "shop/.cfwf/state").is_dir()
    assert not (tmp_path / "billing/.cfwf").exists()


async def test_a_change_of_any_of_them_reloads(workers, running, tmp_path):
    """Also of the configuration of the second; an instance of it goes on with the new code."""
    async with running(*workers) as dev:
        await dev.get("/create")
        (tmp_path / "billing/src/helpers.py").write_text('WHO = "another"\n')
        await dev.line("billing/src/helpers.py changed")
        await send(dev)
        assert ["billing", "another"] == await finished(dev)
        config = tmp_path / "billing/wrangler.toml"
        config.write_text(config.read_text().replace('name = "invoice"', 'name = "invoices"'))
        assert "Did you mean" in await dev.line("Did you mean")
        status, text = await dev.get()
        assert (500, True) == (status, 'Worker "billing" (billing/wrangler.toml) has no Workflow called' in text)


async def test_an_instance_of_the_other_survives_a_kill(workers, running):
    """The next process takes it up from its last step."""
    async with running(*workers) as dev:
        await dev.get("/create")
        dev.signal(signal.SIGKILL)
        await dev.ended()
    async with running(*workers) as dev:
        await send(dev)
        assert ["billing", "billing"] == await finished(dev)


async def test_without_the_other_the_start_says_what_to_add(workers, running):
    """And so does a request that needs it."""
    async with running(*workers[:2]) as dev:
        status, text = await dev.get("/create")
        assert (500, True) == (status, "Add its configuration: --config shop/wrangler.toml --config <the" in text)
    assert 'warning: env.INVOICES (shop/wrangler.toml:4:1) is bound to the Workflow "invoice" of Worker' in dev.text
    assert any(line.endswith("not connected") for line in dev.lines)


async def test_workers_that_do_not_fit_together_do_not_start(workers, failing, tmp_path):
    """With the places in both files."""
    config = tmp_path / "billing/wrangler.toml"
    config.write_text(config.read_text().replace('"billing"', '"shop"'))
    text = await failing(*workers)
    assert 'Two Workers of this session are called "shop".' in text
    assert "billing/wrangler.toml:1:8" in text
