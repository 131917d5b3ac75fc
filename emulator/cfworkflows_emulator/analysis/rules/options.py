"""Durations, retries, timeouts and types of events, as far as they are literal in the source."""

import ast
import re
from collections.abc import Iterator

from cfworkflows.durations import parse_duration
from cfworkflows.errors import DurationError, WorkflowFatalError
from cfworkflows.step.arguments import no_type_of_event
from cfworkflows.step.config import BACKOFFS, resolve
from cfworkflows_emulator.analysis.findings import Finding, finding
from cfworkflows_emulator.analysis.flow import Flow
from cfworkflows_emulator.analysis.literals import UNKNOWN, Unknown, known
from cfworkflows_emulator.analysis.steps import Step

LONGEST_MS = 365.25 * 86_400_000
"""The longest sleep and wait: the platform's `"1 year"`."""

RECOMMENDED_TIMEOUT_MS = 30 * 60_000
_FIRST_YEAR_MS = 365 * 86_400_000
EVENT_TYPE = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]{0,99}")
_OK = {"limit": 1, "delay": 1_000, "backoff": BACKOFFS[0], "timeout": 1_000, "sensitive": "output"}


def durations(flow: Flow) -> Iterator[Finding]:
    """Sleeps, and timeouts of waits."""
    for step in flow.steps:
        if step.verb == "sleep" and step.duration is not None:
            yield from _duration(step, step.duration, "sleep", least=0)
        elif step.verb == "wait_for_event" and "timeout" in step.event:
            yield from _duration(step, step.event["timeout"], "timeout", least=1)
        elif step.verb == "sleep_until" and step.duration is not None:
            moment = step.frame.constant(step.duration)
            if isinstance(moment, str):
                problem = "Text is no time to sleep until."
            elif isinstance(moment, (int, float)) and 0 < moment < _FIRST_YEAR_MS:
                problem = "A number is a time in milliseconds since 1970, and this one is in that very year."
            elif isinstance(moment, (int, float)) and 1e9 < moment < 1e11:
                problem = "This looks like seconds since 1970, and a number is in milliseconds."
            else:
                continue
            yield finding(
                "duration", step.frame.module, step.duration, problem,
                "Pass a datetime, or milliseconds; for a while from now there is step.sleep.",
            )  # fmt: skip


def step_options(flow: Flow) -> Iterator[Finding]:
    """The configuration of steps and of their rollbacks, which the SDK itself checks."""
    for step in flow.steps:
        module = step.frame.module
        for given, kind in ((step.config, "Step config"), (step.rollback_config, "Rollback config")):
            values, node = _config(step, given)
            if values is None or node is None:
                continue
            try:
                config = resolve(step.shown_name, values, kind=kind)
            except WorkflowFatalError as error:
                reason, _, remedy = "\n".join(getattr(error, "__notes__", [str(error)])).partition("\n")
                rule = "duration" if "is not a duration" in reason else "step-options"
                yield finding(rule, module, _blamed(node, reason), f"The step is refused: {reason}", remedy)
                continue
            if config.timeout_ms > RECOMMENDED_TIMEOUT_MS and kind == "Step config":
                yield finding(
                    "long-timeout",
                    module,
                    _blamed(node, "timeout"),
                    f"The step may take {config.timeout_ms / 60_000:g} minutes; the platform recommends 30 at most.",
                    "Divide the work into several steps, or wait for its end with step.wait_for_event.",
                )


def event_types(flow: Flow) -> Iterator[Finding]:
    """Invalid types of events."""
    for step in flow.steps:
        node = step.event.get("type")
        if step.verb != "wait_for_event" or step.dynamic:
            continue
        if node is None:
            given = step.call.args[1] if len(step.call.args) > 1 else None
            keys = given.keys if isinstance(given, ast.Dict) else [] if given is None else [None]
            if all(isinstance(each, ast.Constant) for each in keys):
                named = [str(each.value) for each in keys if isinstance(each, ast.Constant)]
                yield finding("event-type", step.frame.module, given or step.call, *no_type_of_event(named))
            continue
        value = step.frame.constant(node)
        if known(value) and not is_event_type(value):
            yield finding("event-type", step.frame.module, node, *no_event_type(value))


def is_event_type(value: object) -> bool:
    return isinstance(value, str) and EVENT_TYPE.fullmatch(value) is not None


def no_event_type(value: object) -> tuple[str, str]:
    """What is wrong with it, and what to do."""
    fix = "1 to 100 letters, digits, hyphens and underscores that start with no hyphen."
    suggestion = re.sub(r"[^a-zA-Z0-9_-]+", "_", value).strip("-")[:100] if isinstance(value, str) else ""
    shown = f"{value!r} is no type of event."
    return shown, f'Did you mean "{suggestion}"? A type has {fix}' if suggestion else f"A type has {fix}"


def _duration(step: Step, node: ast.expr, what: str, least: float) -> Iterator[Finding]:
    value = step.frame.constant(node)
    if not known(value):
        return
    module = step.frame.module
    try:
        ms = parse_duration(value)  # type: ignore[arg-type]  # it raises if it is not one
    except DurationError as error:
        text, _, hint = str(error).partition(" Did you mean ")
        fix = f"Did you mean {hint}" if hint else 'Such as "5 minutes", or a number of milliseconds.'
        yield finding("duration", module, node, text, fix)
        return
    if not least <= ms <= LONGEST_MS:
        days = f"{ms / 86_400_000:,.1f} days"
        problem = f"This {what} is {days}, and at most a year is allowed." if ms else f"The {what} must be more than 0."
        yield finding("duration", module, node, problem, "Sleep or wait several times, in a loop.")


def _config(
    step: Step, given: dict[str, ast.expr] | ast.expr | None
) -> tuple[dict[str, object] | None, ast.AST | None]:
    """The configuration with valid values in place of the unknown ones."""
    if given is None:
        return None, None
    if isinstance(given, dict):
        values: object = {key: step.frame.constant(value) for key, value in given.items()}
        node: ast.AST = step.call
    elif isinstance(given, ast.Call) and given.keywords and not given.args:
        values = {each.arg: step.frame.constant(each.value) for each in given.keywords if each.arg is not None}
        node = given
    else:
        values, node = step.frame.constant(given), given
    if not isinstance(values, dict):
        return None, None
    known_values = {key: _filled(key, value) for key, value in values.items()}
    if isinstance(known_values.get("retries"), Unknown):
        del known_values["retries"]
    return known_values, node


def _filled(key: object, value: object) -> object:
    if key == "retries" and isinstance(value, dict):
        return {name: _filled(name, item) for name, item in value.items()}
    return _OK.get(str(key), UNKNOWN) if not known(value) else value


def _blamed(node: ast.AST, reason: str) -> ast.AST:
    """The part of the configuration that the reason is about, if it is in the source."""
    found = node
    for key in reason.partition(":")[0].split("."):
        for each in ast.walk(found):
            if isinstance(each, ast.keyword) and each.arg == key:
                found = each.value
                break
            if isinstance(each, ast.Dict):
                pairs = zip(each.keys, each.values, strict=True)
                value = next(
                    (item for name, item in pairs if isinstance(name, ast.Constant) and name.value == key), None
                )
                if value is not None:
                    found = value
                    break
    return found
