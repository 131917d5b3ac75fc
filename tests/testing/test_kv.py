"""KV namespaces in tests: the real kind, in memory, on the clock of the test."""

import pytest

from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import KV, FakeEnv, crash_everywhere


class Greet(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("keep", lambda: self.env.CACHE.put("seen", "yes", expiration_ttl=60))
        await step.sleep("wait", "1 minute")
        return await step.do("read", lambda: self.env.CACHE.get(["greeting", "seen"]))


async def test_a_namespace_has_what_it_is_given():
    """The Worker and the test share it, and it expires on the virtual clock."""
    async with FakeEnv(GREET=Greet, CACHE=KV({"greeting": "hello", "raw": b"\0"})) as env:
        instance = await env.GREET.create()
        assert {"greeting": "hello", "seen": None} == await instance.result()
        assert b"\0" == await env.CACHE.get("raw", "arrayBuffer")


async def test_namespaces_of_one_id_are_one():
    """Without an id each is its own, and each FakeEnv begins anew."""
    for _ in range(2):
        async with FakeEnv(A=KV({"a": "1"}, id="x"), B=KV(id="x"), C=KV()) as env:
            assert ("1", None) == (await env.B.get("a"), await env.C.get("a"))
            await env.B.delete("a")
            assert None is await env.A.get("a")


def test_what_is_no_value_is_refused():
    """By its key and its type."""
    with pytest.raises(TypeError, match="KV takes a dict of str to str or bytes, not 'a': int"):
        KV({"a": 1})


async def test_a_namespace_cannot_be_made_anew_for_each_crash():
    """The error says what to pass instead."""
    with pytest.raises(TypeError, match="CACHE has data, which env cannot give here: pass a binding"):
        await crash_everywhere(Greet, env={"CACHE": KV()})
