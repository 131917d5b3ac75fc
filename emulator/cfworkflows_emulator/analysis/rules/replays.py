"""What a replay of `run()` does again, or does differently: effects and chance outside of steps."""

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase

from cfworkflows_emulator.analysis.bindings import is_env_of_run
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
}
_SAME_EVERY_TIME = ("time.strptime", "time.mktime", "secrets.compare_digest")
_PURE_GIVEN_ARGUMENTS = {"random.Random": 1, "numpy.random.default_rng": 1, "time.gmtime": 1, "time.localtime": 1,
                         "time.strftime": 2}  # fmt: skip
_SLEEPS = ("time.sleep", "asyncio.sleep", "anyio.sleep")

_EFFECTS = (
    "cfworkflows.fetch", "builtins.open", "builtins.input", "io.open", "requests.*", "httpx.*", "aiohttp.*",
    "urllib.request.urlopen", "urllib.request.urlretrieve", "urllib3.*", "http.client.*", "socket.*", "smtplib.*",
    "ftplib.*", "subprocess.*", "asyncio.create_subprocess_*", "asyncio.open_connection", "sqlite3.connect",
    "aiosqlite.connect", "asyncpg.*", "psycopg.*", "redis.*", "boto3.*", "stripe.*", "openai.*", "anthropic.*",
    "shutil.*", "os.system", "os.remove", "os.unlink", "os.rename", "os.replace", "os.mkdir", "os.makedirs",
    "os.rmdir", "os.popen", "pathlib.Path().write_*", "pathlib.Path().read_*", "pathlib.Path().open",
    "pathlib.Path().unlink", "pathlib.Path().mkdir", "tempfile.*",
)  # fmt: skip
_NO_EFFECT = ("shutil.which", "*Error", "*Exception", "*Timeout", "socket.gethostname", "http.client.responses")


def side_effects(flow: Flow) -> Iterator[Finding]:
    """Requests, calls of bindings, files and processes in `run()`, outside of the callback of a step."""
    for frame in flow.outside_steps():
        for call in frame.calls():
            what = _effect(frame, call)
            if what is not None:
                yield finding(
                    "side-effect",
                    frame.module,
                    call,
                    f"{what} is called outside of a step. {REPLAYED}, so this is done again each time, and is not "
                    "tried again when it fails.",
                    f'Put it into a step: await step.do("…", lambda: {_shown(frame, call)})',
                )


def chance(flow: Flow) -> Iterator[Finding]:
    """The time, random numbers and new ids in `run()`, which are others at the next replay."""
    for frame in flow.outside_steps():
        for call in frame.calls():
            name = chance_of(frame, call)
            if name is None:
                continue
            named = in_name_of(flow, frame, call)
            instead = next((each for pattern, each in _CHANCE.items() if fnmatchcase(name, pattern)), None)
            other = f", or use {instead}" if instead else ""
            if named is not None:
                yield finding(
                    "step-name",
                    frame.module,
                    call,
                    f"The step's name is made with {name}(), which gives something else at every replay. A step is "
                    "found again by its name: this one would run again.",
                    f"Make the name of what the event or an earlier step gave, such as an id{other}.",
                )
            else:
                yield finding(
                    "nondeterminism",
                    frame.module,
                    call,
                    f"{name}() is called outside of a step. {REPLAYED}, and this gives something else each time.",
                    f'Take it from a step, which keeps its result: await step.do("…", lambda: {_shown(frame, call)})'
                    f"{other}.",
                )


def names_by_chance(flow: Flow) -> Iterator[Finding]:
    """Names of steps that are made of a variable which chance gave a value outside of a step."""
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
    """The full name of what is called, if it gives something else each time."""
    name = frame.scope.qualified(call.func)
    if name is None or name in _SAME_EVERY_TIME or name in _SLEEPS:
        return None
    if len(call.args) >= _PURE_GIVEN_ARGUMENTS.get(name, 1_000) or ("()" in name and not name.startswith("asyncio.")):
        return None
    return name if any(fnmatchcase(name, pattern) for pattern in _CHANCE) else None


def in_name_of(flow: Flow, frame: Frame, call: ast.Call) -> ast.Call | None:
    """The call of a step in whose name `call` stands."""
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


def _effect(frame: Frame, call: ast.Call) -> str | None:
    name = frame.scope.qualified(call.func)
    if name is not None:
        effect = any(fnmatchcase(name, pattern) for pattern in _EFFECTS)
        if effect and not any(fnmatchcase(name, pattern) for pattern in _NO_EFFECT):
            return f"{name.removeprefix('builtins.').removeprefix('cfworkflows.')}()"
    match call.func:
        case ast.Attribute(value=ast.Attribute(value=owner, attr=binding), attr=method):
            awaited = isinstance(frame.module.parents.get(call), ast.Await)
            if awaited and is_env_of_run(frame, owner):
                return f"env.{binding}.{method}()"
    return None


def _shown(frame: Frame, node: ast.AST) -> str:
    source = frame.module.source(node)
    return source if len(source) <= 60 else f"{source.partition('(')[0]}(…)"
