"""The entry point: the Python file that `main` names."""

from collections.abc import Iterable
from pathlib import Path

from cfworkflows_emulator.config.diagnostics import closest, did_you_mean
from cfworkflows_emulator.config.report import Report
from cfworkflows_emulator.config.resolved import Resolved


def check_main(resolved: Resolved, directory: Path) -> Path | None:
    """The path of the entry point, if it is a file that can be run."""
    report = resolved.report("main")
    main = resolved.data.get("main")
    if main is None:
        snippet = 'main = "src/entry.py"' if report.source.is_toml else '{\n  "main": "src/entry.py"\n}'
        report.error(
            "Missing entry-point to Worker script\n\n"
            f'Add the following to your "{report.source.path.name}" file:\n\n```\n{snippet}\n```',
            suggestion=_assets_only(resolved) or _misspelt_main(report),
        )
        return None
    if not isinstance(main, str):
        return None  # its type is reported already
    path = directory / main
    if path.is_dir():
        inside = sorted(file.name for file in path.glob("*.py"))
        report.error(
            f'The provided entry-point path, "{main}", points to a directory, rather than a file.',
            ("main",),
            suggestion=f'Did you mean "{Path(main, _likely(inside)).as_posix()}"?' if inside else None,
        )
    elif not path.is_file():
        report.error(
            f'The entry-point file at "{main}" was not found.\n\n'
            "This might mean that your entry-point file needs to be generated "
            "(which is the general case when a framework is being used).\n"
            "If that's the case please run your project's build command and try again.",
            ("main",),
            suggestion=_nearby(main, directory),
        )
    elif path.suffix != ".py":
        report.error(
            f'The entry-point file at "{main}" is not a Python file.',
            ("main",),
            suggestion=_TYPESCRIPT if path.suffix in _SCRIPTS else _PYTHON,
        )
    else:
        return path
    return None


_SCRIPTS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_PYTHON = '"main" is the .py file with your WorkerEntrypoint and WorkflowEntrypoint classes.'
_TYPESCRIPT = (
    "This is the configuration of a Worker in TypeScript or JavaScript. Port the code (docs/porting.md has it line by "
    'line), put it beside that file, as in src/entry.py, set "main" to it, and add "python_workers" to '
    '"compatibility_flags".'
)


def _assets_only(resolved: Resolved) -> str | None:
    return "A Worker of static assets alone is not supported yet." if resolved.data.get("assets") else None


def _misspelt_main(report: Report) -> str | None:
    close = closest("main", [key for key in report.source.data if key not in ("name", "main")])
    return f'Did you write "{close}" instead of "main"?' if close is not None else None


def _nearby(main: str, directory: Path) -> str | None:
    """The Python file that was probably meant, near the missing one."""
    folders = [directory, directory / "src", (directory / main).parent]
    found = sorted(
        {file.relative_to(directory).as_posix() for folder in folders for file in _python_files(folder, directory)}
    )
    if not found:
        return None
    return did_you_mean(main, found) or f"Python files that are there: {', '.join(found[:5])}."


def _python_files(folder: Path, directory: Path) -> Iterable[Path]:
    return (file for file in folder.glob("*.py") if file.is_relative_to(directory))


def _likely(names: list[str]) -> str:
    return next((name for name in ("entry.py", "main.py", "index.py", "worker.py") if name in names), names[0])
