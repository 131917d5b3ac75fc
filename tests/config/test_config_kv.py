"""`kv_namespaces`: which namespace a binding has on this machine, and what is refused."""

import pytest
from config_project import Project

from cfworkflows_emulator.config import KV_NAMESPACES, ConfigError


def test_the_namespace_is_named_by_the_first_id_there_is(project: Project) -> None:
    """That for development, that for production, the binding's name."""
    loaded = project.load(
        {
            "kv_namespaces": [
                {"binding": "A"},
                {"binding": "B", "id": "b"},
                {"binding": "C", "id": "b", "preview_id": "p"},
            ]
        }
    )
    assert ["A", "b", "p"] == [section.namespace for section in loaded.sections(KV_NAMESPACES)]


def test_a_remote_namespace_is_refused(project: Project) -> None:
    """With its place, and what to do; one that says it is not remote is fine."""
    assert [] == project.load({"kv_namespaces": [{"binding": "A", "remote": False}]}).warnings
    with pytest.raises(ConfigError) as caught:
        project.load({"kv_namespaces": [{"binding": "A", "remote": True}]})
    [problem] = caught.value.diagnostics
    assert (
        '"kv_namespaces[0].remote" asks for data on Cloudflare, and no binding leaves this machine.' == problem.message
    )
    assert "fill the one on this machine with `cfwf kv key put --binding A KEY VALUE`" in str(problem.suggestion)
