"""Fixtures of the tests of the kit."""

import pytest
from mocked_orders import calls


@pytest.fixture(autouse=True)
def _no_calls():
    calls.clear()
