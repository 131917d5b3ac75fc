"""Effects of cleanup code, which runs at every replay, and not when the instance is ended."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.cleanups import cleanups
from cfworkflows_emulator.analysis.effects import effect
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow, Frame

_LETS_GO = ("close", "aclose", "release", "wait_closed", "disconnect", "shutdown", "stop", "join")


def cleanup_effects(flow: Flow) -> Iterator[Finding]:
    """Effects in `finally`, and in `except` clauses that catch everything, around steps."""
    for frame in flow.outside_steps():
        own = set(frame.nodes)
        for statement in cleanups(flow, frame):
            for node in ast.walk(statement):
                what = _done(flow, frame, node) if node in own and isinstance(node, ast.Call) else None
                if what is not None:
                    yield finding(
                        "cleanup",
                        frame.module,
                        node,
                        f"{what} is called again each time that run() is replayed past this place, and not at all "
                        "when the instance is terminated or deleted during the wait.",
                        "Do it in a step: behind the wait, and in an `except Exception` for the case that it fails.",
                    )


def _done(flow: Flow, frame: Frame, call: ast.Call) -> str | None:
    if (known := effect(frame, call)) is not None:
        return known
    if not isinstance(frame.module.parents.get(call), ast.Await) or flow.starts_step(frame, call):
        return None
    name = call.func.attr if isinstance(call.func, ast.Attribute) else frame.module.source(call.func)
    library = (frame.scope.qualified(call.func) or "").startswith(("asyncio.", "anyio."))
    hands_on = any(frame.is_step(each) for each in (*call.args, *(keyword.value for keyword in call.keywords)))
    # A helper of the Worker is checked by itself.
    if library or hands_on or name in _LETS_GO or frame.function(call.func) is not None:
        return None
    return f"{frame.module.source(call.func)}()"
