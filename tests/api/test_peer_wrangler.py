"""The real wrangler as a client, of the Local Explorer API and of the REST API."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from shop import Explorer

pytestmark = pytest.mark.peer

Wrangler = Callable[..., Awaitable[tuple[int, str]]]


@pytest.fixture(params=["local", "remote"])
def wrangler(request: pytest.FixtureRequest, explorer: Explorer, tmp_path: Path) -> Wrangler:
    """Runs `wrangler workflows` against the shop: its exit code, and what it printed."""
    script = Path(os.environ.get("WRANGLER", "")).absolute()
    if not script.is_file():
        pytest.fail(f"WRANGLER must name bin/wrangler.js of an installed wrangler, not {str(script)!r}.")
    port = explorer.url.rpartition(":")[2]
    local = ["--local", "--port", port] if request.param == "local" else []
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "WRANGLER_SEND_METRICS": "false",
        "CLOUDFLARE_API_BASE_URL": f"{explorer.url}/client/v4",
        "CLOUDFLARE_API_TOKEN": "any",
    }

    async def run(*arguments: str) -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            os.environ.get("NODE", "node"),
            str(script),
            "workflows",
            *arguments,
            *local,
            cwd=tmp_path.parent,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate()
        return process.returncode or 0, output.decode()

    return run


async def says(wrangler: Wrangler, *arguments: str) -> str:
    code, output = await wrangler(*arguments)
    assert 0 == code, output
    return output


async def answer(wrangler: Wrangler, *arguments: str) -> Any:
    return json.loads(await says(wrangler, *arguments, "--json"))


async def test_workflows_are_listed_and_described(wrangler: Wrangler) -> None:
    """With their classes; the account is found without being told."""
    assert "Orders" in await says(wrangler, "list")
    assert "shop" in await says(wrangler, "describe", "orders")


async def test_life_of_an_instance(explorer: Explorer, wrangler: Wrangler) -> None:
    """Triggered, paused, resumed, sent an event, restarted, terminated, described, deleted."""
    assert "triggered" in (await says(wrangler, "trigger", "orders", '{"n": 1}', "--id", "x")).replace(
        "queued", "triggered"
    )
    await explorer.clock.settle()
    for verb, done in (("pause", "paused"), ("resume", "resumed")):
        assert f"was {done} successfully" in await says(wrangler, "instances", verb, "orders", "x")
    sent = await says(
        wrangler, "instances", "send-event", "orders", "latest", "--type", "answer", "--payload", '{"a": 1}'
    )
    assert "was sent to the instance" in sent
    await explorer.clock.advance("2 hours")
    details = await answer(wrangler, "instances", "describe", "orders", "x")
    assert ("complete", 5) == (details["status"], len(details["steps"]))
    assert "charge-1" in await says(wrangler, "instances", "describe", "orders", "x")
    await says(wrangler, "instances", "restart", "orders", "x", "--from-step-name", "flaky")
    await explorer.clock.settle()
    await says(wrangler, "instances", "terminate", "orders", "x", "--rollback")
    assert "Terminated" in await says(wrangler, "instances", "list", "orders")
    assert "Deleted" in await says(wrangler, "instances", "delete", "orders", "x")
    await says(wrangler, "trigger", "orders")
    await says(wrangler, "delete", "orders")
    assert [] == await explorer.project.engine.list("orders")


async def test_instances_are_paged_and_filtered(explorer: Explorer, wrangler: Wrangler) -> None:
    """Page numbers lead to the right instances, by `page` or by walking cursors."""
    for n in range(5):
        await explorer.orders.create(id=f"i{n}")
    await (await explorer.orders.get("i0")).terminate()
    await explorer.clock.settle()
    paged = await says(wrangler, "instances", "list", "orders", "--per-page", "2", "--page", "2")
    assert (True, True, False) == ("i2" in paged, "i1" in paged, "i3" in paged)
    filtered = await says(wrangler, "instances", "list", "orders", "--status", "terminated")
    assert (True, False) == ("i0" in filtered, "i1" in filtered)


async def test_mistakes_are_printed(explorer: Explorer, wrangler: Wrangler) -> None:
    """The message of the error reaches the user, and nothing is made."""
    code, output = await wrangler("instances", "terminate", "orders", "ghost")
    assert 1 == code
    assert "not found" in output.replace("_", " ")
    await explorer.orders.create(id="x")
    code, output = await wrangler("trigger", "orders", "--id", "x")
    assert 1 == code
    assert "already_exists" in output
