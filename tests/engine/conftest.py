"""Fixtures that several files of this folder use."""

import pytest
from programs import effects
from restarted import Program
from slot_work import Work


@pytest.fixture(autouse=True)
def _no_effects():
    effects.clear()


@pytest.fixture
def work():
    return Work()


@pytest.fixture
def working(serve, work):
    async def run(event, step):
        return await work.run(event, step)

    return lambda limit, **options: serve(run, concurrency_limit=limit, **options)


@pytest.fixture
def program():
    return Program()
