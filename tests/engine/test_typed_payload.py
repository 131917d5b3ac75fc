"""Workflows whose params have a type: checked when an instance is created, and typed in `run()`."""

from dataclasses import dataclass
from typing import TypedDict

import pytest
from pydantic import BaseModel
from world import workflow

from cfworkflows import CfworkflowsError


class Model(BaseModel):
    id: str
    total: float = 0


@dataclass
class Data:
    id: str
    total: float = 0


class Typed(TypedDict):
    id: str
    total: float


@pytest.mark.parametrize("params", [Model, Data, Typed])
async def test_the_payload_arrives_typed_also_after_a_restart(serve, params):
    """From plain data, and from an object of the class."""
    seen = []

    async def run(event, step):
        seen.append((type(event.payload).__name__, event.payload.id, event.payload.total))
        await step.sleep("nap", "1 day")

    server = await serve(workflow(run, params), file=True)
    plain = {"id": "a", "total": 2.5}
    instance = await server.create(params=plain if params is not Data else Data("a", 2.5))
    await server.restart()
    await server.clock.advance(0)
    await server.finish(await server.get(instance.id))
    name = "JsDict" if params is Typed else params.__name__
    assert len(seen) > 1
    assert [(name, "a", 2.5)] * len(seen) == seen


@pytest.mark.parametrize("params", [Model, Data, Typed])
async def test_a_payload_of_another_shape_is_refused_at_create(serve, params):
    """With the type and each wrong field; no instance is made."""

    async def run(event, step):
        return None

    server = await serve(workflow(run, params))
    with pytest.raises(CfworkflowsError) as caught:
        await server.create(id="i", params={"total": "much"})
    text = str(caught.value)
    assert f"does not fit {params.__name__}" in text
    assert "total: " in text
    assert "id: " in text
    assert not await server.engine.exists("run", "i")


async def test_a_payload_that_no_longer_fits_ends_the_instance_readably(serve):
    """The class was changed while the instance slept."""

    class Later(BaseModel):
        number: int

    async def run(event, step):
        await step.sleep("nap", "1 day")

    server = await serve(workflow(run, Model), file=True)
    instance = await server.create(params={"id": "a"})
    server.classes[0] = workflow(run, Later)
    await server.restart()
    await server.clock.advance("1 day")
    error = (await server.settled(await server.get(instance.id))).error
    assert "PayloadValidationError" == error.name
    assert "number: Field required" in error.message
