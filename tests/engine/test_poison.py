"""Errors, values and entries that cannot be printed, compared or read harm their own instance alone, and are stored."""

import asyncio
import json
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows import NonRetryableError
from cfworkflows.errors import LONGEST_ERROR, ErrorRecord, StepError, WorkflowError
from cfworkflows_emulator.tracebacks import format_error, format_error_only, printable_error
from cfworkflows_emulator.views import describe_instance, printable, timeline
from cfworkflows_emulator.views.history import History

FAIL = {"retries": {"limit": 1, "delay": 0}}


class Nameless(type):
    """A metaclass that knows nothing."""

    def __getattribute__(cls, name):
        raise KeyError(name)


def hostile(*names: str, base: type = ValueError, failure: BaseException | None = None) -> BaseException:
    """An error whose class raises in the methods `names`."""

    def fail(self, *arguments):
        raise failure or KeyError("no")

    return type("Hostile", (base,), dict.fromkeys(names, fail))("boom")


def unpropertied(name: str) -> BaseException:
    """An error with an attribute that raises when it is read."""

    def fail(self):
        raise KeyError(name)

    return type("Hostile", (ValueError,), {name: property(fail)})("boom")


def chained(length: int, how: str) -> BaseException:
    """An error with many behind it."""
    error: BaseException = ValueError("first")
    for number in range(length):
        following = ValueError(f"number {number}")
        setattr(following, how, error)
        error = following
    return error


def cyclic() -> BaseException:
    """Errors behind each other in a circle."""
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__context__ = other, one
    return one


def nested(depth: int) -> BaseException:
    error: Exception = ValueError("innermost")
    for _ in range(depth):
        error = ExceptionGroup("several", [error])
    return error


class Talkative(str):
    """A text whose methods raise."""

    __slots__ = ()

    def __len__(self):
        raise KeyError("no length")

    def encode(self, *arguments):
        raise KeyError("no bytes")

    def __str__(self):
        raise KeyError("no text")


POISON = {
    "getattr": lambda: hostile("__getattr__"),
    "getattribute": lambda: hostile("__getattribute__"),
    "str and repr": lambda: hostile("__str__", "__repr__"),
    "str that interrupts": lambda: hostile("__str__", failure=KeyboardInterrupt()),
    "str that exits": lambda: hostile("__str__", failure=SystemExit(3)),
    "eq and hash": lambda: hostile("__eq__", "__hash__", "__bool__", "__len__"),
    "format": lambda: hostile("__format__", "__reduce__", "__reduce_ex__", "__dir__", "__setattr__", "__delattr__"),
    "notes": lambda: unpropertied("__notes__"),
    "class": lambda: unpropertied("__class__"),
    "traceback": lambda: unpropertied("__traceback__"),
    "cause": lambda: unpropertied("__cause__"),
    "context": lambda: unpropertied("__context__"),
    "args": lambda: unpropertied("args"),
    "name": lambda: type("Hostile", (NonRetryableError,), {"__getattribute__": Nameless.__getattribute__})("boom"),
    "metaclass": lambda: Nameless("Hostile", (ValueError,), {})("boom"),
    "text of another kind": lambda: type("Hostile", (ValueError,), {"__str__": lambda self: Talkative("boom")})(),
    "text that is none": lambda: type("Hostile", (ValueError,), {"__str__": lambda self: 5})(),
    "notes of another kind": lambda: type("Hostile", (ValueError,), {"__notes__": [hostile("__str__"), 5, None]})(),
    "notes in no list": lambda: type("Hostile", (ValueError,), {"__notes__": 5})(),
    "causes": lambda: chained(3_000, "__cause__"),
    "contexts": lambda: chained(3_000, "__context__"),
    "cycle": cyclic,
    "groups": lambda: nested(1_000),
    "wide group": lambda: ExceptionGroup("several", [ValueError(str(number)) for number in range(3_000)]),
    "hostile group": lambda: ExceptionGroup("several", [hostile("__getattribute__"), cyclic()]),
    "half characters": lambda: ValueError("\ud800 and \udfff"),
    "control characters": lambda: ValueError("\x00\x1b\r\n"),
    "key error": lambda: KeyError(hostile("__str__")),
    "syntax error": lambda: type("Hostile", (SyntaxError,), {"filename": 5, "lineno": "no", "text": 7})("boom"),
    "name error": lambda: type("Hostile", (NameError,), {"name": property(lambda self: 1 / 0)})("boom"),
}
poisoned = pytest.mark.parametrize("make", POISON.values(), ids=POISON.keys())


def raised(error: BaseException) -> BaseException:
    """`error` with a traceback."""
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - it is what was given
        return caught


@poisoned
def test_an_error_can_be_described_whatever_it_does(make):
    """A record, a traceback and something that can be logged are made of it; all can be written as UTF-8 or JSON."""
    record = ErrorRecord.of(raised(make()), format_error(raised(make())))
    assert {str} == {type(part) for part in (record.name, record.message, record.traceback)}
    json.dumps(record.as_dict())
    assert record.traceback.encode()
    assert format_error_only(raised(make())).encode()
    error = printable_error(raised(make()))
    assert logging.Formatter().formatException((type(error), error, error.__traceback__))


@poisoned
async def test_an_error_of_a_step_is_stored_and_the_step_tried_again(serve, make):
    """`run()` catches what is stored of it after the last attempt, and another instance goes on meanwhile."""

    async def failing(step):
        async def later():
            raise make()

        with pytest.raises(Exception):  # noqa: B017, PT011 - whatever it is rebuilt as
            await step.do("fail", FAIL, lambda: (_ for _ in ()).throw(make()))
        with pytest.raises(Exception):  # noqa: B017, PT011 - as above
            await step.do("fail later", FAIL, later)
        return "caught"

    server = await serve(failing)
    assert "caught" == await server.run()


@poisoned
async def test_an_error_of_run_ends_the_instance(serve, make):
    """It is errored, also after a restart, and can be shown and deleted."""

    async def failing(step):
        raise make()

    server = await serve(failing, file=True)
    instance = await server.create()
    assert "errored" == (await server.finish(instance)).status
    await server.restart()
    _, entries = await server.engine.history(instance._workflow, instance.id)
    history = History.of(entries)
    assert json.dumps(describe_instance(history))
    assert timeline(history)
    assert {instance.id} == await server.engine.delete_instances(instance._workflow, [instance.id])


@poisoned
async def test_an_error_of_a_rollback_handler_ends_the_rollback(serve, make):
    """The instance is errored with what `run()` raised."""

    async def failing(step):
        def undo():
            raise make()

        await step.do("a", lambda: 1, rollback=undo, rollback_config=FAIL)
        raise ValueError("run")

    server = await serve(failing)
    status = await server.finish(await server.create())
    assert ("errored", "run") == (status.status, status.error.message)


@poisoned
async def test_an_error_of_a_thread_a_stream_and_a_task_group(serve, make):
    """Each is the error of its step."""

    async def failing(step):
        def in_thread():
            raise make()

        async def stream():
            yield b"some"
            raise make()

        async def grouped():
            async with asyncio.TaskGroup() as group:
                group.create_task(raising())

        async def raising():
            raise make()

        failed = 0
        for name, callback in (("thread", in_thread), ("stream", stream), ("group", grouped)):
            try:
                await step.do(name, FAIL, callback)
            except Exception:  # noqa: BLE001 - whatever it is rebuilt as
                failed += 1
        return failed

    server = await serve(failing)
    assert 3 == await server.run()


def test_what_is_stored_of_an_error_is_limited():
    """The start and the end of a long text are kept, of a name, a message and a traceback."""
    message = "a" * 5_000_000 + "end"
    error = raised(ValueError(message))
    record = ErrorRecord.of(error, format_error(error)).limited()
    assert LONGEST_ERROR >= max(len(record.message), len(record.traceback))
    assert record.message.startswith("aaa")
    assert record.message.endswith("aend")
    assert "5,000,003 characters" in record.message


class Unreadable:
    """A value that raises whatever it is asked."""

    def __init__(self, failure: BaseException) -> None:
        object.__setattr__(self, "failure", failure)

    def __getattribute__(self, name):
        raise object.__getattribute__(self, "failure")


@pytest.mark.parametrize("failure", [KeyError("no"), SystemExit(3), GeneratorExit(), asyncio.CancelledError()])
async def test_a_value_that_cannot_be_read_is_refused(serve, failure):
    """As a result it fails the step, as an output the instance, with an error that names what it raised."""

    async def giving(step):
        with pytest.raises(Exception, match=r"no|exit|cannot be read|raised|was cancelled"):
            await step.do("give", FAIL, lambda: [Unreadable(failure)])
        return [Unreadable(failure)]

    server = await serve(giving)
    status = await server.finish(await server.create())
    assert "errored" == status.status
    assert type(failure).__name__ in status.error.message


scalars = (
    st.integers()
    | st.integers(min_value=10**4_500, max_value=10**4_501)
    | st.floats()
    | st.text(st.characters(codec=None))
    | st.binary()
    | st.datetimes(timezones=st.none() | st.timezones())
    | st.complex_numbers()
    | st.decimals()
    | st.none()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.integers(10**4_500), inner)
)


@given(values)
def test_every_value_can_be_shown(value):
    """As plain JSON, whatever Python has no text for."""
    assert json.dumps(printable(value))


@pytest.mark.parametrize(
    "result", [[10**5_000], {10**5_000: 1}, [float("nan")], ["\ud800"], ["\0"], b"\xff" * 10], ids=range(6)
)
async def test_what_can_be_stored_can_be_described(serve, result):
    """The result of a step and the output are shown, in the description and in the timeline."""

    async def giving(step):
        return await step.do("give", lambda: result)

    server = await serve(giving)
    instance = await server.create()
    _, entries = await server.engine.history(instance._workflow, instance.id)
    assert json.dumps(describe_instance(History.of(entries)))
    assert "give" in timeline(History.of(entries))


@pytest.mark.parametrize("name", ["a\ud800", "\udfff", "\ud800\udfff x"], ids=range(3))
async def test_a_name_that_is_no_text_is_refused(serve, name):
    """It fails the call in `run()`, and what others write is stored."""

    async def naming(step):
        refused = 0
        for call in (
            lambda: step.do(name, lambda: 1),
            lambda: step.sleep(name, 1),
            lambda: step.wait_for_event(name, {"type": "x"}),
            lambda: step.wait_for_event("w", {"type": name}),
        ):
            try:
                await call()
            except Exception:  # noqa: BLE001 - WorkflowFatalError, which other tests are about
                refused += 1
        return [refused, await step.do("fine", lambda: 1)]

    server = await serve(naming)
    assert [4, 1] == await server.run()


@pytest.mark.parametrize("id", ["a\ud800", "\0", "x" * 100_000, ""], ids=range(4))
async def test_an_id_that_nothing_can_have_is_not_found(serve, id):
    """Whatever it is made of."""

    async def run(step):
        return 1

    server = await serve(run)
    with pytest.raises(WorkflowError) as caught:
        await server.get(id)
    assert caught.value.code in ("instance.not_found", "instance.invalid_id")


DAMAGE = {
    "no JSON": "UPDATE journal SET data = '{' WHERE type = 'attempt_started'",
    "other JSON": "UPDATE journal SET data = '[1]' WHERE type = 'attempt_started'",
    "unknown type": "UPDATE journal SET type = 'from_the_future' WHERE type = 'attempt_started'",
    "missing entry": "DELETE FROM journal WHERE type = 'step_started'",
    "missing start": "DELETE FROM journal WHERE seq = 1",
    "missing attempt": "DELETE FROM journal WHERE type = 'attempt_started'",
    "missing result": "DELETE FROM journal WHERE type = 'step_completed'",
    "step without a name": "UPDATE journal SET step = NULL WHERE type = 'step_started'",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
async def test_an_instance_whose_journal_cannot_be_read_stands_alone(serve, caplog, damage):
    """It is errored and named, and can be deleted; the others that are due with it go on."""

    async def napping(step):
        await step.do("a", lambda: 1)
        await step.sleep("nap", "1 day")
        return "rested"

    server = await serve(napping, file=True)
    bad = await server.create(id="bad")
    good = await server.create(id="good")
    await server.engine.store.flushed()
    key = (await server.engine.history(bad._workflow, "bad"))[0].key
    await server.database.run(
        lambda connection: connection.execute(f"{damage} AND instance = {key}" if "WHERE" in damage else damage)
    )
    await server.restart()
    assert "rested" == (await server.finish(await server.get(good.id))).output
    bad = await server.get("bad")
    status = await bad.status()
    assert ("errored", True) == (status.status, "workflows.sqlite cannot be read" in status.error.message)
    assert {"bad": "errored", "good": "complete"} == {
        row.id: row.status for row in await server.engine.list(bad._workflow)
    }
    assert {"errored": 1, "complete": 1} == await server.engine.counts(bad._workflow)
    _, entries = await server.engine.history(bad._workflow, "bad")
    describe_instance(History.of(entries))
    assert {"bad"} == await server.engine.delete_instances(bad._workflow, ["bad"])


async def test_a_traceback_is_stored_once(serve):
    """With the attempt that failed, although the end of the step has the error too; `run()` and people see it."""

    async def failing(step):
        def fail():
            raise type("Mine", (Exception,), {})("boom")

        try:
            await step.do("fail", FAIL, fail)
        except StepError as error:
            return error.original_traceback

    server = await serve(failing)
    instance = await server.create()
    trace = (await server.finish(instance)).output
    assert "in fail" in trace
    _, entries = await server.engine.history(instance._workflow, instance.id)
    stored = [entry.data["error"]["traceback"] for entry in entries if "error" in entry.data]
    assert [True, True, False] == [each is not None for each in stored]
    lines = [line for line in timeline(History.of(entries)).splitlines() if "boom" in line]
    assert [True, True, True] == ["test_poison.py:" in line for line in lines]
