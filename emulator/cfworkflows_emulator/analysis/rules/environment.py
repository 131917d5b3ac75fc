"""Differences between code and configuration: bindings, classes, and the events that are sent."""

import ast
from collections.abc import Iterator

from cfworkflows_emulator.analysis.bindings import scopes_of, stand_ins, uses_of_env
from cfworkflows_emulator.analysis.findings import RULES, Finding, finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.literals import known
from cfworkflows_emulator.analysis.program import WORKFLOW, Program
from cfworkflows_emulator.analysis.rules.options import is_event_type, no_event_type
from cfworkflows_emulator.analysis.scopes import own_nodes
from cfworkflows_emulator.config import WORKFLOWS, LoadedConfig
from cfworkflows_emulator.config.diagnostics import Location, did_you_mean

_SENDERS = ("send_event", "sendEvent")


def used_bindings(program: Program, config: LoadedConfig) -> Iterator[Finding]:
    """`self.env.X`, and `env.X` of the SDK, where the configuration has no X, or an unsupported one."""
    secrets = config.config.secrets.required if config.config.secrets is not None else []
    names = {*(binding.name for binding in config.bindings), *config.variables, *config.config.vars, *secrets}
    unsupported = {binding.name: binding.kind for binding in config.bindings if not binding.supported}
    own = stand_ins(program)
    for scope, node in uses_of_env(program):
        name = node.attr
        if not isinstance(node.ctx, ast.Load) or name in _asked_for(scope.module.tree) or name in own:
            continue
        if name in unsupported:
            yield finding(
                "unsupported-binding",
                scope.module,
                node,
                f"env.{name} is a binding of the kind {unsupported[name]}, which is not supported yet: using it raises "
                "UnsupportedBindingError.",
                f"Set a stand-in in __init__, self.env.{name} = …, or leave it out here: if hasattr(self.env, "
                f'"{name}").',
            )
        elif name not in names and not name.startswith("_"):
            hint = did_you_mean(name, names)
            fix = f"Add {name} to {config.path.name}: a binding, a variable, or a secret in secrets.required."
            yield finding(
                "unknown-binding",
                scope.module,
                node,
                f"env.{name} is not configured.",
                hint or (f"{fix} There {'is' if len(names) == 1 else 'are'} {', '.join(sorted(names)) or 'none'}."),
            )


def python_flag(config: LoadedConfig) -> Iterator[Finding]:
    """A configuration that was written for TypeScript, and does not mention Python."""
    if "python_workers" in config.config.compatibility_flags:
        return
    path = ("compatibility_flags",) if config.config.compatibility_flags else ("main",)
    message = "The configuration has no compatibility flag python_workers: Cloudflare refuses a main file in Python."
    where = config.problem(message, path).location or Location(config.shown, 1, 1)
    fix = 'Add it: compatibility_flags = ["python_workers"]; in JSON, "compatibility_flags": ["python_workers"].'
    yield Finding("python-flag", RULES["python-flag"].severity, where, message, fix, where.line)


def class_names(program: Program, config: LoadedConfig) -> list[str]:
    """The Workflow classes of the main module, and names of the configuration that may be such classes.

    The source does not tell what a name is that is assigned, or imported from a package.
    """
    exported = program.exported()
    stars = program.scopes[program.main.name].stars
    unknown = any(star not in program.scopes for star in stars)
    found = {name: cls for name, cls in exported.items() if cls is not None}
    names = [name for name, cls in found.items() if program.is_a(cls, (WORKFLOW,)) or not program.is_known(cls)]
    configured = [workflow.class_name for workflow in config.sections(WORKFLOWS)]
    names += [name for name in configured if (name in exported or unknown) and exported.get(name) is None]
    return names


def unmatched_events(program: Program, flows: list[Flow], config: LoadedConfig) -> Iterator[Finding]:
    """Events that the code sends and that none of its workflows waits for."""
    waited: set[str] = set()
    complete = all(each.is_of(config.config.name) for each in config.sections(WORKFLOWS))
    for flow in flows:
        for step in flow.steps:
            value = step.frame.constant(step.event.get("type"))
            complete = complete and (step.verb != "wait_for_event" or isinstance(value, str))
            if isinstance(value, str):
                waited.add(value)
        # A step that is passed on may wait in code that is not seen.
        complete = complete and not any(step.dynamic for step in flow.steps) and not _handed_on(flow)
    for scope in scopes_of(program):
        for node in own_nodes(scope.node if scope.node is not None else scope.module.tree):
            sent = _sent_type(node)
            value = program.constant(sent, scope) if sent is not None else None
            if sent is None or not known(value):
                continue
            if not is_event_type(value):
                yield finding("event-type", scope.module, sent, *no_event_type(value))
            elif complete and waited and value not in waited:
                yield finding(
                    "unmatched-event",
                    scope.module,
                    sent,
                    f'No workflow waits for an event of type "{value}".',
                    did_you_mean(str(value), waited) or f"They wait for: {', '.join(sorted(waited))}.",
                )


def _asked_for(tree: ast.Module) -> set[str]:
    """The names that the code itself looks for with `hasattr` or `getattr`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="hasattr" | "getattr"), args=[_, ast.Constant(value=str(name)), *_]):
                found.add(name)
    return found


def _sent_type(node: ast.AST) -> ast.expr | None:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or node.func.attr not in _SENDERS:
        return None
    for keyword in node.keywords:
        if keyword.arg == "type":
            return keyword.value
    if node.args and isinstance(node.args[0], ast.Dict):
        pairs = zip(node.args[0].keys, node.args[0].values, strict=True)
        return next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "type"), None)
    return None


def _handed_on(flow: Flow) -> bool:
    """Whether the step is passed to code that is not followed."""
    entered = {frame.node for frame in flow.frames}
    for frame in flow.frames:
        for call in frame.calls():
            if any(frame.is_step(argument) for argument in (*call.args, *(each.value for each in call.keywords))):
                target = frame.function(call.func)
                if target is None or target.node not in entered:
                    return True
    return False
