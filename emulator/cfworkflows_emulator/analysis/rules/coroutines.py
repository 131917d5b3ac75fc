"""Calls of bindings, and of their results, that are not awaited."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.bindings import binding_of, scopes_of, stand_ins
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.futures import is_dropped, names_in_reach
from cfworkflows_emulator.analysis.program import Program
from cfworkflows_emulator.analysis.scopes import Scope, own_nodes
from cfworkflows_emulator.config import LoadedConfig

_OF_BINDINGS = frozenset(
    {
        "create", "create_batch", "createBatch", "delete_batch", "deleteBatch", "get", "put", "delete", "list", "head",
        "get_with_metadata", "getWithMetadata", "send", "send_batch", "sendBatch", "fetch", "exec", "limit",
    }
)  # fmt: skip
_OF_INSTANCES = frozenset(
    {"status", "pause", "resume", "terminate", "restart", "delete", "send_event", "sendEvent", "subscribe"}
)
_GIVE_INSTANCES = ("create", "get")


def dropped_calls(program: Program, config: LoadedConfig | None = None) -> Iterator[Finding]:
    """Calls that do nothing because they are not awaited, and results that are used before they are awaited.

    A variable, or a name that the code itself sets, is not a binding: its methods may be synchronous.
    """
    plain = stand_ins(program) | ({*config.variables, *config.config.vars} if config is not None else set())
    for scope in scopes_of(program):
        if scope.node is None:
            continue
        for node in own_nodes(scope.node):
            what = _coroutine(program, scope, node, plain) if isinstance(node, ast.Call) else None
            if what is None or not isinstance(node, ast.Call):
                continue
            # Without a configuration this may be a variable, and `get` that of a dict.
            unsure = config is None and what.endswith(".get")
            if is_dropped(scope, node):
                why = f"{what}(…) is not awaited: it does nothing."
            elif not unsure and _is_used_as_result(scope, node):
                why = f"{what}(…) is not awaited: what it returns is a coroutine, and not the result."
            else:
                continue
            yield finding("not-awaited", scope.module, node, why, f"Write await {what}(…)")


def _coroutine(program: Program, scope: Scope, call: ast.Call, plain: set[str]) -> str | None:
    """The name of what is called, if the call does nothing until it is awaited."""
    source = scope.module.source(call.func)
    if scope.qualified(call.func) == "cfworkflows.fetch":
        return source
    if not isinstance(call.func, ast.Attribute):
        return None
    owner, method = call.func.value, call.func.attr
    if method in _OF_BINDINGS and (binding := binding_of(program, scope, owner)) is not None:
        return source if binding not in plain else None
    if isinstance(owner, ast.Name):
        owner = scope.value_of(owner) or owner
    if method in _OF_INSTANCES and isinstance(owner, ast.Await) and isinstance(owner.value, ast.Call):
        made = owner.value.func
        if isinstance(made, ast.Attribute) and made.attr in _GIVE_INSTANCES:
            binding = binding_of(program, scope, made.value)
            return source if binding is not None and binding not in plain else None
    return None


def _is_used_as_result(scope: Scope, call: ast.Call) -> bool:
    """Whether a field or an item of the coroutine is read, as if it was the result."""
    parents = scope.module.parents
    parent = parents.get(call)
    if isinstance(parent, (ast.Attribute, ast.Subscript)) and parent.value is call:
        return True
    if not isinstance(parent, ast.Assign) or len(parent.targets) != 1 or not isinstance(parent.targets[0], ast.Name):
        return False
    name = parent.targets[0]
    if scope.value_of(name) is not call:
        return False
    uses = [each for each in names_in_reach(scope, name.id) if isinstance(each.ctx, ast.Load)]
    return bool(uses) and all(isinstance(parents.get(each), (ast.Attribute, ast.Subscript)) for each in uses)
