"""`/cdn-cgi/local/scheduled` and its older paths, and the Explorer's own way to fire a cron trigger."""

import shop
from shop import BASE, Explorer, served

HANDLER = """
    async def scheduled(self, controller, env, ctx):
        print("fired", repr(controller.cron), controller.scheduledTime)
        if controller.cron == "broken":
            controller.noRetry()
            raise ValueError("broken")
"""


async def test_a_request_fires_the_handler(tmp_path, monkeypatch, capsys):
    """On each of its paths, with any method; the answer is the outcome, as text or as JSON."""
    monkeypatch.setattr(shop, "WORKER", shop.WORKER + HANDLER)
    async with served(tmp_path) as explorer:
        for kind in ("local", "handler", "mf"):
            assert (200, "ok") == await explorer.get(f"/cdn-cgi/{kind}/scheduled")
        path = "/cdn-cgi/handler/scheduled?cron=0+3+*+*+*&time=1767225600000&format=json"
        assert (200, {"outcome": "ok", "noRetry": False}) == await explorer.get(path, method="POST")
        assert (500, "exception") == await explorer.get("/cdn-cgi/handler/scheduled?cron=broken")
        path = "/cdn-cgi/handler/scheduled?cron=broken&format=json"
        assert (500, {"outcome": "exception", "noRetry": True}) == await explorer.get(path)
        body = {"cron": "1 2 * * *", "scheduled_time": 7}
        status, answer = await explorer.send("POST", f"{BASE}/local/scheduled?worker=shop", body)
        assert (200, {"outcome": "ok", "noRetry": False}) == (status, answer["result"])
        now = explorer.clock.now()
    fired = [line for line in capsys.readouterr().out.splitlines() if line.startswith("fired")]
    assert [f"fired '' {now}"] * 3 + ["fired '0 3 * * *' 1767225600000"] == fired[:4]
    assert "fired '1 2 * * *' 7" == fired[-1]


async def test_a_worker_without_the_handler_fails(explorer: Explorer) -> None:
    """And would again."""
    path = "/cdn-cgi/handler/scheduled?format=json"
    assert (500, {"outcome": "exception", "noRetry": True}) == await explorer.get(path)


async def test_a_time_that_is_none_is_refused(explorer: Explorer) -> None:
    """With what it should be."""
    status, text = await explorer.get("/cdn-cgi/handler/scheduled?time=noon")
    assert (400, True) == (status, "milliseconds since the epoch" in text)


async def test_a_page_of_another_site_fires_nothing(explorer: Explorer) -> None:
    """An image on it sends a GET without an Origin; its Sec-Fetch-Site tells."""
    status, _ = await explorer.get("/cdn-cgi/handler/scheduled", {"sec-fetch-site": "cross-site"})
    assert 403 == status


async def test_paths_below_are_the_workers(explorer: Explorer) -> None:
    """Only the very paths are ours."""
    assert (200, "the Worker") == await explorer.get("/cdn-cgi/handler/scheduled/x")
