"""What `run()` of a workflow executes: itself, the helpers it calls, and the callbacks of its steps."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from cfworkflows_emulator.analysis.modules import Module
from cfworkflows_emulator.analysis.program import Class, Function, Program
from cfworkflows_emulator.analysis.scopes import FunctionNode, Scope, own_nodes, parameters
from cfworkflows_emulator.analysis.steps import VERBS, Step


@dataclass(frozen=True, eq=False)
class Frame:
    """A function that is executed. `step` is the one whose callback it belongs to; None for `run()` and its helpers.

    `steps` are the names of the WorkflowStep in it, `event` the name of the event, where it is seen.
    """

    flow: "Flow"
    node: FunctionNode
    scope: Scope
    steps: frozenset[str]
    event: str | None
    step: Step | None

    @property
    def module(self) -> Module:
        return self.scope.module

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """The nodes that it executes, in the order of the source."""
        return list(own_nodes(self.node))

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def constant(self, expression: ast.expr | None) -> object:
        return self.flow.program.constant(expression, self.scope)

    def function(self, expression: ast.expr) -> Function | None:
        return self.flow.program.function(expression, self.scope, self.flow.workflow)

    def is_step(self, expression: ast.expr) -> bool:
        """Whether this is the WorkflowStep."""
        match expression:
            case ast.Name(id=name):
                return name in self.steps
            case ast.Attribute(value=value, attr=name):
                return name in self.flow.attributes and self.scope.is_self(value)
        return False

    def verb(self, call: ast.Call) -> str | None:
        """`do` for `step.do(…)`, whatever the name of the step in this function."""
        if isinstance(call.func, ast.Attribute) and self.is_step(call.func.value):
            return VERBS.get(call.func.attr)
        return None


class Flow:
    """A workflow followed from its `run()`: `frames` are the functions that are executed, `steps` what they call.

    `decorated` has the steps of the decorator form by their functions; `attributes` the names under which the step is
    kept in `self`.
    """

    def __init__(self, program: Program, workflow: Class) -> None:
        self.program = program
        self.workflow = workflow
        self.frames: list[Frame] = []
        self.steps: list[Step] = []
        self.decorated: dict[FunctionNode, Step] = {}
        self.attributes: set[str] = set()
        self._entered: set[tuple[FunctionNode, frozenset[str], bool]] = set()
        self.run = program.method(workflow, "run")
        if self.run is not None:
            names = [parameter.arg for parameter in parameters(self.run.node)]
            steps = frozenset(names[2:3])
            self._enter(self.run, steps, names[1] if len(names) > 1 else None, None)

    def outside_steps(self) -> list[Frame]:
        """`run()` and its helpers, which every replay executes again."""
        return [frame for frame in self.frames if frame.step is None]

    def in_steps(self) -> list[Frame]:
        """The callbacks of steps."""
        return [frame for frame in self.frames if frame.step is not None]

    def step_of(self, frame: Frame, call: ast.Call) -> Step | None:
        """The step that a call starts: of its own, or of the decorated function that it calls."""
        own = next((step for step in self.steps if step.call is call and step.function is None), None)
        if own is not None:
            return own
        called = frame.function(call.func)
        return self.decorated.get(called.node) if called is not None else None

    def starts_step(self, frame: Frame, node: ast.AST) -> bool:
        return isinstance(node, ast.Call) and self.step_of(frame, node) is not None

    def helper_with_steps(self, frame: Frame, node: ast.AST) -> FunctionNode | None:
        """The helper that is called, if it starts steps."""
        called = frame.function(node.func) if isinstance(node, ast.Call) else None
        return called.node if called is not None and called.node in self._with_steps else None

    def holds_step(self, frame: Frame, *nodes: ast.AST) -> bool:
        """Whether `nodes` start a step, directly or in a helper."""
        return any(
            self.starts_step(frame, each) or self.helper_with_steps(frame, each) is not None
            for node in nodes
            for each in ast.walk(node)
        )

    @cached_property
    def _with_steps(self) -> set[FunctionNode]:
        """The functions outside of steps that start a step, or call a function that does."""
        found = {step.frame.node for step in self.steps if step.frame.step is None}
        calls = [
            (frame.node, called.node)
            for frame in self.outside_steps()
            for call in frame.calls()
            if (called := frame.function(call.func)) is not None and called.node not in self.decorated
        ]
        while more := {caller for caller, called in calls if called in found} - found:
            found |= more
        return found

    def _enter(self, function: Function, steps: frozenset[str], event: str | None, step: Step | None) -> None:
        steps = steps | _annotated(function)
        nodes = list(own_nodes(function.node))
        for node in nodes:
            match node:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=value)) if value in steps:
                    steps = steps | {name}
                case ast.Assign(targets=[ast.Attribute(value=owner, attr=name)], value=ast.Name(id=value)):
                    if value in steps and function.scope.is_self(owner):
                        self.attributes.add(name)
        key = (function.node, steps, step is None)
        if key in self._entered:
            return
        self._entered.add(key)
        frame = Frame(self, function.node, function.scope, steps, event, step)
        self.frames.append(frame)
        decorators = {id(each) for node in nodes for each in getattr(node, "decorator_list", ())}
        for node in nodes:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                self._decorated(frame, node)
            elif isinstance(node, ast.Call) and id(node) not in decorators:
                self._called(frame, node)

    def _decorated(self, frame: Frame, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and frame.verb(decorator) == "do":
                step = Step("do", decorator, frame, node)
                self.steps.append(step)
                self.decorated[node] = step
                self._callback(frame, Function(node, self.program.inner(node, frame.scope)), step)
                self._rollback(frame, step)

    def _called(self, frame: Frame, call: ast.Call) -> None:
        verb = frame.verb(call)
        if verb is not None and isinstance(call.func, ast.Attribute):
            step = Step(VERBS[call.func.attr], call, frame)
            self.steps.append(step)
            if step.callback is not None and (callback := frame.function(step.callback)) is not None:
                self._callback(frame, callback, step)
            self._rollback(frame, step)
            return
        helper = frame.function(call.func)
        if helper is None or helper.node in self.decorated:
            return
        steps = _passed(frame, call, helper)
        elsewhere = helper.scope.module is not frame.module
        if steps or (frame.step is None and not elsewhere) or self._keeps_step(helper):
            self._enter(helper, steps | _seen(frame, helper), _event_seen(frame, helper), frame.step)

    def _keeps_step(self, helper: Function) -> bool:
        return bool(self.attributes) and helper.scope.owner is not None

    def _rollback(self, frame: Frame, step: Step) -> None:
        if step.rollback is not None and (handler := frame.function(step.rollback)) is not None:
            self._callback(frame, handler, step)

    def _callback(self, frame: Frame, callback: Function, step: Step) -> None:
        self._enter(callback, _seen(frame, callback), _event_seen(frame, callback), step)


def _annotated(function: Function) -> frozenset[str]:
    """The parameters that are annotated as a WorkflowStep."""
    scope = function.scope.parent or function.scope
    return frozenset(
        each.arg
        for each in parameters(function.node)
        if each.annotation is not None and scope.qualified(each.annotation) == "cfworkflows.WorkflowStep"
    )


def _seen(frame: Frame, inner: Function) -> frozenset[str]:
    """The names of the step that are the same for a function inside of `frame`, or beside it."""
    return frozenset(name for name in frame.steps if _is_same(frame, inner, name))


def _event_seen(frame: Frame, inner: Function) -> str | None:
    return frame.event if frame.event is not None and _is_same(frame, inner, frame.event) else None


def _is_same(frame: Frame, inner: Function, name: str) -> bool:
    """Whether a name stands for the same variable of a function in `frame` and in `inner`."""
    here, there = frame.scope.lookup(name), inner.scope.lookup(name)
    if here is None or there is None:
        return False
    return here[1].node is not None and here[1].node is there[1].node


def _passed(frame: Frame, call: ast.Call, helper: Function) -> frozenset[str]:
    """The parameters of `helper` that the step is passed as."""
    names = [parameter.arg for parameter in parameters(helper.node)]
    if helper.scope.is_method:
        names = names[1:]
    found = {name for name, argument in zip(names, call.args, strict=False) if frame.is_step(argument)}
    return frozenset(found | {each.arg for each in call.keywords if each.arg and frame.is_step(each.value)})
