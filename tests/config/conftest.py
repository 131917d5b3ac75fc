"""The project in a temporary folder that the tests of the configuration write to."""

from pathlib import Path

import pytest
from config_project import Project


@pytest.fixture
def json_project(tmp_path: Path) -> Project:
    """A project whose configuration is wrangler.jsonc."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "entry.py").touch()
    return Project(tmp_path)


@pytest.fixture(params=["wrangler.jsonc", "wrangler.toml"])
def project(request: pytest.FixtureRequest, json_project: Project) -> Project:
    """A project, once with each format."""
    json_project.name = request.param
    return json_project
