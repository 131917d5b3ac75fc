"""`sensitive: "output"`: the output of a step is real for the code, and nowhere to be seen but in the database."""

import asyncio
import json
import logging
import threading
import warnings
from contextlib import suppress

import pydantic
import pytest

from cfworkflows import NonRetryableError, PayloadValidationError, Response, SerializationError
from cfworkflows.values import UnresolvedClassWarning
from cfworkflows_emulator.api.rest.details import describe
from cfworkflows_emulator.dev.console import Console, ConsoleHandler
from cfworkflows_emulator.views import History, describe_instance, describe_timeline, timeline

SECRET = "hunter2"
HIDDEN = {"sensitive": "output"}
REDACTED = "[REDACTED]"


class Pin(pydantic.BaseModel):
    pin: int


async def stream():
    yield SECRET.encode()


async def surfaces(server, instance, capsys, caplog, warned):
    """All that can be seen of an instance from outside, as text, by where it is seen."""
    row, entries = await server.engine.history(instance._workflow, instance.id)
    history = History.of(entries)
    events = [event async for event in await instance.subscribe()]
    printed = capsys.readouterr()
    return {
        "status": repr(await instance.status()),
        "explorer": json.dumps(describe_instance(history)),
        "described": json.dumps(describe_timeline(row, history, 0, 0)),
        "rest": json.dumps(describe(history, "", simple=False, newest_first=False)),
        "test kit": timeline(history),
        "subscribe": repr(events),
        "console": printed.out + printed.err,
        "log": caplog.text,
        "warnings": "\n".join(str(each.message) for each in warned),
        "journal of errors": repr([entry.data for entry in entries]),
    }


async def plain(step):
    assert {SECRET: SECRET} == await step.do("s", HIDDEN, lambda: {SECRET: SECRET})


async def streamed(step):
    assert SECRET == await Response(await step.do("s", HIDDEN, stream)).text()


async def nested(step):
    async def outer():
        await step.do("inner", HIDDEN, lambda: SECRET)

    await step.do("outer", outer)


async def misfit(step):
    await step.do("s", HIDDEN, lambda: {"pin": SECRET}, returns=Pin)


async def misfit_caught(step):
    with pytest.raises(PayloadValidationError, match=r"s-1 does not fit Pin\. What does not fit is not shown"):
        await step.do("s", HIDDEN, lambda: {"pin": SECRET}, returns=Pin)


async def no_longer_a_model(step):
    assert {"pin": SECRET} == await step.do("s", HIDDEN, lambda: Pin.model_construct(pin=SECRET))


async def unserialisable(step):
    await step.do("s", HIDDEN, lambda: {SECRET: threading.Lock()})


async def unserialisable_caught(step):
    with pytest.raises(SerializationError, match=r"not serialisable\. What and where is not shown"):
        await step.do("s", HIDDEN, lambda: {SECRET: threading.Lock()})


async def too_large(step):
    await step.do("s", HIDDEN, lambda: SECRET * 1024 * 1024)


async def no_stream_of_bytes(step):
    async def texts():
        yield SECRET

    await step.do("s", HIDDEN, texts)


async def fails_half_way(step):
    async def half(ctx):
        yield SECRET.encode() * 100_000
        if ctx.attempt == 1:
            raise ValueError("half way")

    await step.do("s", {**HIDDEN, "retries": {"limit": 1, "delay": 1}}, half)


async def late(step):
    async def slow():
        await step.sleep("nap", "1 minute")
        return SECRET

    with suppress(TimeoutError):
        await step.do("s", {**HIDDEN, "timeout": 1000, "retries": {"limit": 0, "delay": 0}}, slow)
    await step.sleep("long", "1 hour")


async def undone(step):
    async def undo(context):
        assert SECRET == context.output

    await step.do("s", HIDDEN, lambda: SECRET, {"rollback": undo})
    await step.sleep("nap", "1 hour")
    raise NonRetryableError("undo")


async def evicted(step):
    secret = await step.do("s", HIDDEN, lambda: SECRET)
    await step.sleep("nap", "1 hour")
    await step.do("use", lambda: len(secret))


@pytest.fixture
def console(caplog):
    """What `cfwf dev` prints, at its most talkative."""
    caplog.set_level(logging.DEBUG)
    handler = ConsoleHandler(Console("debug"))
    logging.getLogger("cfworkflows").addHandler(handler)
    yield
    logging.getLogger("cfworkflows").removeHandler(handler)


@pytest.mark.parametrize(
    "program",
    [
        plain, streamed, nested, misfit, misfit_caught, no_longer_a_model, unserialisable, unserialisable_caught,
        too_large, no_stream_of_bytes, fails_half_way, late, undone, evicted,
    ],
)  # fmt: skip
@pytest.mark.filterwarnings("always")
async def test_no_surface_shows_it(serve, program, capsys, caplog, console):
    """Neither when all is well nor when something is wrong with it: not in an answer, not in a line that is printed."""
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        server = await serve(program, evict_after_ms=0)
        instance = await server.create()
        await server.finish(instance)
        shown = await surfaces(server, instance, capsys, caplog, warned)
    assert [] == [where for where, text in shown.items() if SECRET in text]
    assert shown["console"]


@pytest.mark.parametrize("program", [plain, streamed], ids=["value", "stream"])
async def test_what_is_shown_instead(serve, program):
    """`[REDACTED]`, in the step's history and to subscribers."""
    server = await serve(program)
    instance = await server.create()
    _, entries = await server.engine.history(instance._workflow, instance.id)
    [step] = describe_instance(History.of(entries))["steps"]
    assert (REDACTED, "output") == (step["output"], step["config"]["sensitive"])
    [event] = [event async for event in await instance.subscribe({"filter": ["step_completed"]})]
    assert REDACTED == event.output


async def test_what_no_longer_fits_is_warned_of_without_what_it_is(serve):
    """The warning names the step."""
    server = await serve(no_longer_a_model)
    with pytest.warns(UnresolvedClassWarning, match="output of step s-1 is read as plain data") as warned:
        instance = await server.create()
    assert [__file__] == [each.filename for each in warned]
    assert "complete" == (await instance.status()).status


async def test_the_output_of_the_workflow_and_errors_are_not_hidden(serve):
    """The platform's rule: what `run()` returns or raises is the author's to decide."""

    async def run(step):
        secret = await step.do("s", HIDDEN, lambda: SECRET)
        with pytest.raises(ValueError, match=SECRET):
            await step.do("t", {**HIDDEN, "retries": {"limit": 0, "delay": 0}}, lambda: int(secret))
        return secret

    server = await serve(run)
    assert SECRET == await server.run()


@pytest.mark.parametrize("program", [plain, streamed], ids=["value", "stream"])
async def test_the_database_has_it(serve, program):
    """A replay needs it, so the state folder is as secret as the secret: the one exception."""
    server = await serve(program, file=True)
    await server.create()
    await server.stop()
    stored = await asyncio.to_thread(lambda: b"".join(path.read_bytes() for path in server.path.parent.iterdir()))
    assert SECRET.encode() in stored
