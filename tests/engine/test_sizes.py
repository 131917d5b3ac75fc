"""How large a value is: its own data counts, not how it is encoded."""

import pytest

from cfworkflows.values import encode
from cfworkflows_emulator.engine.journal.sizes import MAX_VALUE_BYTES, size_of, too_large


@pytest.mark.parametrize(
    "value",
    [
        b"x" * MAX_VALUE_BYTES,
        "\n" * MAX_VALUE_BYTES,
        ["x" * (MAX_VALUE_BYTES // 2)] * 2,
        {"key": bytearray(MAX_VALUE_BYTES - 3)},
    ],
    ids=["bytes", "escapes", "list", "dict"],
)
def test_a_mebibyte_fits(value):
    """Whatever base64 and escapes make of it."""
    assert not too_large(size_of(value, encode(value)))


@pytest.mark.parametrize(
    "value", ["é" * (MAX_VALUE_BYTES // 2 + 1), b"x" * (MAX_VALUE_BYTES + 1)], ids=["two bytes each", "bytes"]
)
def test_a_byte_more_does_not(value):
    """Text counts in the bytes of UTF-8."""
    assert too_large(size_of(value, encode(value)))


async def test_a_step_may_return_a_mebibyte_of_bytes(serve):
    """The limit is the platform's: the value's, and not that of its text in the journal."""

    async def run(step):
        return len(await step.do("big", lambda: b"x" * MAX_VALUE_BYTES))

    server = await serve(run)
    assert MAX_VALUE_BYTES == await server.run()


async def test_parallel_steps_start_in_the_order_of_their_calls(serve):
    """A step that is called before a sleep is in the journal before it."""

    async def run(step):
        first, nap, last = step.do("first", lambda: 1), step.sleep("nap", 10), step.do("last", lambda: 2)
        await first, await nap, await last

    server = await serve(run)
    instance = await server.create()
    started = [entry for entry in await server.journal(instance) if "_started " in entry]
    assert [
        "step_started first-1",
        "attempt_started first-1",
        "sleep_started nap-1",
        "step_started last-1",
        "attempt_started last-1",
    ] == started


async def test_a_failing_delay_function_leaves_the_attempts_error(serve):
    """The attempt failed for its own reason; only the step fails for that of the delay function."""

    def delay(_):
        raise KeyError("no idea")

    async def fails():
        raise ValueError("the reason")

    async def run(step):
        await step.do("s", fails, retries={"limit": 1, "delay": delay})

    server = await serve(run)
    instance = await server.create()
    _, entries = await server.engine.history("run", instance.id)
    errors = {entry.type: entry.data["error"]["name"] for entry in entries if "error" in entry.data}
    assert ("ValueError", "NonRetryableDelayError") == (errors["attempt_errored"], errors["step_errored"])
