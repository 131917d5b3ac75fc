"""R2 buckets in tests: the real kind in memory, on the virtual clock."""

from datetime import UTC, datetime
from typing import Any

from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import R2, FakeEnv


class Archive(WorkflowEntrypoint[Any, Any]):
    async def run(self, event: Any, step: Any) -> str:
        async def copy() -> str:
            found = await self.env.FILES.get(event.payload)
            stored = await self.env.ARCHIVE.put(event.payload, found.body)
            return str(stored.etag)

        return str(await step.do("copy", copy))


async def test_fake_env_has_buckets() -> None:
    """Empty ones, and with objects; the Worker and the test see the same."""
    start = datetime(2026, 3, 1, tzinfo=UTC)
    async with FakeEnv(
        start=start, FILES=R2({"a.txt": "text", "b.bin": bytes(100_000)}), ARCHIVE=R2(), JOBS=Archive
    ) as env:
        for key in ("a.txt", "b.bin"):
            instance = await env.JOBS.create(params=key)
            stored = await env.ARCHIVE.head(key)
            assert stored is None
            assert await instance.result() == (await env.ARCHIVE.head(key)).etag
        assert "text" == await (await env.ARCHIVE.get("a.txt")).text()
        assert start == (await env.ARCHIVE.head("b.bin")).uploaded
        assert ["a.txt", "b.bin"] == [each.key for each in (await env.FILES.list()).objects]


async def test_each_fake_env_has_its_own() -> None:
    """What one test stores is not there in the next."""
    bucket = R2({"a": "1"})
    for _ in range(2):
        async with FakeEnv(FILES=bucket) as env:
            assert ["a"] == [each.key for each in (await env.FILES.list()).objects]
            await env.FILES.put("b", "2")
