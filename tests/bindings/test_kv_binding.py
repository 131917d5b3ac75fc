"""A KV namespace as a Worker uses it. What the platform answers is recorded: tests/conformance/bindings."""

import json

import pytest

from cfworkflows import KVError, ReadableStream
from cfworkflows.errors import SerializationError
from cfworkflows_bindings import KVBinding
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.stores.kv import KVStore


@pytest.fixture
async def kv():
    async with KVStore(None, "cache", VirtualClock()).open() as store:
        yield KVBinding(store, "cache")


@pytest.mark.parametrize(
    ("options", "keywords"),
    [(("json",), {}), (({"type": "json", "cacheTtl": 60},), {}), ((), {"type": "json"}), ((None,), {"type": "json"})],
)
async def test_a_type_may_be_given_in_every_form(kv, options, keywords):
    """Alone, in an object, as a keyword; objects in JSON have attributes."""
    await kv.put("a", '{"n": [1]}')
    assert [1] == (await kv.get("a", *options, **keywords)).n


async def test_options_have_both_spellings(kv):
    """In an object and as keywords, and a keyword goes before the object."""
    for options, keywords in (
        ({"expirationTtl": 60}, {}),
        ({"expiration_ttl": 60}, {}),
        (None, {"expirationTtl": 60}),
        ({"expirationTtl": 1}, {"expiration_ttl": 60}),
    ):
        await kv.put("a", "v", options, **keywords)
        [key] = (await kv.list()).keys
        assert {"name": "a", "expiration": 1_767_225_660} == key
    with pytest.raises(TypeError, match=r"put\(\) does not know ttl; it takes expiration, expirationTtl and metadata"):
        await kv.put("a", "v", ttl=60)


async def test_results_have_attributes_and_items(kv):
    """`keys` of a list too, though a dict has a method of that name."""
    await kv.put("a", "v", metadata={"m": 1})
    page = await kv.list(prefix="a")
    assert page["keys"] is page.keys
    assert ("a", 1) == (page.keys[0].name, page.keys[0]["metadata"].m)
    assert {"keys": [{"name": "a", "metadata": {"m": 1}}], "list_complete": True, "cacheStatus": None} == page
    found = await kv.getWithMetadata("a")
    assert ("v", 1) == (found.value, found["metadata"].m)
    assert {"keys", "list_complete", "cacheStatus"} == set(json.loads(json.dumps(page)))


async def test_a_stream_that_is_too_long_is_given_up(kv):
    """It is read no further than that is known, and its source is closed."""
    given = []

    async def chunks():
        try:
            while True:
                given.append(1)
                yield bytes(10 * 1024 * 1024)
        finally:
            given.append("closed")

    with pytest.raises(
        KVError, match="KV PUT failed: 413 Value length of 31457280 exceeds limit of 26214400"
    ) as caught:
        await kv.put("a", ReadableStream(chunks()))
    assert (413, "Error") == (caught.value.status, caught.value.name)
    assert [1, 1, 1, "closed"] == given
    assert None is await kv.get("a")


async def test_what_is_wrong_is_named(kv):
    """A value that is not JSON by its key, metadata that is none by why, a key by its type."""
    await kv.put("a", "nope")
    with pytest.raises(json.JSONDecodeError, match="The value of the key 'a' is not JSON: Expecting value"):
        await kv.get("a", "json")
    with pytest.raises(KVError, match="non-json value") as caught:
        await kv.get(["a"], "json")
    assert ["The value of the key 'a' is not JSON: Expecting value: line 1 column 1 (char 0)"] == caught.value.__notes__
    with pytest.raises(SerializationError, match=r"metadata of a KV entry has to be JSON: .*set is not JSON"):
        await kv.put("a", "v", metadata={1})
    with pytest.raises(TypeError, match="The key of a KV entry is a str, not list"):
        await kv.delete(["a"])
    with pytest.raises(TypeError, match="takes a str as prefix, not int"):
        await kv.list(prefix=5)


async def test_a_value_of_many_keys_may_not_be_larger_than_one(kv):
    """25 MiB all in all."""
    await kv.put("a", bytes(20 * 1024 * 1024))
    await kv.put("b", bytes(6 * 1024 * 1024))
    with pytest.raises(KVError, match="KV GET_BULK failed: 413 Total size of request exceeds the limit of 25MB"):
        await kv.get(["a", "b"])
