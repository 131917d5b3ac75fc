import dataclasses
import sys

import pytest

from cfworkflows_emulator.runtime.loading import WorkerLoadError, loaded_module


def main_of(tmp_path, source, name="entry", folder="src"):
    main = tmp_path / folder / f"{name}.py"
    main.parent.mkdir(exist_ok=True)
    main.write_text(source)
    return main


def test_the_folder_of_main_is_the_import_root(tmp_path):
    """Modules beside the main module are imported by their bare names, whatever the folder is called."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src/beside_main.py").write_text("NAME = __name__\n")
    main = main_of(tmp_path, "import beside_main\nNAMES = [__name__, beside_main.NAME]\n")
    with loaded_module(main) as module:
        assert ["entry", "beside_main"] == module.NAMES
        assert str(main.parent) == sys.path[0]
        assert module is sys.modules["entry"]


def test_a_module_is_forgotten_at_the_end(tmp_path):
    """Two Workers in one process do not see each other's modules, and sys.path is as it was."""
    path = sys.path.copy()
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "beside_main.py").write_text(f"NUMBER = {number}\n")
        main = main_of(tmp_path, "from beside_main import NUMBER\n", folder=str(number))
        with loaded_module(main) as module:
            assert number == module.NUMBER
    assert not {"entry", "beside_main"} & sys.modules.keys()
    assert path == sys.path


def test_a_module_that_fails_tells_where(tmp_path):
    """The error shows the line of the user's module, and no frame of ours or of the import system."""
    main = main_of(tmp_path, "def boom():\n    return 1 / 0\n\nboom()\n")
    with pytest.raises(WorkerLoadError) as caught, loaded_module(main):
        pass
    text = str(caught.value)
    assert isinstance(caught.value.original, ZeroDivisionError)
    assert f"{main} could not be imported." == text.splitlines()[0]
    assert f'File "{main}", line 2, in boom' in text
    assert "importlib" not in text
    assert "loading.py" not in text
    assert "entry" not in sys.modules


def test_a_syntax_error_shows_the_line(tmp_path):
    """A file that is no Python is shown with the place that is wrong."""
    main = main_of(tmp_path, "def f(:\n")
    with pytest.raises(WorkerLoadError, match=r"def f\(:\n +\^\nSyntaxError: invalid syntax"), loaded_module(main):
        pass


def test_exit_at_import_is_an_error(tmp_path):
    """A module that calls sys.exit does not end the server."""
    main = main_of(tmp_path, "import sys\nsys.exit(3)\n")
    with pytest.raises(WorkerLoadError, match="SystemExit: 3"), loaded_module(main):
        pass


@pytest.mark.parametrize("name", ["src", "src.prices"])
def test_the_prefix_of_the_folder_is_explained(tmp_path, name):
    """`import src.prices` fails as on the platform, with its note."""
    main = main_of(tmp_path, f"import {name}\n")
    with pytest.raises(WorkerLoadError, match=r"shouldn't include a 'src\.' prefix"), loaded_module(main):
        pass


def test_relative_import_is_explained(tmp_path):
    """The main module is in no package, and what to write instead is said."""
    main = main_of(tmp_path, "from .workflow import W\n")
    with (
        pytest.raises(WorkerLoadError, match=r"in no package.*Leave the dots out: from workflow import"),
        loaded_module(main),
    ):
        pass


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("workers", r"Cloudflare's own SDK, `workers`, is not supported yet\. The same names are in `cfworkflows`"),
        ("workers.workflows", r"Cloudflare's own SDK, `workers`, is not supported yet\."),
        ("asgi", r"`asgi`, which serves FastAPI and other ASGI applications, is not supported yet"),
    ],
)
def test_module_of_the_platform_is_said_by_name(tmp_path, name, hint):
    """What is not supported yet is told apart from what is not installed."""
    main = main_of(tmp_path, f"import {name}\n")
    with pytest.raises(WorkerLoadError, match=hint), loaded_module(main):
        pass


@pytest.mark.parametrize(
    ("name", "other"), [("types", "of Python's standard library"), ("click", "which cfworkflows needs")]
)
def test_module_with_the_name_of_another_is_explained(tmp_path, name, other):
    """Both files are named: that of the Worker, and the one that was imported."""
    import click  # noqa: F401 - so that it is loaded

    main = main_of(tmp_path, f"from {name} import Env\n")
    (main.parent / f"{name}.py").write_text("Env = 1\n")
    with pytest.raises(WorkerLoadError) as caught, loaded_module(main):
        pass
    text = str(caught.value)
    assert f"src/{name}.py has the name of" in text
    assert other in text
    assert f"It was imported from {sys.modules[name].__file__}." in text


def test_name_that_a_module_does_not_have_has_no_note(tmp_path):
    """The hints are there only where they are the cause."""
    main = main_of(tmp_path, "from types import Env\n")
    with pytest.raises(WorkerLoadError) as caught, loaded_module(main):
        pass
    assert str(caught.value).splitlines()[-1].startswith("ImportError: cannot import name 'Env' from 'types'")


def test_another_missing_module_has_no_note(tmp_path):
    """The note about the prefix is there only when that is the cause."""
    main = main_of(tmp_path, "import not_installed_anywhere\n")
    with pytest.raises(WorkerLoadError) as caught, loaded_module(main):
        pass
    assert "No module named 'not_installed_anywhere'" in str(caught.value)
    assert "prefix" not in str(caught.value)


@pytest.mark.parametrize("name", ["calendar", "click", "queue"])
def test_the_name_of_another_module_is_refused(tmp_path, name):
    """A main module may not take the place of one that others import."""
    import click  # noqa: F401 - so that it is loaded

    with (
        pytest.raises(WorkerLoadError, match=f"take the place of the module {name}"),
        loaded_module(main_of(tmp_path, "", name)),
    ):
        pass


def test_any_file_name_can_be_loaded(tmp_path):
    """A main file is a path, not an identifier."""
    with loaded_module(main_of(tmp_path, "X = 1\n", "my-worker.v2")) as module:
        assert ("my-worker_v2", 1) == (module.__name__, module.X)


def test_dataclasses_of_the_module_find_it(tmp_path):
    """The module is registered before it runs, which dataclasses and pydantic rely on."""
    source = "from __future__ import annotations\nfrom dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\n"
    with loaded_module(main_of(tmp_path, source)) as module:
        assert ["x"] == [field.name for field in dataclasses.fields(module.A)]
