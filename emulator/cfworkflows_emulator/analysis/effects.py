"""Calls that change the outside world, or read it."""

import ast
from fnmatch import fnmatchcase

from cfworkflows_emulator.analysis.bindings import is_env_of_run
from cfworkflows_emulator.analysis.flow import Frame

LISTINGS = (
    "os.listdir", "os.scandir", "os.walk", "glob.glob", "glob.iglob", "pathlib.Path().iterdir", "pathlib.Path().glob",
    "pathlib.Path().rglob", "pathlib.Path().walk",
)  # fmt: skip
"""List the names in a folder, in any order."""

_EFFECTS = (
    "cfworkflows.fetch", "builtins.open", "builtins.input", "io.open", "requests.*", "httpx.*", "aiohttp.*",
    "urllib.request.urlopen", "urllib.request.urlretrieve", "urllib3.*", "http.client.*", "socket.*", "smtplib.*",
    "ftplib.*", "subprocess.*", "asyncio.create_subprocess_*", "asyncio.open_connection", "sqlite3.connect",
    "aiosqlite.connect", "asyncpg.*", "psycopg.*", "redis.*", "boto3.*", "stripe.*", "openai.*", "anthropic.*",
    "shutil.*", "os.system", "os.remove", "os.unlink", "os.rename", "os.replace", "os.mkdir", "os.makedirs",
    "os.rmdir", "os.popen", "pathlib.Path().write_*", "pathlib.Path().read_*", "pathlib.Path().open",
    "pathlib.Path().unlink", "pathlib.Path().mkdir", "tempfile.*", *LISTINGS,
)  # fmt: skip
_NO_EFFECT = ("shutil.which", "*Error", "*Exception", "*Timeout", "socket.gethostname", "http.client.responses")


def effect(frame: Frame, call: ast.Call) -> str | None:
    """How a call changes or reads the outside world, by its name; None if it is not known to."""
    name = called(frame, call)
    if name is not None:
        found = any(fnmatchcase(name, pattern) for pattern in _EFFECTS)
        if found and not any(fnmatchcase(name, pattern) for pattern in _NO_EFFECT):
            return f"{name.removeprefix('builtins.').removeprefix('cfworkflows.')}()"
    match call.func:
        case ast.Attribute(value=ast.Attribute(value=owner, attr=binding), attr=method):
            awaited = isinstance(frame.module.parents.get(call), ast.Await)
            if awaited and is_env_of_run(frame, owner):
                return f"env.{binding}.{method}()"
    return None


def called(frame: Frame, call: ast.Call) -> str | None:
    """The full name of what is called, also where a path is in a variable."""
    name = frame.scope.qualified(call.func)
    if name is None and isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
        value = frame.scope.value_of(call.func.value)
        owner = frame.scope.qualified(value) if value is not None else None
        return f"{owner}.{call.func.attr}" if owner == "pathlib.Path()" else None
    return name


def shown(frame: Frame, node: ast.AST) -> str:
    """A call as it is written, or the beginning of a long one."""
    source = frame.module.source(node)
    return source if len(source) <= 60 else f"{source.partition('(')[0]}(…)"
