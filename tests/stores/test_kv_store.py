"""The store of a KV namespace: what is there, when it expires, and what becomes of the file."""

import asyncio

import pytest

from cfworkflows.errors import CfworkflowsError
from cfworkflows_bindings.kv import Entry
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.storage import StateError
from cfworkflows_emulator.stores.kv import LARGE_BYTES, SWEEP_MS, KVStore, file_of


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
async def store(clock):
    async with KVStore(None, "memory", clock).open() as store:
        yield store


def in_seconds(clock, seconds):
    return clock.now() // 1000 + seconds


async def test_an_entry_expires_at_its_second(store, clock):
    """Not before it, and it is neither read nor listed from then on."""
    await store.put("a", Entry(b"1", in_seconds(clock, 60), "{}"))
    await clock.advance("59 seconds")
    assert Entry(b"1", in_seconds(clock, 1), "{}") == await store.get("a")
    await clock.advance("1 second")
    assert None is await store.get("a")
    assert {} == await store.get_many(["a"])
    assert [] == (await store.list("", None, 10)).entries


async def test_what_has_expired_is_erased(tmp_path, clock):
    """By a later change, and no more often than once a minute."""
    async with KVStore(tmp_path / "a.sqlite", "a", clock).open() as store:
        await store.put("a", Entry(b"1", in_seconds(clock, 60)))
        await clock.advance(SWEEP_MS)
        await store.put("b", Entry(b"2"))
    async with KVStore(tmp_path / "a.sqlite", "a", VirtualClock(0)).open() as store:
        assert ["b"] == [each.name for each in (await store.list("", None, 10)).entries]


async def test_a_put_replaces_all_of_an_entry(store, clock):
    """Its expiration and its metadata with it."""
    await store.put("a", Entry(b"1", in_seconds(clock, 60), "1"))
    await store.put("a", Entry(b"2"))
    assert Entry(b"2") == await store.get("a")


@pytest.mark.parametrize("prefix", ["", "a", "é", "\ud7ff", "\U0010ffff", "a\U0010ffff"])
async def test_keys_are_listed_in_the_order_of_their_bytes(store, prefix):
    """Page by page, those of a prefix and no others, whatever its last character is."""
    below = ["", "\0", "a", "é", "\uffff", "\U0001f600", "\U0010ffff"]
    names = sorted({first + second for first in ("a", "b", "é", "\ud7ff", "\U0010ffff") for second in below})
    for name in names:
        await store.put(name, Entry(b""))
    listed, after, complete = [], None, False
    while not complete:
        page = await store.list(prefix, after, 2)
        listed += [each.name for each in page.entries]
        after, complete = listed[-1], page.complete
    assert [name for name in sorted(names, key=str.encode) if name.startswith(prefix)] == listed


async def test_the_loop_goes_on_while_a_large_value_is_written(tmp_path, clock):
    """Whoever uses the namespace meanwhile waits, and finds it written; so does the end."""
    file = tmp_path / "a.sqlite"
    store = KVStore(file, "a", clock)
    value = bytes(LARGE_BYTES + 1)
    writing = asyncio.ensure_future(store.put("a", Entry(value)))
    await asyncio.sleep(0)
    assert not writing.done()
    assert Entry(value) == await store.get("a")
    again = asyncio.ensure_future(store.put("b", Entry(value)))
    await asyncio.sleep(0)
    again.cancel()
    await store.close()
    async with KVStore(file, "a", clock).open() as store:
        assert {"a", "b"} == (await store.get_many(["a", "b"])).keys()


async def test_the_file_is_opened_at_the_first_use(tmp_path, clock):
    """And not again after the end: the error says so."""
    file = file_of(tmp_path, "My Namespace")
    store = KVStore(file, "My Namespace", clock)
    assert not file.exists()
    await store.put("a", Entry(b"1"))
    assert file.exists()
    await store.close()
    with pytest.raises(CfworkflowsError, match="The KV namespace My Namespace is closed"):
        await store.get("a")


async def test_a_damaged_file_is_named(tmp_path, clock):
    """At every use, until it is moved away."""
    file = file_of(tmp_path, "a")
    file.parent.mkdir()
    file.write_text("no database " * 1000)
    async with KVStore(file, "a", clock).open() as store:
        for _ in range(2):
            with pytest.raises(StateError, match=rf"{file}: .*The file is damaged"):
                await store.get("a")
        file.unlink()
        assert None is await store.get("a")
