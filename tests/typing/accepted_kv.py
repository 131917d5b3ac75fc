"""What type checkers know of a KV namespace: every form of a call, and what it gives."""

from typing import Any, Protocol, assert_type

from cfworkflows import KVNamespace, ReadableStream, WorkerEntrypoint


class Env(Protocol):
    CACHE: KVNamespace


class Reader(WorkerEntrypoint[Env]):
    async def values(self) -> None:
        cache = self.env.CACHE
        assert_type(await cache.get("a"), str | None)
        assert_type(await cache.get("a", "text"), str | None)
        assert_type(await cache.get("a", {"cacheTtl": 60}), str | None)
        assert_type(await cache.get("a", {"type": "json", "cache_ttl": 60}), Any)
        assert_type(await cache.get("a", type="arrayBuffer"), bytes | None)
        assert_type(await cache.get("a", {"cacheTtl": 60}, type="stream"), ReadableStream | None)
        assert_type(await cache.get(["a", "b"]), dict[str, str | None])
        assert_type(await cache.get(("a", "b"), "json"), dict[str, Any])

    async def metadata(self) -> None:
        found = await self.env.CACHE.getWithMetadata("a", "arrayBuffer")
        assert_type(found.value, bytes | None)
        assert_type((await self.env.CACHE.get_with_metadata("a")).value, str | None)
        for entry in (await self.env.CACHE.get_with_metadata(["a"], type="text")).values():
            if entry is not None:
                assert_type(entry.value, str)

    async def changes(self) -> None:
        await self.env.CACHE.put("a", "text", {"expirationTtl": 60, "metadata": {"by": ["me"]}})
        await self.env.CACHE.put("a", b"bytes", expiration_ttl=60)
        await self.env.CACHE.put("a", ReadableStream([b"a stream"]), expiration=1_800_000_000)
        await self.env.CACHE.put("a", 5)
        await self.env.CACHE.delete("a")

    async def keys(self) -> list[str]:
        page = await self.env.CACHE.list({"prefix": "a", "limit": 10})
        while not page.list_complete:
            page = await self.env.CACHE.list(cursor=page.cursor)
        return [key.name for key in page.keys]
