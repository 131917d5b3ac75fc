"""The steps in a Worker's code: each call of `step.do`, `step.sleep`, `step.sleep_until` and `step.wait_for_event`."""

import ast
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from cfworkflows_emulator.analysis.literals import UNKNOWN
from cfworkflows_emulator.config.diagnostics import Location

if TYPE_CHECKING:
    from cfworkflows_emulator.analysis.flow import Frame

Verb = Literal["do", "sleep", "sleep_until", "wait_for_event"]

VERBS: dict[str, Verb] = {
    "do": "do",
    "sleep": "sleep",
    "sleep_until": "sleep_until",
    "sleepUntil": "sleep_until",
    "wait_for_event": "wait_for_event",
    "waitForEvent": "wait_for_event",
}
_CONFIG_KEYS = ("retries", "timeout", "sensitive")


@dataclass(frozen=True, eq=False)
class Step:
    """A step. `frame` is the function it is called in; `function` the decorated one, in the decorator form.

    `dynamic` steps are called with `*arguments`, so nothing is known about them.
    """

    verb: Verb
    call: ast.Call
    frame: "Frame"
    function: ast.FunctionDef | ast.AsyncFunctionDef | None = None
    config: dict[str, ast.expr] | ast.expr | None = field(init=False, default=None)
    callback: ast.expr | None = field(init=False, default=None)
    rollback: ast.expr | None = field(init=False, default=None)
    rollback_config: ast.expr | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        if self.verb != "do" or self.dynamic:
            return
        keywords = self.keywords
        given = {key: keywords[key] for key in _CONFIG_KEYS if key in keywords}
        config: dict[str, ast.expr] | ast.expr | None = keywords.get("config") or given or None
        rest = list(self.call.args[1:])
        options: ast.expr | None = None
        if rest and self._is_config(rest):
            config = rest.pop(0)
        callback = rest.pop(0) if rest else None
        if rest:
            options = rest.pop(0)
        named = _items(options)
        object.__setattr__(self, "config", config)
        object.__setattr__(self, "callback", callback)
        object.__setattr__(self, "rollback", keywords.get("rollback") or named.get("rollback"))
        config_of_rollback = named.get("rollbackConfig") or named.get("rollback_config")
        object.__setattr__(self, "rollback_config", keywords.get("rollback_config") or config_of_rollback)

    @property
    def dynamic(self) -> bool:
        starred = any(isinstance(argument, ast.Starred) for argument in self.call.args)
        return starred or any(keyword.arg is None for keyword in self.call.keywords)

    @property
    def keywords(self) -> dict[str, ast.expr]:
        return {keyword.arg: keyword.value for keyword in self.call.keywords if keyword.arg is not None}

    @property
    def location(self) -> Location:
        return self.frame.module.location(self.call)

    @property
    def name_node(self) -> ast.expr | None:
        """The expression of the name; None for a decorator without one, which is named after its function."""
        if self.dynamic:
            return None
        return self.call.args[0] if self.call.args else self.keywords.get("name")

    @property
    def name(self) -> object:
        """The name if it is literal in the source, else UNKNOWN."""
        if self.name_node is None:
            return self.function.name if self.function is not None and not self.dynamic else UNKNOWN
        return self.frame.constant(self.name_node)

    @property
    def shown_name(self) -> str:
        """The name for display: text, or a template such as `process {item.id}`."""
        if isinstance(name := self.name, str):
            return name
        if self.name_node is None:
            return "…"
        source = self.frame.module.source(self.name_node)
        return source[2:-1] if isinstance(self.name_node, ast.JoinedStr) else f"{{{source}}}"

    @property
    def duration(self) -> ast.expr | None:
        """The duration or time that `sleep` and `sleep_until` are called with."""
        if self.verb == "sleep":
            return self._second("duration")
        return self._second("timestamp") if self.verb == "sleep_until" else None

    @property
    def event(self) -> dict[str, ast.expr]:
        """The `type` and the `timeout` of a `wait_for_event`, as far as they are known."""
        if self.verb != "wait_for_event" or self.dynamic:
            return {}
        options = self._second("options")
        found = _items(options)
        if options is not None and not isinstance(options, ast.Dict):
            found = {"type": options} if isinstance(self.frame.constant(options), str) else {}
        return {**found, **{key: value for key, value in self.keywords.items() if key in ("type", "timeout")}}

    def _second(self, name: str) -> ast.expr | None:
        if self.dynamic:
            return None
        return self.call.args[1] if len(self.call.args) > 1 else self.keywords.get(name)

    def _is_config(self, rest: list[ast.expr]) -> bool:
        """Whether the argument behind the name is the configuration, and not the callback."""
        first = rest[0]
        if isinstance(first, ast.Dict):
            return True
        if isinstance(first, ast.Call):
            return self.frame.scope.qualified(first.func) == "cfworkflows.WorkflowStepConfig"
        if isinstance(first, ast.Lambda) or self.frame.function(first) is not None:
            return False
        if isinstance(self.frame.constant(first), dict) or self.function is not None:
            return True
        return len(rest) > 1 and not isinstance(rest[1], ast.Dict)


def _items(node: ast.expr | None) -> dict[str, ast.expr]:
    """The items of a dict literal, by their keys."""
    if not isinstance(node, ast.Dict):
        return {}
    pairs = zip(node.keys, node.values, strict=True)
    return {key.value: value for key, value in pairs if isinstance(key, ast.Constant) and isinstance(key.value, str)}
