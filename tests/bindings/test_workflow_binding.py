"""`env.MY_WORKFLOW` and the handles it gives; `env` itself."""

import threading
import uuid

import pytest

from cfworkflows import SerializationError, WorkflowError
from cfworkflows.errors import UnsupportedBindingError
from cfworkflows_bindings import Environment


async def echo(event, step):
    return event.payload


async def wait(step):
    return (await step.wait_for_event("w", type="go")).payload


@pytest.mark.parametrize(
    ("arguments", "keywords"),
    [
        (({"id": "i", "params": {"n": 1}},), {}),
        ((), {"id": "i", "params": {"n": 1}}),
        (({"id": "i"},), {"params": {"n": 1}}),
        (({"id": "i", "params": {"n": 1}, "retention": {"successRetention": "1 day"}, "locationHint": "weur"},), {}),
    ],
)
async def test_create_takes_an_object_or_keywords(serve, arguments, keywords):
    """And gives a handle."""
    server = await serve(echo)
    instance = await server["echo"].create(*arguments, **keywords)
    await server.clock.settle()
    assert "i" == instance.id
    assert {"status": "complete", "output": {"n": 1}, "error": None, "rollback": None} == await instance.status()
    assert "<WorkflowInstance echo/i>" == repr(instance)


async def test_a_handle_knows_the_binding_it_comes_from(serve):
    """As the platform's handles do: its keys are `binding` and `id`."""
    binding = (await serve(echo))["echo"]
    assert binding is (await binding.create(id="i")).binding
    assert binding is (await binding.get("i")).binding


@pytest.mark.parametrize("arguments", [(), (None,), ({},)])
async def test_without_options_the_id_is_a_uuid_and_the_payload_empty(serve, arguments):
    """As on the platform."""
    server = await serve(echo)
    instance = await server.create(*arguments)
    assert instance.id == str(uuid.UUID(instance.id))
    assert {} == (await instance.status()).output


@pytest.mark.parametrize("id", ["", "-a", "a b", "a.b", "é", "a" * 101, 123, "a\n"])
async def test_what_is_no_id_is_refused(serve, id):
    """With the platform's text."""
    server = await serve(echo)
    with pytest.raises(WorkflowError) as caught:
        await server.create(id=id)
    assert "Workflow instance has invalid id" == str(caught.value)
    assert {} == await server.engine.counts("echo")


@pytest.mark.parametrize("id", [None, "cf_" + "0a" * 32])
async def test_none_and_reserved_ids_are_refused(serve, id):
    """None is null on the platform, which refuses it; nothing is created, alone or in a batch of either form."""
    server = await serve(echo)
    binding = server["echo"]
    for create in (
        lambda: binding.create(id=id),
        lambda: binding.create({"id": id}),
        lambda: binding.create_batch([{}, {"id": id}]),
        lambda: binding.create_batch(instances=[{}, {"id": id}]),
    ):
        with pytest.raises(WorkflowError, match=r"invalid id|Instance ID is invalid"):
            await create()
    assert {} == await server.engine.counts("echo")


@pytest.mark.parametrize("id", ["a" * 100, "_", "0", "A-b_9", "batch"])
async def test_ids_at_the_edge_of_the_pattern(serve, id):
    """1 to 100 letters, digits, hyphens and underscores."""
    assert id == (await (await serve(echo)).create(id=id)).id


async def test_an_id_is_taken_until_the_instance_is_gone(serve):
    """Also when it has ended."""
    server = await serve(echo, wait)
    await server.create(id="i")
    with pytest.raises(WorkflowError) as caught:
        await server.create(id="i")
    assert '(instance.already_exists) Workflow instance with id "i" already exists' == str(caught.value)
    assert "instance.already_exists" == caught.value.code
    assert "i" == (await server["wait"].create(id="i")).id


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"parms": 1}, TypeError, "create() does not know parms; it takes id, params, retention and locationHint"),
        ({"params": threading.Lock()}, SerializationError, "params cannot be stored: $: a _thread.lock"),
        ({"params": "é" * 600 * 1024}, WorkflowError, "(params.too_large) The params have 1.17 MiB"),
        ({"retention": {"successRetention": "5minutes"}}, WorkflowError, "retention: '5minutes' is not"),
        ({"retention": {"forever": 1}}, WorkflowError, "retention takes an object"),
        ({"retention": 5}, WorkflowError, "retention takes an object"),
    ],
)
async def test_options_that_are_refused(serve, options, error, text):
    """No instance is made."""
    server = await serve(echo)
    with pytest.raises(error) as caught:
        await server["echo"].create(options)
    assert text in str(caught.value)
    assert {} == await server.engine.counts("echo")
    with pytest.raises(TypeError, match="takes an object"):
        await server["echo"].create(5)


async def test_get_finds_what_was_created(serve):
    """And refuses what was not."""
    server = await serve(echo)
    await server.create(id="i")
    assert "i" == (await server["echo"].get("i")).id
    for missing in ("j", 5, None):
        with pytest.raises(WorkflowError) as caught:
            await server["echo"].get(missing)
        assert "instance.not_found" == caught.value.code
    with pytest.raises(WorkflowError, match=r"\(workflow.not_found\) There is no workflow called"):
        await server["other"].get("i")
    assert "<Workflow echo>" == repr(server["echo"])


async def test_a_batch_leaves_out_what_exists(serve):
    """In the order given; `createBatch` is the same."""
    server = await serve(echo)
    await server.create(id="b")
    created = await server["echo"].create_batch([{"id": "a"}, {"id": "b"}, {"id": "a"}, {"id": "c", "params": 3}])
    assert ["a", "c"] == [instance.id for instance in created]
    assert 3 == (await server.finish(created[1])).output
    assert 2 == len(await server["echo"].createBatch({} for _ in range(2)))


@pytest.mark.parametrize(
    ("batch", "text"),
    [
        ([], "batchCreate should have at least 1 instance"),
        ([{}] * 101, "batchCreate only supports 100 instances at a time"),
        ("ab", "(body) Provided argument is invalid"),
        (5, "(body) Provided argument is invalid"),
        ({}, "(body) Provided argument is invalid"),
    ],
)
async def test_batches_that_are_refused(serve, batch, text):
    """With the platform's texts, and nothing created."""
    server = await serve(echo)
    with pytest.raises(WorkflowError) as caught:
        await server["echo"].create_batch(batch)
    assert text in str(caught.value)
    assert {} == await server.engine.counts("echo")


@pytest.mark.parametrize(
    "send",
    [
        lambda instance: instance.send_event({"type": "go", "payload": 5}),
        lambda instance: instance.send_event(type="go", payload=5),
        lambda instance: instance.sendEvent({"type": "go"}, payload=5),
    ],
)
async def test_send_event_takes_an_object_or_keywords(serve, send):
    """The wait gets the payload."""
    server = await serve(wait)
    instance = await server.create()
    assert "waiting" == (await instance.status()).status
    await send(instance)
    assert 5 == (await server.settled(instance)).output


async def test_an_event_without_payload_has_none(serve):
    """Not a missing key."""
    server = await serve(wait)
    instance = await server.create()
    await instance.send_event(type="go")
    assert {"status": "complete", "output": None, "error": None, "rollback": None} == await server.settled(instance)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"type": "a.b"}, Exception, "workflow.invalid_event_type"),
        ({"type": ""}, Exception, "workflow.invalid_event_type"),
        ({"type": "a" * 101}, Exception, "workflow.invalid_event_type"),
        ({"type": 5}, Exception, "workflow.invalid_event_type"),
        ({"payload": 5}, TypeError, "needs the type of the event"),
        ({"type": "go", "data": 5}, TypeError, "does not know data; it takes type and payload"),
        ({"type": "go", "payload": threading.Lock()}, SerializationError, "payload cannot be stored"),
        ({"type": "go", "payload": "x" * 2**21}, WorkflowError, "(payload.too_large)"),
        (5, TypeError, "takes an object with type and payload"),
    ],
)
async def test_events_that_are_refused(serve, arguments, error, text):
    """Nothing of them reaches the instance."""
    server = await serve(wait)
    instance = await server.create()
    with pytest.raises(error) as caught:
        await instance.send_event(arguments)
    assert text in str(caught.value)
    assert [] == (await server.state(instance)).events


async def test_arguments_in_place_of_an_object_are_refused(serve):
    """The object that is meant is shown, for an instance and for an event."""
    server = await serve(wait)
    with pytest.raises(TypeError, match=r'not 2 arguments: write create\(\{"id": …, "params": …\}\)$'):
        await server["wait"].create("a", {"n": 1})
    instance = await server.create()
    with pytest.raises(TypeError, match=r'not 2 arguments: write send_event\(\{"type": …, "payload": …\}\)$'):
        await instance.send_event("go", 5)


async def test_a_failed_instance_shows_name_and_message(serve):
    """And no output."""

    async def fail(step):
        raise ValueError("bad")

    server = await serve(fail)
    error = {"name": "ValueError", "message": "bad"}
    expected = {"status": "errored", "output": None, "error": error, "rollback": None}
    assert expected == await server.settled(await server.create())


def test_env_has_its_bindings_as_attributes():
    """A missing one names those that are there; one that is not supported names its kind."""
    env = Environment({"KV": 1, "DB": 2}, {"AI": "ai"})
    assert (1, 2, ["KV", "DB"]) == (env.KV, env.DB, list(env))
    assert "KV" in env
    assert "AI" not in env
    assert {"KV", "DB"} < set(dir(env))
    assert "<env: KV, DB>" == repr(env)
    with pytest.raises(AttributeError, match=r"env has no binding X; the configuration has: KV, DB\."):
        _ = env.X
    with pytest.raises(UnsupportedBindingError, match=r"env\.AI is a binding of the kind ai, which cfworkflows does"):
        _ = env.AI
    assert not hasattr(env, "X")
    assert getattr(env, "AI", None) is None
    with pytest.raises(AttributeError, match="has: none"):
        _ = Environment({}).X
