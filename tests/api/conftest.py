"""Fixtures of the API's tests."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from cloudflare import AsyncCloudflare
from shop import Explorer, served


@pytest.fixture
async def explorer(tmp_path: Path) -> AsyncIterator[Explorer]:
    """The shop, served."""
    async with served(tmp_path) as explorer:
        yield explorer


@pytest.fixture
async def sdk(explorer: Explorer) -> AsyncIterator[AsyncCloudflare]:
    """Cloudflare's own Python SDK, with nothing but its base URL changed."""
    async with AsyncCloudflare(api_token="any", base_url=f"{explorer.url}/client/v4") as client:
        yield client
