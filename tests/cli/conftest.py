import pytest
from devserver import failing as failing
from devserver import running as running
from devserver import starting as starting
from devserver import write as write
from workflows_shop import CONFIG, WORKER, Shop


@pytest.fixture
def shop(write):
    """`cfwf workflows` in the folder of a project that is not served."""
    return Shop(write(WORKER, CONFIG))
