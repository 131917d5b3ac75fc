"""What a start imports, and what it leaves for when it is needed."""

import asyncio
import os
import pickle
import signal
import ssl
import time
from functools import partial

import pytest
import trustme
from aiohttp import web

from cfworkflows_emulator.config import ConfigError
from cfworkflows_emulator.dev.certificates import read_when_needed
from cfworkflows_emulator.dev.loading import load
from cfworkflows_emulator.dev.options import DevOptions
from cfworkflows_emulator.dev.reading import Reading

TELLS = """
    heavy = {"ada_url", "pydantic", "tomlkit", "rich", "cfworkflows_emulator.api", "cfworkflows_emulator.analysis"}
    kinds = {f"cfworkflows_{part}{kind}" for part in ("bindings.", "emulator.stores.") for kind in ("kv", "d1", "r2")}
    heavy |= {"apsw", *kinds}
    print("imported:", sorted(heavy & set(sys.modules)))
"""


async def test_what_not_every_worker_needs_is_not_imported(write, running):
    """Neither what checks a configuration, nor what answers on the control paths."""
    write(TELLS + "    on_fetch = lambda: Response('hello')\n")
    async with running() as dev:
        assert (200, "hello") == await dev.get()
    assert "imported: []" in dev.lines


TYPED = """
from dataclasses import dataclass

@dataclass
class Item:
    qty: int

class Order(WorkflowEntrypoint[object, Item]):
    async def run(self, event, step):
        return await step.do("pack", lambda: Item(event.payload.qty + 1))

class Default(WorkerEntrypoint):
    async def fetch(self, request):
        order = await self.env.ORDERS.create(params={"qty": 1})
        while (status := await order.status()).status != "complete":
            await asyncio.sleep(0.01)
        return Response(f"{status.output.qty} {'pydantic' in sys.modules}")
"""
WORKFLOW = """
[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""


async def test_dataclasses_need_no_pydantic(write, running):
    """Neither as payload nor as the result of a step."""
    write(TYPED, WORKFLOW)
    async with running() as dev:
        assert (200, "2 False") == await dev.get()


async def test_what_a_worker_needed_those_after_it_have(write, running):
    """The supervisor imports it meanwhile, so a reload does not wait for it again."""
    write(TELLS + "    import pydantic\n    on_fetch = lambda: Response('hello')\n")
    async with running() as dev:
        assert "imported: []" in dev.lines
        while "imported: ['pydantic']" not in dev.lines:
            write(TELLS + f"    import pydantic\n    on_fetch = lambda: Response('{len(dev.lines)}')\n")
            await dev.line("Reloaded in")
        assert 200 == (await dev.get("/cdn-cgi/explorer/api/workflows"))[0]
        while not any("cfworkflows_emulator.api" in line for line in dev.lines):
            write(TELLS + f"    import pydantic\n    on_fetch = lambda: Response('{len(dev.lines)}')\n")
            await dev.line("Reloaded in")


@pytest.fixture
def reading(write, monkeypatch):
    """A Reading of the configuration, which may be `broken`, in the folder."""

    def reading(config="", load=load):
        folder = write(config=config)
        while time.time_ns() < (folder / "wrangler.toml").stat().st_ctime_ns + 10**8:  # so it is old when it is read
            time.sleep(0.01)
        monkeypatch.chdir(folder)
        return Reading(partial(load, DevOptions()))

    return reading


def test_configurations_come_from_another_process(reading, write):
    """As they are, until a file changes that they were made from."""
    found = reading("[vars]\nA = 1\n")
    [config] = found.result()
    assert 1 == config.variables["A"].value
    assert found.again()[0] is config
    write(config="[vars]\nA = 2\n")
    assert 2 == found.again()[0].variables["A"].value


def test_what_is_wrong_comes_from_there_too(reading):
    """With all that is known of each problem."""
    with pytest.raises(ConfigError) as raised:
        reading("workflows = 1\n").result()
    problem = next(each for each in raised.value.diagnostics if each.severity == "error")
    assert "wrangler.toml:3" in str(problem.location)
    assert str(raised.value) == str(pickle.loads(pickle.dumps(raised.value)))


@pytest.mark.parametrize("how", ["killed", "an error that is not ours"])
def test_without_an_answer_it_is_read_here(reading, how):
    """So that what goes wrong is seen; what does not, goes on."""
    here = os.getpid()

    def fails_elsewhere(options):
        if os.getpid() != here:
            if how == "killed":
                os.kill(os.getpid(), signal.SIGKILL)
            raise ZeroDivisionError
        return load(options)

    assert "shop" == reading(load=fails_elsewhere).result()[0].config.name


def test_certificates_are_read_by_the_first_connection(tmp_path, monkeypatch):
    """And the context is from then on what it would have been."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    with read_when_needed():
        context = ssl.create_default_context()
    assert 0 == context.cert_store_stats()["x509_ca"]
    context.wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname="localhost")
    assert 1 == context.cert_store_stats()["x509_ca"]
    assert 1 == ssl.create_default_context().cert_store_stats()["x509_ca"]
    assert context.wrap_bio.__func__ is ssl.SSLContext.wrap_bio


@pytest.mark.parametrize("trusted", [True, False])
async def test_fetch_trusts_the_certificates_of_the_system(write, running, tmp_path, trusted):
    """A server whose certificate they vouch for is asked, any other is not."""
    authority, other = trustme.CA(), trustme.CA()
    (authority if trusted else other).cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost").configure_cert(context)

    async def answers(request):
        return web.Response(text="secure")

    app = web.Application()
    app.router.add_get("/", answers)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    port = runner.addresses[0][1]
    write(
        f"""
        class Default(WorkerEntrypoint):
            async def fetch(self, request):
                try:
                    return Response(await (await fetch("https://localhost:{port}/")).text())
                except TypeError as error:
                    return Response(str(error.__cause__ or error))
        """
    )
    try:
        async with running(env={"SSL_CERT_FILE": str(tmp_path / "ca.pem")}) as dev:
            answer = (await asyncio.gather(*(dev.get() for _ in range(5))))[-1][1]
    finally:
        await runner.cleanup()
    assert (answer == "secure") if trusted else ("certificate" in answer.lower()), answer
