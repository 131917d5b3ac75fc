"""What the tests of types share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where mypy keeps what it knows of the packages, from one run to the next."""
    return tmp_path_factory.mktemp("mypy")
