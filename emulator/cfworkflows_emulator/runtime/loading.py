"""Loads the main module of a Worker. Its folder is the import root, so that modules beside it import by their names."""

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from cfworkflows.errors import CfworkflowsError
from cfworkflows_emulator.imports import NO_PACKAGE, not_supported, shadowed
from cfworkflows_emulator.runtime.namespace import Namespace
from cfworkflows_emulator.tracebacks import format_error


class WorkerLoadError(CfworkflowsError):
    """The code of a Worker cannot be used. `original` is the exception it failed with, if it was one.

    `str()` is text to print: where that happened, trimmed to the Worker's own code, is part of it.
    """

    def __init__(self, message: str, original: BaseException | None = None) -> None:
        super().__init__(message)
        self.original = original


@contextmanager
def loaded_module(main: Path, apart: str | None = None) -> Iterator[ModuleType]:
    """The module at `main`, until the end of the block; then it and what it imported from its folder are forgotten.

    The module is called what its file is called, as on the platform: `entry` for `src/entry.py`. With `apart`, the
    name of a Worker, it and what it imports from its folder are kept apart from all other modules of these names.
    Raises WorkerLoadError if it does not import, or if its name is that of another module.
    """
    root = str(main.parent)
    before = set(sys.modules)
    namespace = Namespace(apart, main.parent) if apart is not None else None
    if namespace is None:
        sys.path.insert(0, root)
    try:
        yield _load(main) if namespace is None else _load_apart(main, namespace)
    finally:
        if namespace is None:
            sys.path.remove(root)
        else:
            namespace.close()
        for name in set(sys.modules) - before:
            file = getattr(sys.modules[name], "__file__", None)
            # A virtual environment below the folder holds packages that do not survive being imported twice.
            if file and Path(file).is_relative_to(root) and "site-packages" not in Path(file).parts:
                del sys.modules[name]


def _load(main: Path) -> ModuleType:
    name = main.stem.replace(".", "_")
    known = sys.modules.get(name)
    if known is not None and _is_from(known, main):
        return known  # a test has imported it, and needs the same classes
    if name in sys.stdlib_module_names or name in sys.modules:
        other = getattr(sys.modules.get(name), "__file__", None)
        where = f" ({other})" if other else " of Python's standard library"
        raise WorkerLoadError(
            f"{main} would take the place of the module {name}{where}, which other code imports. "
            "Give the file another name, such as entry.py, and change `main` in the configuration."
        )
    spec = importlib.util.spec_from_file_location(name, main)
    if spec is None or spec.loader is None:
        raise WorkerLoadError(f"{main} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise _not_loaded(main, error) from error
    return module


def _load_apart(main: Path, namespace: Namespace) -> ModuleType:
    try:
        return namespace.load(main)
    except (Exception, SystemExit) as error:
        raise _not_loaded(main, error) from error


def _not_loaded(main: Path, error: BaseException) -> WorkerLoadError:
    _explain(error, main)
    return WorkerLoadError(f"{main} could not be imported.\n\n{format_error(error)}", error)


def _is_from(module: ModuleType, path: Path) -> bool:
    file = getattr(module, "__file__", None)
    return file is not None and Path(file).resolve() == path.resolve()


def _explain(error: BaseException, main: Path) -> None:
    if not isinstance(error, ImportError):
        return
    folder, root = main.parent.name, main.parent
    name = error.name or ""
    if isinstance(error, ModuleNotFoundError) and name.partition(".")[0] == folder:
        error.add_note(
            f"If your main module is inside the '{folder}' directory then your import statement shouldn't include a "
            f"'{folder}.' prefix"
        )
    elif str(error).startswith("attempted relative import"):
        error.add_note(f"{NO_PACKAGE} Leave the dots out: from workflow import …")
    elif isinstance(error, ModuleNotFoundError) and (missing := not_supported(name)) is not None:
        error.add_note(" ".join(missing))
    elif name and (other := shadowed(root, name)) is not None:
        where = f" It was imported from {error.path}." if error.path is not None else ""
        error.add_note(f"{other[0]}{where} {other[1]}")
