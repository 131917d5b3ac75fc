"""`cfwf check`, as people and CI call it."""

import json

import pytest
from command import cfwf

CONFIG = """\
name = "shop"
main = "src/entry.py"
compatibility_date = "2026-11-01"
compatibility_flags = ["python_workers"]

[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""
GOOD = """\
from cfworkflows import WorkflowEntrypoint


class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.sleep("nap", "5 minutes")
"""
WARNED = GOOD + '        await step.do("long", lambda: 1, timeout="2 hours")\n'
BAD = GOOD.replace("5 minutes", "5minutes")


@pytest.fixture
def project(tmp_path):
    """Write the main file, beside a configuration; gives the folder."""

    def project(source, config=CONFIG):
        (tmp_path / "src").mkdir(exist_ok=True)
        (tmp_path / "wrangler.toml").write_text(config)
        (tmp_path / "src/entry.py").write_text(source)
        return tmp_path

    return project


def test_nothing_is_wrong(project):
    """A project without a problem says what was looked at, and ends with 0."""
    done = cfwf("check", cwd=project(GOOD))
    assert (0, "No problems found in 1 file, 1 workflow.\n", "") == (done.returncode, done.stdout, done.stderr)


def test_finding_is_shown_with_its_line(project):
    """A finding has its rule, its place, its line with a caret, and a fix; the command ends with 1."""
    done = cfwf("check", cwd=project(BAD))
    assert 1 == done.returncode
    assert "error[duration]: '5minutes' is not a duration" in done.stdout
    assert (
        "  at src/entry.py:6:33\n"
        '    6 |         await step.sleep("nap", "5minutes")\n'
        "      |                                 ^\n"
        '  Did you mean "5 minutes"?\n'
    ) in done.stdout
    assert done.stdout.endswith("\n1 error, 0 warnings in 1 file, 1 workflow.\n")


def test_warnings_fail_when_strict(project):
    """A warning is no failure, but with --strict."""
    folder = project(WARNED)
    done = cfwf("check", cwd=folder)
    assert (0, True) == (done.returncode, "warning[long-timeout]" in done.stdout)
    assert 1 == cfwf("check", "--strict", cwd=folder).returncode


def test_json(project):
    """--json has the counts, and each finding with its place."""
    done = cfwf("check", "--json", cwd=project(BAD))
    report = json.loads(done.stdout)
    assert (1, 1, 0) == (done.returncode, report["errors"], report["warnings"])
    (finding,) = report["findings"]
    assert ("duration", "error", "src/entry.py", 6, 33, 'Did you mean "5 minutes"?') == tuple(
        finding[key] for key in ("rule", "severity", "file", "line", "column", "fix")
    )


def test_errors_of_the_configuration(project):
    """The configuration's own errors are shown, as text and as JSON, and end with 1."""
    folder = project(GOOD, CONFIG.replace('"src/entry.py"', '"src/entri.py"'))
    done = cfwf("check", cwd=folder)
    assert (1, True) == (done.returncode, "error[config]: The entry-point file" in done.stdout)
    assert "at wrangler.toml:2:8" in done.stdout
    (finding,) = json.loads(cfwf("check", "--json", cwd=folder).stdout)["findings"]
    assert ("config", "wrangler.toml", 2) == (finding["rule"], finding["file"], finding["line"])


@pytest.mark.parametrize(
    "config",
    [
        CONFIG.replace('name = "shop"', "name = 1"),
        CONFIG.replace('"src/entry.py"', '"src/entri.py"'),
        CONFIG.replace("main =", "main"),
        CONFIG + '[env.staging]\nmain = "src/entry.py"\nname = 1\n',
    ],
)
def test_errors_of_the_configuration_do_not_hide_those_of_the_code(project, config):
    """The code is looked at although the configuration cannot be used."""
    done = cfwf("check", "--env", "staging" if "staging" in config else "", cwd=project(BAD, config))
    assert 1 == done.returncode
    assert "error[config]" in done.stdout
    assert "error[duration]: '5minutes' is not a duration" in done.stdout
    assert done.stdout.endswith(" in 1 file, 1 workflow.\n")


def test_no_configuration_at_all(tmp_path):
    """Without a configuration there is no code to look at."""
    done = cfwf("check", cwd=tmp_path)
    assert (1, True) == (done.returncode, done.stdout.endswith("\n1 error, 0 warnings.\n"))


def test_configuration_of_a_typescript_project(project):
    """A configuration without the flag for Python gets a word, at its main file or its flags."""
    folder = project(GOOD, CONFIG.replace('compatibility_flags = ["python_workers"]\n', ""))
    done = cfwf("check", cwd=folder)
    assert (0, True) == (done.returncode, "warning[python-flag]: The configuration has no" in done.stdout)
    assert "at wrangler.toml:2:8" in done.stdout
    project(GOOD, CONFIG.replace("python_workers", "nodejs_compat"))
    assert "at wrangler.toml:4:23" in cfwf("check", cwd=folder).stdout


def test_configuration_of_another_folder(project, tmp_path_factory):
    """--config reads the project of that file, wherever the command is called."""
    done = cfwf("check", "--config", project(BAD) / "wrangler.toml", cwd=tmp_path_factory.mktemp("elsewhere"))
    assert (1, True) == (done.returncode, "error[duration]" in done.stdout)


def test_environment(project):
    """--env checks the bindings of that environment."""
    source = GOOD + "        print(self.env.ORDERS)\n"
    folder = project(source, CONFIG + '[env.staging]\nname = "staging"\n')
    assert 0 == cfwf("check", "--env", "", cwd=folder).returncode
    assert "env.ORDERS is not configured." in cfwf("check", "--env", "staging", cwd=folder).stdout
