"""What a replay of `run()` does again, or differently: effects and randomness outside of steps."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

from cfworkflows_emulator.analysis.cleanups import is_in_cleanup
from cfworkflows_emulator.analysis.effects import LISTINGS, called, effect, shown
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame

REPLAYED = "Code outside of steps runs again whenever the instance wakes up"

_CHANCE = {
    "time.*": "event.timestamp",
    "datetime.datetime.now": "event.timestamp",
    "datetime.datetime.utcnow": "event.timestamp",
    "datetime.datetime.today": "event.timestamp",
    "datetime.date.today": "event.timestamp.date()",
    "asyncio.get_running_loop().time": "event.timestamp",
    "asyncio.get_event_loop().time": "event.timestamp",
    "random.*": "random.Random(event.instance_id)",
    "numpy.random.*": "a generator seeded with event.instance_id",
    "secrets.*": None,
    "uuid.uuid1": "uuid.uuid5 of event.instance_id",
    "uuid.uuid4": "uuid.uuid5 of event.instance_id",
    "uuid.uuid6": "uuid.uuid5 of event.instance_id",
    "uuid.uuid7": "uuid.uuid5 of event.instance_id",
    "os.urandom": None,
    "os.getpid": None,
    "threading.get_ident": None,
    "asyncio.current_task().get_name": "a name that you give",
    "builtins.hash": "zlib.crc32 of its bytes",
    "builtins.id": None,
}
_NUMBERS_OF_OBJECTS = ("builtins.hash", "builtins.id")
"""Harmless as long as they are only compared, as in `id(item) in seen`."""

_SAME_EVERY_TIME = ("time.strptime", "time.mktime", "secrets.compare_digest")
_PURE_GIVEN_ARGUMENTS = {"random.Random": 1, "numpy.random.default_rng": 1, "time.gmtime": 1, "time.localtime": 1,
                         "time.strftime": 2}  # fmt: skip
_OF_LOGS = ("debug", "info", "warning", "error", "exception", "critical", "log")
_SLEEPS = ("time.sleep", "asyncio.sleep", "anyio.sleep")


def side_effects(flow: Flow) -> Iterator[Finding]:
    """Requests, calls of bindings, files and processes in `run()`, outside of the callback of a step."""
    for frame in flow.outside_steps():
        for call in frame.calls():
            what = effect(frame, call)
            if what is None or is_in_cleanup(flow, frame, call):
                continue
            if called(frame, call) in LISTINGS:
                yield finding(
                    "nondeterminism",
                    frame.module,
                    call,
                    f"{what} is called outside of a step. {REPLAYED}, and the names come in an order that nothing "
                    "fixes, with those that are new.",
                    f'Take them from a step, sorted: await step.do("…", lambda: sorted({shown(frame, call)}))',
                )
                continue
            yield finding(
                "side-effect",
                frame.module,
                call,
                f"{what} is called outside of a step. {REPLAYED}, so this is done again each time, and is not "
                "tried again when it fails.",
                f'Put it into a step: await step.do("…", lambda: {shown(frame, call)})',
            )


def chance(flow: Flow) -> Iterator[Finding]:
    """The time, random numbers and new ids in `run()`, which the next replay has not."""
    for frame in flow.outside_steps():
        for call in frame.calls():
            name = chance_of(frame, call)
            if name is None or (name in _NUMBERS_OF_OBJECTS and not _makes_a_difference(frame, call)):
                continue
            full, name = name, name.removeprefix("builtins.")
            named = in_name_of(flow, frame, call)
            instead = next((each for pattern, each in _CHANCE.items() if fnmatchcase(full, pattern)), None)
            other = f", or use {instead}" if instead else ""
            if named is not None:
                yield finding(
                    "step-name",
                    frame.module,
                    call,
                    f"The step's name is made with {name}(), which returns something else at every replay. A step is "
                    "found again by its name: this one would run again.",
                    f"Make the name of what the event or an earlier step gave, such as an id{other}.",
                )
            else:
                yield finding(
                    "nondeterminism",
                    frame.module,
                    call,
                    f"{name}() is called outside of a step. {REPLAYED}, and this returns something else each time.",
                    f'Take it from a step, which keeps its result: await step.do("…", lambda: {shown(frame, call)})'
                    f"{other}.",
                )


def names_by_chance(flow: Flow) -> Iterator[Finding]:
    """Names of steps that contain a variable with a random value from outside of a step."""
    for step in flow.steps:
        if step.frame.step is not None or step.name_node is None:
            continue
        for node in ast.walk(step.name_node):
            if isinstance(node, ast.Name) and _from_chance(step.frame, node.id):
                yield finding(
                    "step-name",
                    step.frame.module,
                    node,
                    f"The step's name is made with {node.id}, which is something else at every replay. A step is found "
                    "again by its name: this one would run again.",
                    "Make the name of what the event or an earlier step gave, such as an id.",
                )


def plain_sleeps(flow: Flow) -> Iterator[Finding]:
    """`asyncio.sleep` and `time.sleep` in `run()`."""
    for frame in flow.outside_steps():
        for call in frame.calls():
            name = frame.scope.qualified(call.func)
            if name in _SLEEPS and frame.constant(call.args[0] if call.args else None) != 0:
                yield finding(
                    "plain-sleep",
                    frame.module,
                    call,
                    f"{name}() keeps the instance running while it waits, and begins anew after a restart.",
                    'Use await step.sleep("…", "10 seconds"), which is durable.',
                )


def chance_of(frame: Frame, call: ast.Call) -> str | None:
    """The full name of what is called, if it returns something else each time."""
    name = frame.scope.qualified(call.func)
    if name is None or name in _SAME_EVERY_TIME or name in _SLEEPS:
        return None
    if len(call.args) >= _PURE_GIVEN_ARGUMENTS.get(name, 1_000) or ("()" in name and not name.startswith("asyncio.")):
        return None
    if name == "builtins.hash" and _is_number(frame.constant(call.args[0] if call.args else None)):
        return None
    if name == "asyncio.current_task().get_name" and _names_tasks(frame):
        return None
    return name if any(fnmatchcase(name, pattern) for pattern in _CHANCE) else None


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float))


def _names_tasks(frame: Frame) -> bool:
    """Whether the module sets names of tasks."""
    calls = (node for node in ast.walk(frame.module.tree) if isinstance(node, ast.Call))
    return any(
        getattr(call.func, "attr", "") == "set_name"
        or (getattr(call.func, "attr", "") == "create_task" and any(each.arg == "name" for each in call.keywords))
        for call in calls
    )


def _makes_a_difference(frame: Frame, call: ast.Call) -> bool:
    """Whether the id of an object gets into a text, a calculation, a step or the result."""
    difference = False
    for node in frame.module.ancestors(call):
        if isinstance(node, ast.Call):
            if frame.verb(node) is not None:
                return True
            name = frame.scope.qualified(node.func)
            if name == "builtins.print" or getattr(node.func, "attr", "") in _OF_LOGS:
                return False
            difference = difference or name in ("builtins.str", "builtins.hex", "builtins.abs", "builtins.format")
        elif isinstance(node, (ast.JoinedStr, ast.BinOp, ast.Return)):
            difference = True
        elif isinstance(node, ast.Compare):
            return difference
        if not isinstance(node, ast.expr):
            break
    return difference


def in_name_of(flow: Flow, frame: Frame, call: ast.Call) -> ast.Call | None:
    """The call of a step whose name contains `call`."""
    inside: ast.AST = call
    for node in frame.module.ancestors(call):
        if isinstance(node, ast.Call) and frame.verb(node) is not None and node.args and node.args[0] is inside:
            return node
        if not isinstance(node, ast.expr):
            return None
        inside = node
    return None


def _from_chance(frame: Frame, name: str) -> bool:
    values = frame.scope.assigned.get(name, [])
    calls = (node for value in values for node in ast.walk(value) if isinstance(node, ast.Call))
    return any(chance_of(frame, call) is not None for call in calls) and not any(
        frame.verb(node) for value in values for node in ast.walk(value) if isinstance(node, ast.Call)
    )
