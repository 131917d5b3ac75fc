"""Requests made up from the APIs' own descriptions: none is answered with a 500, or otherwise than described."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance
from shop import BASE, served

pytestmark = [pytest.mark.fuzz, pytest.mark.filterwarnings("default")]

EXAMPLES = 30
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The shop with an instance `a`, served by a thread of its own: the requests are made synchronously."""
    ready, over, found = threading.Event(), asyncio.Event(), []
    folder: Path = tmp_path_factory.mktemp("shop")

    async def run() -> None:
        async with served(folder) as explorer:
            found.extend([explorer.url, asyncio.get_running_loop()])
            ready.set()
            await over.wait()

    thread = threading.Thread(target=asyncio.run, args=(run(),))
    thread.start()
    assert ready.wait(30)
    yield found[0]
    found[1].call_soon_threadsafe(over.set)
    thread.join(30)


@pytest.mark.parametrize("path", [BASE, "/client/v4/openapi.json"])
def test_no_request_breaks_the_server(url: str, path: str) -> None:
    """Valid and invalid ones, to each route; half of them about the instance that there is."""
    schema = schemathesis.openapi.from_url(url + path)
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) > 10
    for operation in operations:
        if operation.path.endswith("/subscribe"):
            continue  # it would not end
        for mode in (schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE):
            _sender(url, operation, mode)()


def _renew(url: str) -> None:
    """Put a new instance `a` in the place of whatever earlier requests left of it."""
    instances = f"{url}{BASE}/workflows/orders/instances"
    requests.delete(f"{instances}/a", timeout=10)
    assert 200 == requests.post(instances, json={"id": "a"}, timeout=10).status_code


def _sender(url: str, operation: Any, mode: Any) -> Any:
    from hypothesis import given
    from hypothesis import strategies as st
    from hypothesis.errors import Unsatisfiable

    strategy = operation.as_strategy(generation_mode=mode)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=strategy, known=st.booleans())
    def send(case: Any, known: bool) -> None:
        if known:
            _renew(url)
            names = {"workflow": "orders", "instance": "a", "event_type": "answer"}
            case.path_parameters = {key: names.get(key, value) for key, value in (case.path_parameters or {}).items()}
        response = case.call()
        case.validate_response(response, checks=CHECKS)

    def run() -> None:
        with contextlib.suppress(Unsatisfiable):  # a route without anything that could be wrong
            send()

    return run
