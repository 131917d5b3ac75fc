"""The README's promise, with real processes: kill the server at any moment, start it again, nothing is lost."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serving import EXAMPLES


class Server:
    """A `cfwf dev` process."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self.process = process
        self.url = url

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data=data, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    def until(self, path: str, status: str) -> Any:
        deadline = time.monotonic() + 30
        while (instance := self.ask("GET", path))["status"] != status:
            assert time.monotonic() < deadline, instance
        return instance


@contextmanager
def cfwf_dev(example: str, state: Path) -> Iterator[Server]:
    command = [Path(sys.executable).with_name("cfwf"), "dev", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--config", str(EXAMPLES / example / "wrangler.toml"), "--persist-to", str(state)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    printed = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            printed.append(line)
            if ready := re.search(r"Ready on (http://\S+)", line):
                yield Server(process, ready[1])
                return
        raise AssertionError("".join(printed))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def kill(server: Server) -> None:
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()


def entries(state: Path, kind: str) -> list[str]:
    """The steps of the journal entries of a type, read as any sqlite tool would."""
    with sqlite3.connect(state / "workflows.sqlite") as database:
        rows = database.execute("SELECT step FROM journal WHERE type = ? ORDER BY seq", (kind,)).fetchall()
    database.close()
    return [step for (step,) in rows]


def test_waiting_instance_survives_kill_9(tmp_path: Path) -> None:
    """An approval goes on waiting in the next process, and each of its steps ran once."""
    with cfwf_dev("patterns", tmp_path) as server:
        id = server.ask("POST", "/approval", {"approverEmail": "a@b.c"})["id"]
        server.until(f"/approval/{id}", "waiting")
        kill(server)
    with cfwf_dev("patterns", tmp_path) as server:
        instance = server.until(f"/approval/{id}", "waiting")
        assert [True, False] == [step["done"] for step in instance["steps"]]
        server.ask("POST", f"/approval/{id}/events/manager_approval", {"approved": True})
        server.until(f"/approval/{id}", "complete")
    assert ["send approval request-1", "execute action-1"] == entries(tmp_path, "attempt_started")
    assert ["send approval request-1", "execute action-1"] == entries(tmp_path, "step_completed")


def test_retry_delay_ends_in_the_next_process(tmp_path: Path) -> None:
    """A step that waits to be tried again is tried again after the kill, without anybody asking."""
    with cfwf_dev("patterns", tmp_path) as server:
        id = server.ask("POST", "/backoff", {"failures": 1})["id"]
        server.until(f"/backoff/{id}", "waiting")
        kill(server)
    with cfwf_dev("patterns", tmp_path) as server:
        server.until(f"/backoff/{id}", "complete")
    assert ["call flaky API-1"] * 2 == entries(tmp_path, "attempt_started")


def test_event_that_was_acknowledged_is_kept(tmp_path: Path) -> None:
    """An event whose answer was read is there after a kill at once after it."""
    with cfwf_dev("patterns", tmp_path) as server:
        id = server.ask("POST", "/approval", {"approverEmail": "a@b.c"})["id"]
        server.ask("POST", f"/approval/{id}/events/manager_approval", {"approved": False})
        kill(server)
    with cfwf_dev("patterns", tmp_path) as server:
        instance = server.until(f"/approval/{id}", "complete")
        assert "notify rejection-1" == instance["steps"][-1]["name"]


def test_order_in_a_database_survives_kill_9(tmp_path: Path) -> None:
    """An order that was killed after its reservation is confirmed by the next process: reserved once, charged once."""
    config = EXAMPLES / "orders" / "wrangler.toml"
    cfwf = Path(sys.executable).with_name("cfwf")
    apply = [cfwf, "d1", "migrations", "apply", "DB", "--config", config, "--persist-to", tmp_path]
    subprocess.run(apply, check=True, capture_output=True)
    with cfwf_dev("orders", tmp_path) as server:
        id = server.ask("POST", "/orders", {"sku": "book", "quantity": 2, "card": "visa"})["id"]
        deadline = time.monotonic() + 30
        while "reserve stock-1" not in entries(tmp_path, "step_completed"):
            assert time.monotonic() < deadline
        assert "new" == server.ask("GET", f"/orders/{id}")["status"]
        kill(server)
    with cfwf_dev("orders", tmp_path) as server:
        order = server.until(f"/orders/{id}", "confirmed")
        while order["workflow"]["status"] != "complete":
            assert time.monotonic() < deadline + 30
            order = server.ask("GET", f"/orders/{id}")
        assert {"amount": 40} == order["workflow"]["output"]
        assert [8, 2] == [each["stock"] for each in server.ask("GET", "/products")]
    steps = ["read order-1", "reserve stock-1", "charge card-1", "confirm order-1"]
    assert steps == entries(tmp_path, "step_completed")
