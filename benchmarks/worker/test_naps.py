"""A test of a hundred steps and a hundred sleeps, in an environment of its own. Twin: `peer/naps.test.js`."""

import os

import pytest

NAPS = 100


@pytest.mark.parametrize("number", range(int(os.environ["BENCH_TESTS"])))
async def test_naps(env, number):
    """A month of naps ends with their number."""
    instance = await env.BENCH.create(params={"kind": "naps", "n": NAPS})
    assert await instance.result() == NAPS
