"""docs/api.md and the descriptions that the APIs give of themselves, against the routes that there are."""

import re
from pathlib import Path

import pytest
from shop import BASE, Explorer

from cfworkflows_emulator.api import ExplorerApi, RestApi, Workflows

PAGE = (Path(__file__).parent.parent.parent / "docs" / "api.md").read_text()


def documented(heading: str) -> list[tuple[str, str]]:
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return re.findall(r"^\| ([A-Z]+) \| `([^`]+)` \|", section, re.MULTILINE)


@pytest.mark.parametrize(("heading", "api"), [("Local Explorer API", ExplorerApi), ("REST API", RestApi)])
async def test_every_route_has_its_place_in_the_docs(
    explorer: Explorer, heading: str, api: type[ExplorerApi | RestApi]
) -> None:
    """In the order of the table of routes, and no more than there are."""
    routes = api(Workflows(explorer.project)).routes
    assert [(route.method, route.path or "/") for route in routes] == documented(heading)


@pytest.mark.parametrize(
    ("path", "heading"),
    [(BASE, "Local Explorer API"), (f"{BASE}/", "Local Explorer API"), ("/client/v4/openapi.json", "REST API")],
)
async def test_api_describes_itself(explorer: Explorer, path: str, heading: str) -> None:
    """In OpenAPI: each route, with the types of its body and of what it gives."""
    status, document = await explorer.get(path)
    found = [(method.upper(), path) for path, operations in document["paths"].items() for method in operations]
    assert (200, sorted(documented(heading))) == (status, sorted(found))
    ids = [each["operationId"] for operations in document["paths"].values() for each in operations.values()]
    assert len(ids) == len(set(ids))
