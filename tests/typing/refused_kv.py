"""What type checkers refuse of a KV namespace."""

from typing import Protocol

from cfworkflows import KVNamespace, WorkerEntrypoint


class Env(Protocol):
    CACHE: KVNamespace


class Reader(WorkerEntrypoint[Env]):
    async def read(self) -> None:
        cache = self.env.CACHE
        await cache.get("a", "bogus")  # error: [call-overload]; reportCallIssue
        await cache.get(["a"], "stream")  # error: [call-overload]; reportCallIssue
        await cache.get("a", {"ttl": 60})  # error: [call-overload]; reportCallIssue
        await cache.get("a", ttl=60)  # error: [call-overload]; reportCallIssue
        await cache.list({"pre": "a"})  # error: KVListOptions; KVListOptions
        await cache.list(limit="10")  # error: [arg-type]; reportArgumentType

    async def change(self) -> None:
        cache = self.env.CACHE
        await cache.put("a", {"a": 1})  # error: [arg-type]; KVValue
        await cache.put("a", "b", {"ttl": 5})  # error: KVPutOptions; KVPutOptions
        await cache.put("a", "b", ttl=60)  # error: Unexpected keyword; reportCallIssue
        await cache.delete(["a"])  # error: [arg-type]; reportArgumentType
