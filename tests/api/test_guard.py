"""Requests that a hostile page could send: none reads or changes anything."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from shop import BASE, REST, Explorer, served

CREATE = (f"{BASE}/workflows/orders/instances", f"{REST}/workflows/orders/instances")

HOSTILE = [
    {"Host": "evil.example"},
    {"Host": "localhost.evil.example"},
    {"Host": "192.168.1.10:8787"},
    {"Host": "localhost."},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:1"},
    {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "something-new"},
]


@pytest.mark.parametrize("headers", HOSTILE, ids=str)
@pytest.mark.parametrize(
    "path",
    [
        f"{BASE}/workflows",
        "/cdn-cgi/explorer/api/workflows/orders/instances/secret",
        f"{REST}/workflows/orders/instances",
        f"{BASE}/workflows/orders/subscribe",
        f"{BASE}/local/workers",
        "/client/v4/openapi.json",
    ],
)
async def test_other_sites_read_nothing(explorer: Explorer, path: str, headers: dict[str, str]) -> None:
    """A request that a foreign page makes, or one for a foreign host name, gets 403 and no data."""
    await explorer.orders.create(id="secret")
    async with explorer.session.get(explorer.url + path, headers=headers) as answer:
        assert 403 == answer.status
        assert "orders" not in await answer.text()
        assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("headers", HOSTILE, ids=str)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        *(("POST", path, b'{"id": "made"}') for path in CREATE),
        ("DELETE", f"{BASE}/workflows/orders", None),
        ("PATCH", f"{CREATE[1]}/kept/status", b'{"status": "terminate"}'),
        ("POST", f"{CREATE[0]}/kept/events/answer", b"1"),
        ("PUT", f"{CREATE[1]}/terminate", None),
    ],
)
async def test_other_sites_change_nothing(
    explorer: Explorer, method: str, path: str, body: Any, headers: dict[str, str]
) -> None:
    """Simple requests, which a browser sends without asking first, are refused as well."""
    await explorer.orders.create(id="kept")
    await explorer.clock.settle()
    _, before = await explorer.project.engine.history("orders", "kept")
    plain = {"Content-Type": "text/plain", **headers}
    async with explorer.session.request(method, explorer.url + path, data=body, headers=plain) as answer:
        assert 403 == answer.status
    assert ["kept"] == [row.id for row in await explorer.project.engine.list("orders")]
    assert before == (await explorer.project.engine.history("orders", "kept"))[1]


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
@pytest.mark.parametrize("path", CREATE)
async def test_browser_has_to_send_json(explorer: Explorer, path: str, content_type: str) -> None:
    """What a form or a simple request can send is no JSON, even from our own origin."""
    headers = {"Origin": explorer.url, "Content-Type": content_type}
    async with explorer.session.post(explorer.url + path, data=b"{}", headers=headers) as answer:
        assert 415 == answer.status
    assert [] == await explorer.project.engine.list("orders")


async def test_preflight_grants_nothing(explorer: Explorer) -> None:
    """A browser that asks for a foreign page whether it may is told no."""
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Method": "DELETE"}
    async with explorer.session.options(explorer.url + CREATE[0], headers=headers) as answer:
        assert (403, set()) == (answer.status, {name for name in answer.headers if name.lower().startswith("access-")})


async def test_pages_of_this_server_may(explorer: Explorer) -> None:
    """Our own origin passes with JSON, and so does a program that sends no headers of a browser."""
    headers = {"Origin": explorer.url, "Sec-Fetch-Site": "same-origin"}
    status, _ = await explorer.send("POST", CREATE[0], {"id": "a"}, headers=headers)
    assert 200 == status
    async with explorer.session.delete(f"{explorer.url}{CREATE[0]}/a", headers=headers) as answer:
        assert 200 == answer.status
    for typed in ("localhost", "127.0.0.1", "[::1]", "LOCALHOST"):
        status, _ = await explorer.get(CREATE[0], {"Host": f"{typed}:1", "Sec-Fetch-Site": "none"})
        assert 200 == status
    plain = {"Content-Type": "text/plain", "Sec-Fetch-Mode": "cors"}  # as wrangler sends it
    async with explorer.session.post(explorer.url + CREATE[0], data=b'{"id":"b"}', headers=plain) as answer:
        assert 200 == answer.status


async def test_host_names_are_allowed_by_name(tmp_path: Path) -> None:
    """One that the user allows is a name of this machine; its own pages are ours, and others are not."""
    async with served(tmp_path, allowed_hosts=["dev.box"]) as explorer:
        path = f"{BASE}/workflows"
        assert 200 == (await explorer.get(path, {"Host": "dev.box:8787"}))[0]
        assert 200 == (await explorer.get(path, {"Host": "dev.box", "Origin": "http://dev.box"}))[0]
        assert 403 == (await explorer.get(path, {"Host": "dev.box", "Origin": "http://localhost"}))[0]
        assert 403 == (await explorer.get(path, {"Host": "evil.dev.box"}))[0]


async def test_paths_of_the_worker_are_open(explorer: Explorer) -> None:
    """What is not a control path is the Worker's, whoever asks."""
    for path in ("/", "/client/v4x", "/x/client/v4/accounts/any/workflows"):
        assert (200, "the Worker") == await explorer.get(path, {"Host": "evil.example", "Origin": "null"})


async def test_dots_do_not_lead_around_the_guard(explorer: Explorer) -> None:
    """A path is put into its normal form before it is judged."""
    port = explorer.url.rpartition(":")[2]
    for path in (f"/x/..{BASE}/workflows", f"/x/%2e%2e{BASE}/workflows", f"/x/../{REST}/workflows"):
        reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
        writer.write(f"GET {path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".encode())
        async with asyncio.timeout(10):
            text = (await reader.read()).decode()
        writer.close()
        assert "orders" not in text
