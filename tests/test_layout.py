"""The layout of the project: which package may import which, and what the wheel and the SDK may not pull in."""

import ast
import statistics
import subprocess
import sys
import tomllib
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCES = {
    "cfworkflows": ROOT / "cfworkflows",
    "cfworkflows_bindings": ROOT / "bindings" / "cfworkflows_bindings",
    "cfworkflows_emulator": ROOT / "emulator" / "cfworkflows_emulator",
}

# Downhill: a room may import the rooms that stand behind it, and those that they may import.
ROOMS: dict[str, set[str]] = {
    "cfworkflows.errors": set(),
    "cfworkflows.durations": {"cfworkflows.errors"},
    "cfworkflows.cron": {"cfworkflows.errors"},
    "cfworkflows.caller": set(),
    "cfworkflows.generics": set(),
    "cfworkflows.values.jsdict": set(),
    "cfworkflows.checks": {"cfworkflows.generics", "cfworkflows.values.jsdict"},
    "cfworkflows.values": {"cfworkflows.errors", "cfworkflows.caller", "cfworkflows.checks"},
    "cfworkflows.typed": {"cfworkflows.values"},
    "cfworkflows.event": {"cfworkflows.values"},
    "cfworkflows.permit": set(),
    "cfworkflows.timers": set(),
    "cfworkflows.http": {"cfworkflows.durations", "cfworkflows.permit", "cfworkflows.timers", "cfworkflows.values"},
    "cfworkflows.web": {"cfworkflows.http"},
    "cfworkflows.absent": set(),
    "cfworkflows.step": {"cfworkflows.event", "cfworkflows.durations", "cfworkflows.typed"},
    "cfworkflows.entrypoint": {"cfworkflows.step"},
    "cfworkflows.environment": {"cfworkflows.entrypoint", "cfworkflows.permit"},
    "cfworkflows.types": {"cfworkflows.http"},
    "cfworkflows": {
        "cfworkflows.absent",
        "cfworkflows.cron",
        "cfworkflows.environment",
        "cfworkflows.types",
        "cfworkflows.web",
    },
    "cfworkflows_bindings.forms": {"cfworkflows"},
    "cfworkflows_bindings.workflow": {"cfworkflows_bindings.forms"},
    "cfworkflows_bindings.d1": {"cfworkflows_bindings.forms"},
    "cfworkflows_bindings.kv": {"cfworkflows_bindings.forms"},
    "cfworkflows_bindings.r2": {"cfworkflows_bindings.forms"},
    "cfworkflows_bindings.service": {"cfworkflows_bindings.forms"},
    "cfworkflows_bindings.environment": {"cfworkflows"},
    "cfworkflows_bindings": {
        "cfworkflows_bindings.workflow",
        "cfworkflows_bindings.d1",
        "cfworkflows_bindings.kv",
        "cfworkflows_bindings.r2",
        "cfworkflows_bindings.service",
        "cfworkflows_bindings.environment",
    },
    "cfworkflows_emulator": set(),
    "cfworkflows_emulator.hosts": set(),
    "cfworkflows_emulator.shown": set(),
    "cfworkflows_emulator.terminals": set(),
    "cfworkflows_emulator.timers": set(),
    "cfworkflows_emulator.clock": {"cfworkflows", "cfworkflows_emulator.timers"},
    "cfworkflows_emulator.tracebacks": {"cfworkflows"},
    "cfworkflows_emulator.turns": set(),
    "cfworkflows_emulator.handlers": set(),
    "cfworkflows_emulator.imports": set(),
    "cfworkflows_emulator.config": {"cfworkflows", "cfworkflows_emulator.shown"},
    "cfworkflows_emulator.analysis": {
        "cfworkflows_emulator.config",
        "cfworkflows_emulator.handlers",
        "cfworkflows_emulator.imports",
    },
    "cfworkflows_emulator.storage": {"cfworkflows", "cfworkflows_emulator.turns"},
    "cfworkflows_emulator.stores": {
        "cfworkflows_emulator.storage",
        "cfworkflows_emulator.clock",
        "cfworkflows_bindings",
    },
    "cfworkflows_emulator.actors": {"cfworkflows_emulator.storage", "cfworkflows_emulator.clock"},
    "cfworkflows_emulator.engine.journal": {"cfworkflows_emulator.storage", "cfworkflows_emulator.tracebacks"},
    "cfworkflows_emulator.engine.definition": {"cfworkflows_emulator.engine.journal"},
    "cfworkflows_emulator.engine.probe": {"cfworkflows_emulator.engine.journal"},
    "cfworkflows_emulator.engine.run": {
        "cfworkflows_emulator.engine.definition",
        "cfworkflows_emulator.engine.probe",
        "cfworkflows_emulator.actors",
    },
    "cfworkflows_emulator.engine": {"cfworkflows_emulator.engine.run"},
    "cfworkflows_emulator.runtime": {
        "cfworkflows_emulator.engine",
        "cfworkflows_emulator.stores",
        "cfworkflows_emulator.config",
        "cfworkflows_emulator.handlers",
        "cfworkflows_emulator.imports",
        "cfworkflows_bindings",
    },
    "cfworkflows_emulator.views": {"cfworkflows_emulator.engine", "cfworkflows_emulator.shown"},
    "cfworkflows_emulator.testing": {"cfworkflows_emulator.runtime", "cfworkflows_emulator.views"},
    "cfworkflows_emulator.api": {
        "cfworkflows_emulator",
        "cfworkflows_emulator.hosts",
        "cfworkflows_emulator.runtime",
        "cfworkflows_emulator.analysis",
        "cfworkflows_emulator.views",
    },
    "cfworkflows_emulator.server": {"cfworkflows_emulator.api", "cfworkflows_emulator"},
    "cfworkflows_emulator.supervisor": set(),
    "cfworkflows_emulator.dev": {
        "cfworkflows_emulator.server",
        "cfworkflows_emulator.supervisor",
        "cfworkflows_emulator.terminals",
        "cfworkflows_emulator",
    },
    "cfworkflows_emulator.cli": {
        "cfworkflows_emulator.dev",
        "cfworkflows_emulator.api",
        "cfworkflows_emulator.analysis",
    },
}

LONGEST_FILE, MEDIAN_FILE = 450, 120

# Files that are longer, and why. The list may only become shorter.
LONGER = {}

# The ways uphill: the test kit, which the SDK loads when it is asked for, and `python -m cfworkflows`.
DOORS = {
    ("cfworkflows.testing", "cfworkflows_emulator.testing"),
    ("cfworkflows.__main__", "cfworkflows_emulator.cli"),
}

# These rooms take from another one only what its `__init__` names, or what a module has that others may know.
KEEP_OUT_OF_OTHERS = {
    "cfworkflows_emulator.views",
    "cfworkflows_emulator.testing",
    "cfworkflows_emulator.api",
    "cfworkflows_emulator.cli",
    "cfworkflows_emulator.dev",
    "cfworkflows_emulator.runtime",
    "cfworkflows_emulator.server",
}
KNOWN_TO_OTHERS = {
    "cfworkflows.step.config": "the options of a step, as the journal keeps them",
    "cfworkflows.http.streams": "the body of a request as the server receives it",
    "cfworkflows.http.url": "the URL of a request as the server receives it",
    "cfworkflows_bindings.kv.options": "the limits of keys and values, which its API shares",
    "cfworkflows_bindings.r2.codes": "the codes and limits of its errors, which its APIs share",
    "cfworkflows_bindings.r2.conditions": "the conditions of a request over HTTP",
    "cfworkflows_bindings.r2.ranges": "the ranges of a request over HTTP",
    "cfworkflows_bindings.r2.metadata": "the headers of an object, which its APIs share",
    "cfworkflows_bindings.workflow.batch": "the platform's limits, which its APIs share",
    "cfworkflows_bindings.workflow.codes": "the codes of its errors, which its APIs share",
    "cfworkflows_bindings.workflow.restart": "the platform's names for the kinds of steps",
    "cfworkflows_emulator.config.discovery": "what there is to be read, before it is",
    "cfworkflows_emulator.config.kinds.kind": "what the kinds of every layer are made for",
    "cfworkflows_emulator.config.kinds.d1": "the section of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.config.kinds.kv": "the section of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.config.kinds.r2": "the section of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.config.kinds.service": "the section of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.config.kinds.workflow.kind": "the section of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.stores.d1": "the store of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.stores.d1.changes": "what the APIs do to a database",
    "cfworkflows_emulator.stores.d1.exports": "needs apsw, which a start does without",
    "cfworkflows_emulator.stores.d1.migrations": "needs apsw too",
    "cfworkflows_emulator.stores.d1.images": "needs apsw too",
    "cfworkflows_emulator.stores.d1.statements": "where statements end, for the command line",
    "cfworkflows_emulator.config.loading": "needs pydantic, which a start does without",
    "cfworkflows_emulator.config.validation": "needs pydantic too",
    "cfworkflows_emulator.stores.kv": "the store of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.engine.journal.entries": "what a journal says",
    "cfworkflows_emulator.engine.journal.state": "what a journal folds into",
    "cfworkflows_emulator.stores.r2": "the store of its kind, for the same kind in the runtime",
    "cfworkflows_emulator.storage.copies": "how a state is copied, for the runtime",
    "cfworkflows_emulator.storage.kept": "what the kinds of the runtime say of their data",
    "cfworkflows_emulator.storage.latefile": "the files of stores that are open",
    "cfworkflows_emulator.storage.names": "what the names of files stand for",
    "cfworkflows_emulator.storage.peer": "what another server kept, for the kinds of the runtime",
    "cfworkflows_emulator.stores.r2.peer": "needs apsw, which a start does without",
    "cfworkflows_emulator.storage.saves": "where saves and branches are, before a state is opened",
    "cfworkflows_emulator.storage.swap": "whether a state is about to be replaced, before it is opened",
    "cfworkflows_emulator.storage.folder": "where the state is and who holds it, before it is opened",
    "cfworkflows_emulator.engine.probe": "what a test hooks into an engine",
    "cfworkflows_emulator.engine.run.caller": "whose code is calling, for reports about it",
    "cfworkflows_emulator.server.failure": "what is served instead of a Worker that does not load",
    "cfworkflows_emulator.server.sockets": "opened before there is a server",
    "cfworkflows_emulator.supervisor.channel": "how the worker process and the supervisor talk",
    "cfworkflows_emulator.supervisor.keyboard": "the keys, which the supervisor reads",
    "cfworkflows_emulator.supervisor.messages": "what the worker process and the supervisor say to each other",
    "cfworkflows_emulator.supervisor.sources": "which files count as saved, on both sides",
    "cfworkflows_emulator.supervisor.supervisor": "the supervisor itself",
}

# Kinds do not know each other: neither the rooms that hold the data of kinds, nor the modules of kinds in one folder.
# With a folder stand the modules of it that its kinds share.
SIBLINGS = (
    "cfworkflows_emulator.engine",
    "cfworkflows_emulator.objects",
    "cfworkflows_emulator.stores",
    "cfworkflows_emulator.queues",
)
FOLDERS_OF_KINDS: dict[str, set[str]] = {
    "cfworkflows.types": set(),
    "cfworkflows_bindings": {"environment", "forms"},
    "cfworkflows_emulator.stores": set(),
    "cfworkflows_emulator.config.kinds": {"kind", "listing", "remote", "unsupported"},
    "cfworkflows_emulator.runtime.kinds": {"kind"},
    "cfworkflows_emulator.analysis.kinds": {"kind"},
}


# Circles that are left for readers: the second of each pair is imported for its type only.
SEEN_BY_TYPE_CHECKERS = {
    ("cfworkflows_emulator.analysis.steps", "cfworkflows_emulator.analysis.flow"),
}


def allowed(room: str) -> set[str]:
    found: set[str] = set()
    todo = [room]
    while todo:
        for below in ROOMS[todo.pop()] - found:
            found.add(below)
            todo.append(below)
    return found


def room_of(module: str) -> str | None:
    """The room a module is in: the longest name in ROOMS that is a prefix of it."""
    names = [name for name in ROOMS if module == name or module.startswith(name + ".")]
    return max(names, key=len, default=None)


def modules() -> Iterator[tuple[str, Path]]:
    for package, folder in SOURCES.items():
        for path in sorted(folder.rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join((package, *(part for part in parts if part != "__init__"))), path


def imports(path: Path, module: str) -> Iterator[str]:
    names = {name for name, _ in modules()}
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in names else str(node.module)


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_imports_point_downhill(module: str, path: Path) -> None:
    """No module imports from a room above its own, or beside it."""
    room = room_of(module)
    assert room is not None
    for imported in imports(path, module):
        target = room_of(imported)
        if target is not None and target != room and (module, target) not in DOORS:
            assert target in allowed(room), f"{module} imports {imported}, which is uphill of {room}"


def at_the_front() -> set[str]:
    """The rooms, and what their `__init__` gives that is called as its module is."""
    packages = {room: path for room, path in modules() if room in ROOMS and path.name == "__init__.py"}
    named = {
        f"{room}.{name}"
        for room, path in packages.items()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.literal_eval(node.value)
    }
    return ROOMS.keys() | named


@pytest.mark.parametrize("room", sorted(KEEP_OUT_OF_OTHERS))
def test_a_room_is_known_by_its_front(room: str) -> None:
    """What a room keeps behind its `__init__` may move: no room above it names a module in there."""
    known = at_the_front() | KNOWN_TO_OTHERS.keys()
    found = {
        (module, imported)
        for module, path in modules()
        if room_of(module) == room
        for imported in imports(path, module)
        if room_of(imported) not in (None, room) and imported not in known
    }
    assert set() == found


def test_what_is_known_of_a_room_is_used() -> None:
    """The table of modules that others may know has none that nobody asks for."""
    used = {
        imported
        for module, path in modules()
        if room_of(module) in KEEP_OUT_OF_OTHERS
        for imported in imports(path, module)
        if room_of(imported) != room_of(module)
    }
    assert set() == KNOWN_TO_OTHERS.keys() - used


def kinds_of(folder: str) -> set[str]:
    """The modules and folders in `folder` that are of one kind each."""
    below = {
        name.removeprefix(folder + ".").partition(".")[0] for name, _ in modules() if name.startswith(folder + ".")
    }
    return {f"{folder}.{name}" for name in below - FOLDERS_OF_KINDS[folder]}


def test_rooms_of_kinds_do_not_meet() -> None:
    """Those that hold the data of kinds stand beside each other: none may be imported by another."""
    rooms = ROOMS.keys() & set(SIBLINGS)
    assert [] == [(room, other) for room in rooms for other in rooms & allowed(room)]


@pytest.mark.parametrize("folder", FOLDERS_OF_KINDS)
def test_kinds_do_not_meet(folder: str) -> None:
    """No module of a kind imports one of another kind, and what they share imports none of them."""
    kinds = kinds_of(folder)

    def kind_of(module: str) -> str | None:
        return next((kind for kind in kinds if module == kind or module.startswith(kind + ".")), None)

    found = {
        (module, imported)
        for module, path in modules()
        if module.startswith(folder + ".")
        for imported in imports(path, module)
        if kind_of(imported) not in (None, kind_of(module)) or (imported == folder and kind_of(module) is not None)
    }
    assert set() == found


def test_rooms_have_no_cycle() -> None:
    """The rooms themselves are ordered: none can reach itself."""
    assert [] == [room for room in ROOMS if room in allowed(room)]


def test_every_room_exists() -> None:
    """The table of rooms names only modules that are there."""
    names = {name for name, _ in modules()}
    assert set() == ROOMS.keys() - names


def edges(*, type_checking: bool) -> dict[str, set[str]]:
    """What each module imports at module level, with or without what only type checkers see."""
    names = dict(modules())
    return {
        module: {name for name in _imported(ast.parse(path.read_text()).body, names, type_checking) if name != module}
        for module, path in names.items()
    }


def _imported(body: list[ast.stmt], names: Collection[str], type_checking: bool) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.If) and type_checking:
            yield from _imported([*node.body, *node.orelse], names, type_checking)
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in names)
        elif isinstance(node, ast.ImportFrom):
            found = {
                full if (full := f"{node.module}.{alias.name}") in names else str(node.module) for alias in node.names
            }
            yield from (name for name in found if name in names)


def circle(edges: dict[str, set[str]]) -> list[str]:
    """Modules that import each other, each the next one; none if there is no circle."""
    seen: set[str] = set()

    def visit(module: str, trail: list[str]) -> list[str]:
        if module in trail:
            return [*trail[trail.index(module) :], module]
        if module not in seen:
            for below in sorted(edges.get(module, ())):
                if found := visit(below, [*trail, module]):
                    return found
            seen.add(module)
        return []

    return next(filter(None, (visit(module, []) for module in edges)), [])


def test_modules_of_a_room_have_no_cycle() -> None:
    """Within a room too, imports at module level form no circle, but for those that only type checkers see."""
    assert [] == circle(edges(type_checking=False))


def test_modules_have_no_cycle_for_readers() -> None:
    """Not even with the imports that only type checkers see do modules form a circle, but for those in the table."""
    found = edges(type_checking=True)
    for module, seen in SEEN_BY_TYPE_CHECKERS:
        found[module].discard(seen)
    assert [] == circle(found)


@pytest.mark.parametrize("pair", sorted(SEEN_BY_TYPE_CHECKERS), ids=str)
def test_what_is_allowed_to_a_circle_is_needed(pair: tuple[str, str]) -> None:
    """The table of circles has none that is not there any more."""
    found = edges(type_checking=True)
    for module, seen in SEEN_BY_TYPE_CHECKERS - {pair}:
        found[module].discard(seen)
    assert [] != circle(found)


def test_what_has_to_be_covered_exists() -> None:
    """Each pattern of `make coverage` stands for a file: none is left out of it by being moved."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["coverage"]
    assert [] == [pattern for pattern in settings["report"]["include"] if not any(ROOT.glob(pattern))]


def lines_of(paths: Iterable[Path]) -> dict[str, int]:
    return {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in paths}


def test_files_stay_readable() -> None:
    """No module and no test file has more than 450 lines, and half of the modules no more than 120."""
    sizes = lines_of(path for _, path in modules() if path.read_text())
    tests = lines_of((ROOT / "tests").rglob("*.py"))
    longest = {path: lines for path, lines in (sizes | tests).items() if lines > LONGEST_FILE}
    assert {} == {path: lines for path, lines in longest.items() if path not in LONGER}
    assert set() == LONGER.keys() - longest.keys(), "they are short enough by now: take them off the list"
    assert statistics.median(sizes.values()) <= MEDIAN_FILE


@pytest.mark.parametrize(
    ("command", "forbidden"),
    [
        ("import cfworkflows", {"ada_url", "aiohttp", "pydantic", "aiosqlite", "tomlkit", "cfworkflows_emulator"}),
        (
            (
                "import sys; from cfworkflows_emulator.cli.main import main; sys.argv = ['cfwf', '--help']\n"
                "try: main()\nexcept SystemExit: pass"
            ),
            {"aiohttp", "pydantic", "aiosqlite", "tomlkit"},
        ),
    ],
    ids=["import cfworkflows", "cfwf --help"],
)
def test_heavy_packages_are_imported_late(command: str, forbidden: set[str]) -> None:
    """What is quick for users stays quick: the SDK and the help page need none of the emulator's packages."""
    script = f"{command}\nimport sys; print('loaded:', *sorted({forbidden!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert "loaded:" == done.stdout.splitlines()[-1].strip()
