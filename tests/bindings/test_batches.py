"""`create_batch`: its object form, its list form, and that a batch is checked first and written at once."""

import asyncio
import dataclasses
import threading

import pytest
from world import Death, workflow

from cfworkflows import PayloadValidationError, SerializationError, WorkflowError

EXISTS = {"code": 10405, "message": "workflows.api.error.instance.already_exists"}
TWICE = {"code": 10415, "message": "workflows.api.error.instance.duplicate_in_batch"}
DURATION = (
    "(body) Duration must be a number or a string in format '{{number}} {{unit}}' "
    "where unit is second(s), minute(s), etc."
)
HINTS = ["wnam", "enam", "sam", "weur", "eeur", "apac", "apac-ne", "apac-se", "oc", "afr", "me"]
OPTION = "(body) Invalid option: expected one of " + "|".join(f'"{hint}"' for hint in HINTS)


async def echo(event, step):
    return event.payload


def ids(instances):
    return [instance.id for instance in instances]


async def outputs(server, instances):
    return [(await server.settled(instance)).output for instance in instances]


@pytest.mark.parametrize("name", ["create_batch", "createBatch"])
@pytest.mark.parametrize("as_keywords", [True, False])
async def test_instances_are_created_in_their_order(serve, name, as_keywords):
    """Each with its own id and params; nothing went wrong."""
    server = await serve(echo)
    options = {"instances": [{"id": "b", "params": 1}, {"id": "a"}, {"params": 3, "locationHint": "weur"}]}
    create = getattr(server["echo"], name)
    result = await (create(**options) if as_keywords else create(options))
    assert ["b", "a"] == ids(result.created)[:2]
    assert [1, {}, 3] == await outputs(server, result["created"])
    assert [] == result.errors


@pytest.mark.parametrize("count", [1, 100])
async def test_a_count_makes_as_many_with_the_same_params(serve, count):
    """And ids of their own."""
    server = await serve(echo)
    options = {"params": {"n": 1}, "retention": {"errorRetention": "1 day"}, "locationHint": "apac-ne"}
    result = await server["echo"].create_batch({"count": count}, **options)
    assert [{"n": 1}] * count == await outputs(server, result.created)
    assert count == len(set(ids(result.created)))
    assert [] == result.errors


async def test_without_params_a_counted_instance_has_an_empty_object(serve):
    """As from `create`."""
    server = await serve(echo)
    assert [{}] == await outputs(server, (await server["echo"].create_batch(count=1)).created)


async def test_taken_ids_are_errors_with_the_platforms_codes(serve):
    """The others are created. An id that is twice in the batch is so from its second place on, even if it exists."""
    server = await serve(echo)
    await server.create(id="old", params="first")
    batch = [{"id": "old"}, {"id": "a", "params": 1}, {}, {"id": "a", "params": 2}, {"id": "old"}, {"id": "b"}]
    result = await server["echo"].create_batch({"instances": batch})
    assert ["a", result.created[1].id, "b"] == ids(result.created)
    assert [
        {"index": 0, "id": "old", **EXISTS},
        {"index": 3, "id": "a", **TWICE},
        {"index": 4, "id": "old", **TWICE},
    ] == result.errors
    assert 10405 == result.errors[0].code
    assert [1] == await outputs(server, [await server.get("a")])
    assert ["first"] == await outputs(server, [await server.get("old")])


@pytest.mark.parametrize(
    ("options", "text", "note"),
    [
        ({}, "(body) Provided argument is invalid", "expected a list, or an object with count or instances, got {}"),
        ({"count": 1, "instances": [{}]}, "(body) count and instances cannot be given together", None),
        ({"count": 0}, "(body) count must be a positive integer", "It is 0."),
        ({"count": -1}, "(body) count must be a positive integer", "It is -1."),
        ({"count": "2"}, "(body) count must be a positive integer", "It is '2'."),
        ({"count": 1.5}, "(body) count must be a positive integer", "It is 1.5."),
        ({"count": True}, "(body) count must be a positive integer", "It is True."),
        (
            {"count": 101},
            "(body) batchCreate only supports 100 instances at a time",
            "count: 1 to 100, not 101. Make several batches.",
        ),
        ({"count": 1, "id": "a"}, "(body) Provided argument is invalid", "id: no such option"),
        ({"instances": []}, "(body) Batch size exceeds maximum allowed", "instances: 1 to 100, not 0."),
        ({"instances": [{}] * 101}, "(body) Batch size exceeds maximum allowed", "instances: 1 to 100, not 101."),
        ({"instances": "ab"}, "(body) Provided argument is invalid", "instances: expected a list of objects"),
        ({"instances": {}}, "(body) Provided argument is invalid", "instances: expected a list of objects"),
        ({"instances": None}, "(body) Provided argument is invalid", "instances: expected a list of objects"),
        ({"instances": [{}], "params": 1}, "(body) Provided argument is invalid", "params: no such option"),
        ({"instances": [{}, None]}, "(body) Provided argument is invalid", "instances[1]: expected an object"),
        ({"instances": [{}, {"parms": 1}]}, "(body) Provided argument is invalid", "instances[1].parms: no such"),
        *(
            ({"instances": [{}, {"id": id}]}, "(instance.invalid_id) Instance ID is invalid", "instances[1].id")
            for id in ("", "-a", "a.b", "a" * 101, 5, "batch", "terminate", "terminateAll", "cf_" + "0f" * 32)
        ),
        ({"count": 1, "retention": 5}, "(body) Provided argument is invalid", "retention: expected an object"),
        ({"count": 1, "retention": {"ever": 1}}, "(body) Provided argument is invalid", "retention.ever: no such"),
        ({"count": 1, "retention": {"errorRetention": 0}}, DURATION, "retention.errorRetention: it must be more than"),
        ({"instances": [{"retention": {"successRetention": "5minutes"}}]}, DURATION, "instances[0].retention.success"),
        ({"count": 1, "locationHint": "mars"}, OPTION, "locationHint: 'mars'"),
        ({"instances": [{}, {"location_hint": 5}]}, OPTION, "instances[1].locationHint: 5"),
    ],
)
async def test_an_object_that_is_wrong_is_refused_whole(serve, options, text, note):
    """With the platform's text, a note that says what is wrong where, and nothing created."""
    server = await serve(echo)
    with pytest.raises(WorkflowError) as caught:
        await server["echo"].create_batch(options)
    assert text == str(caught.value)
    notes = getattr(caught.value, "__notes__", [""])
    assert notes[0].startswith(note or "")
    assert {} == await server.engine.counts("echo")


@pytest.mark.parametrize("id", ["terminate_", "cf_" + "0" * 63, "cf_" + "0F" * 32, "a" * 100, "0-_"])
async def test_ids_beside_those_that_are_reserved(serve, id):
    """They are as good as any."""
    server = await serve(echo)
    assert [id] == ids((await server["echo"].create_batch(instances=[{"id": id}])).created)


@pytest.mark.parametrize("hint", HINTS)
async def test_every_location_hint_of_the_platform(serve, hint):
    """Has no effect here, and is accepted."""
    server = await serve(echo)
    assert 1 == len((await server["echo"].create_batch(count=1, location_hint=hint)).created)


@dataclasses.dataclass
class Order:
    n: int


async def typed(event, step):
    return event.payload.n


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"params": {"n": threading.Lock()}}, PayloadValidationError),
        ({"params": {"n": "no number"}}, PayloadValidationError),
    ],
)
@pytest.mark.parametrize("form", [list, lambda batch: {"instances": batch}])
async def test_params_are_checked_before_anything_is_created(serve, wrong, error, form):
    """In both forms; a note says which instance it is."""
    server = await serve(workflow(typed, Order))
    with pytest.raises(error) as caught:
        await server["typed"].create_batch(form([{"id": "a", "params": {"n": 1}}, wrong]))
    assert ["It is number 1 of the batch, counted from 0. Nothing was created."] == caught.value.__notes__
    assert {} == await server.engine.counts("typed")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"id": "a.b"}, WorkflowError),
        ({"retention": 5}, WorkflowError),
        ({"params": threading.Lock()}, SerializationError),
        ({"params": "x" * 2**21}, WorkflowError),
        ({"parms": 1}, TypeError),
        (None, TypeError),
    ],
)
async def test_a_list_with_something_wrong_creates_nothing(serve, wrong, error):
    """Not even what stands before it."""
    server = await serve(echo)
    with pytest.raises(error):
        await server["echo"].create_batch([{"id": "a"}, wrong])
    assert {} == await server.engine.counts("echo")


async def test_a_list_takes_no_keywords_beside_it(serve):
    """They would belong to no instance."""
    server = await serve(echo)
    with pytest.raises(TypeError, match="a list of instances, or keywords, not both"):
        await server["echo"].create_batch([{}], params=1)


async def test_a_batch_is_one_commit(serve, monkeypatch):
    """Killed after the first commit, all of it is there, and runs in the next process."""
    server = await serve(echo, file=True)
    with monkeypatch.context() as patch:
        death = Death(patch, 1)
        result = await server["echo"].create_batch(count=100)
        await death.came.wait()
        await server.kill()
    await server.start()
    await server.clock.settle()
    assert {"complete": 100} == await server.engine.counts("echo")
    assert [{}] * 100 == await outputs(server, [await server.get(id) for id in ids(result.created)])


async def test_a_batch_that_nobody_waits_for_is_created_all_the_same(serve):
    """As from `create`: the request may be gone."""
    server = await serve(echo)
    request = asyncio.ensure_future(server["echo"].create_batch(count=3))
    await asyncio.sleep(0)
    assert 3 == len(server.engine._creation.under_way)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    await asyncio.gather(*server.engine._creation.under_way)
    await server.clock.settle()
    assert {"complete": 3} == await server.engine.counts("echo")


async def test_batches_at_once_with_the_same_ids_create_each_once(serve):
    """What one creates, the other reports as existing."""
    server = await serve(echo)
    batch = [{"id": f"i{n}"} for n in range(10)]
    first, second = await asyncio.gather(*(server["echo"].create_batch(instances=batch) for _ in range(2)))
    assert (10, 10) == (len(first.created) + len(second.created), len(first.errors) + len(second.errors))
    assert {"complete": 10} == await server.engine.counts("echo")
