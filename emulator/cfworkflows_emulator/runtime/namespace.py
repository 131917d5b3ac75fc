"""The modules of a Worker that is not the only Worker of its process: another may have modules of the same names.

They are submodules of a package that stands for the folder of the Worker. Its code does not see that: its `import`
statements look there first, because a module may have its own `__import__`, in its `__builtins__`.
"""

import builtins
import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import ModuleSpec, NamespaceLoader, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any


class Namespace(importlib.abc.MetaPathFinder):
    """The modules in `folder`, under names that begin with the Worker's name. `close` ends it.

    `importlib.import_module` does not know it: only statements do.
    """

    def __init__(self, worker: str, folder: Path) -> None:
        # With the hyphen it has no name that a statement could import.
        self.package = f"worker-{worker}"
        self._folder = str(folder)
        self._own: dict[str, bool] = {}
        self._builtins: dict[str, Any] = {**vars(builtins), "__import__": self._import}
        package = ModuleType(self.package, f"The modules of Worker {worker}.")
        package.__path__ = [self._folder]
        sys.modules[self.package] = package
        sys.meta_path.insert(0, self)

    def load(self, main: Path) -> ModuleType:
        """The module at `main`, which is in the folder. Raises what its code raises."""
        own = main.stem.replace(".", "_")
        self._own[own] = True
        name = self._name(own)
        spec = importlib.util.spec_from_file_location(name, main, loader=_Loader(name, str(main), self._builtins))
        if spec is None or spec.loader is None:
            raise ImportError(f"{main} is not a Python file.")
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        return module

    def close(self) -> None:
        sys.meta_path.remove(self)
        for name in [name for name in sys.modules if name == self.package or name.startswith(f"{self.package}.")]:
            del sys.modules[name]

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Called for every import: the spec of a module that is in the folder."""
        if not fullname.startswith(f"{self.package}."):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = _Loader(spec.loader.name, str(spec.loader.path), self._builtins)
        return spec

    def _name(self, module: str) -> str:
        return f"{self.package}.{module}"

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the names of `__import__`
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        top = name.partition(".")[0]
        if level or not self._is_own(top):
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        try:
            if fromlist:
                return builtins.__import__(self._name(name), globals, locals, fromlist, 0)
            importlib.import_module(self._name(name))
        except ModuleNotFoundError as error:
            if error.name is not None and error.name.startswith(f"{self.package}."):
                own = error.name.removeprefix(f"{self.package}.")
                raise ModuleNotFoundError(f"No module named {own!r}", name=own) from None
            raise
        return sys.modules[self._name(top)]

    def _is_own(self, top: str) -> bool:
        """Whether modules of this name are the Worker's: they are in its folder, or were made by its code."""
        if top in sys.stdlib_module_names:
            return False
        if top not in self._own:
            spec = PathFinder.find_spec(self._name(top), [self._folder])
            is_folder = spec is not None and (spec.loader is None or isinstance(spec.loader, NamespaceLoader))
            # A folder without __init__.py is a package only where nothing else is of that name.
            self._own[top] = spec is not None and not (is_folder and _is_elsewhere(top))
        return self._own[top]


class _Loader(SourceFileLoader):
    def __init__(self, name: str, path: str, builtins: dict[str, Any]) -> None:
        super().__init__(name, path)
        self._builtins = builtins

    def exec_module(self, module: ModuleType) -> None:
        module.__dict__["__builtins__"] = self._builtins
        super().exec_module(module)


def _is_elsewhere(top: str) -> bool:
    return top in sys.modules or importlib.util.find_spec(top) is not None
