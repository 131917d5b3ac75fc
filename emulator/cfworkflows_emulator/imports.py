"""Imports that cannot work in a Worker, and what to do about each.

`cfwf check` says it of the source, and `runtime.loading` of the error when a Worker is loaded.
"""

import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

_NOT_SUPPORTED = {
    "workers": "Cloudflare's own SDK, `workers`, is not supported yet.",
    "asgi": "Cloudflare's `asgi`, which serves FastAPI and other ASGI applications, is not supported yet.",
    "js": "`js`, the JavaScript objects of Pyodide, is not supported yet.",
    "pyodide": "`pyodide` is not supported yet.",
}
_INSTEAD = {
    "workers": "The same names are in `cfworkflows`: from cfworkflows import …",
    "asgi": "Answer requests in the `fetch` method of a WorkerEntrypoint.",
    "js": "`fetch`, `Request`, `Response` and `Headers` are in `cfworkflows`.",
    "pyodide": "Use Python's own objects: nothing has to be converted here.",
}


def not_supported(module: str) -> tuple[str, str] | None:
    """What is wrong with importing a module of the platform that there is not yet, and what to do instead."""
    top = module.partition(".")[0]
    return (_NOT_SUPPORTED[top], _INSTEAD[top]) if top in _NOT_SUPPORTED else None


def own_file(root: Path, module: str) -> Path | None:
    """The file that a module has in the folder of the Worker."""
    path = root.joinpath(*module.split("."))
    return next((file for file in (path / "__init__.py", path.with_name(f"{path.name}.py")) if file.is_file()), None)


NO_PACKAGE = (
    "The main module and the modules beside it are in no package, so that a relative import fails in them: the folder "
    "of the main module is where imports begin."
)
"""Why a relative import fails."""


def shadowed(root: Path, module: str) -> tuple[str, str] | None:
    """What else a module is that has a file in the folder of the Worker, and what to do about it; None if nothing.

    Packages that this one does not need are left alone: which of two is imported is then certain.
    """
    top = module.partition(".")[0]
    file = own_file(root, top)
    if file is None:
        return None
    if top in sys.stdlib_module_names:
        other = f"the module {top} of Python's standard library"
    elif (where := _needed(top)) is not None and where != file:
        other = f"the package {top} at {where}, which cfworkflows needs"
    else:
        return None
    is_folder = file.name == "__init__.py"
    shown, better = (f"{top}/", f"shop_{top}/") if is_folder else (file.name, f"shop_{top}.py")
    problem = (
        f"{root.name}/{shown} has the name of {other}: an import of {top} gives the one or the other, by what was "
        "imported before, and may give the wrong one to a library."
    )
    return problem, f"Give the {'folder' if is_folder else 'file'} a name of its own, such as {root.name}/{better}."


def _needed(top: str) -> Path | None:
    """Where an installed module is that cfworkflows needs."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        requires = distribution("cfworkflows").requires or ()
    except PackageNotFoundError:
        return None
    own = (each for each in requires if "extra ==" not in each)
    if top not in {re.split(r"[^\w-]", each, maxsplit=1)[0].replace("-", "_") for each in own}:
        return None
    installed = [each for each in sys.path if Path(each).name in ("site-packages", "dist-packages")]
    spec = PathFinder.find_spec(top, installed)
    return Path(spec.origin) if spec is not None and spec.origin is not None else None
