"""The page on testing: every file in it is written down, and the tests among them are run."""

import re
import subprocess
from pathlib import Path
from types import ModuleType

from kit import ENVIRONMENT, PYTEST, ROOT

PAGE = (ROOT / "docs" / "testing.md").read_text()
FILES = re.findall(r'^```\w+ title="([^"]+)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)


def test_every_snippet_runs(tmp_path: Path) -> None:
    """The snippets together are a project whose tests pass, and no Python of the page is left out."""
    assert [] == re.findall(r"^```python\n", PAGE, re.MULTILINE)
    for name, text in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    tests = sum(text.count("async def test_") for _, text in FILES)
    command = [*PYTEST, "-q", "-W", "error"]
    recording = [*command, "--cfwf-record", "tests/test_history.py"]
    subprocess.run(recording, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=True)
    done = subprocess.run(command, cwd=tmp_path, env=ENVIRONMENT, capture_output=True, text=True, check=False)
    assert f"{tests} passed" in done.stdout, done.stdout + done.stderr


def test_every_setting_is_documented() -> None:
    """The table of settings has the ini options that there are."""
    from cfworkflows_emulator.testing.plugin import _INI

    assert list(_INI) == re.findall(r"^\| `(cfworkflows\w*)` \|", PAGE, re.MULTILINE)


def test_every_public_name_is_there() -> None:
    """What `cfworkflows.testing` offers can be imported, and is what the kit offers."""
    import cfworkflows.testing
    import cfworkflows_emulator.testing

    assert cfworkflows_emulator.testing.__all__ == cfworkflows.testing.__all__ == dir(cfworkflows.testing)
    aliases = {
        "introspect_workflow": "introspectWorkflow",
        "introspect_workflow_instance": "introspectWorkflowInstance",
    }
    for name in cfworkflows.testing.__all__:
        own = getattr(cfworkflows.testing, name)
        assert not isinstance(own, ModuleType)
        assert name in (own.__name__, aliases.get(own.__name__))
