"""The interpreter: a workflow whose steps come in its params, as a list of operations."""

import asyncio
import re
from collections import ChainMap
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from errors import CustomError, raised_here, status_of
from journal import note
from values import NO_VALUE, js_class, js_text, js_type, json_text, special, tag_of

from cfworkflows import NonRetryableError, WorkflowEvent, WorkflowStep

Op = dict[str, Any]
GOES_ON: Any = object()
"""What an operation gives that is no `return`."""


async def run_program(event: WorkflowEvent, step: WorkflowStep, env: Any) -> Any:
    params = event.payload if isinstance(event.payload, dict) else {}
    variables: ChainMap[str, Any] = ChainMap({"args": params.get("args")})
    scope = Scope(variables, step, event, env, event.instanceId, params.get("collector"))
    return await scope.branch(params.get("program") or [])


@dataclass(frozen=True, slots=True)
class Scope:
    """What operations can see. A callback, a rollback and a branch have variables of their own, over those around."""

    variables: ChainMap[str, Any]
    step: Any
    event: Any
    env: Any
    id: str
    collector: str | None

    def child(self, **variables: Any) -> "Scope":
        return replace(self, variables=self.variables.new_child(variables))

    async def branch(self, ops: list[Op]) -> Any:
        """The value of the first `return`, None without one."""
        value = await self.run(ops)
        return None if value is GOES_ON else value

    async def run(self, ops: list[Op]) -> Any:
        for op in ops:
            value = await OPERATIONS[op["op"]](self, op)
            if value is not GOES_ON:
                return value
        return GOES_ON

    def put(self, op: Op, value: Any) -> Any:
        if op.get("as"):
            self.variables[op["as"]] = value
        return GOES_ON

    # Values

    def lookup(self, path: str) -> Any:
        first, *rest = path.split(".")
        value = {"event": self.event, "step": self.step}.get(first, self.variables.get(first))
        for name in rest:
            value = member(value, name)
        return value

    def value(self, form: Any) -> Any:
        """The value that a form of the program stands for."""
        if isinstance(form, str):
            return re.sub(r"\$\{([^}]+)\}", lambda match: js_text(self.lookup(match[1])), form)
        if isinstance(form, list):
            return [self.value(item) for item in form]
        if not isinstance(form, dict):
            return form
        if (tag := tag_of(form)) is not None:
            if tag in READERS:
                return READERS[tag](self, form[tag])
            made = special(tag, form[tag])
            if made is not NO_VALUE:
                return made
        return {key: item if key == "program" else self.value(item) for key, item in form.items()}

    def function(self, ops: list[Op], variable: str) -> Callable[[Any], Awaitable[Any]]:
        async def call(argument: Any) -> Any:
            return await self.child(**{variable: argument}).branch(ops)

        return call

    def constant(self, form: Any) -> Callable[[], Any]:
        return lambda *_: self.value(form)

    def error(self, form: Op) -> Any:
        """What a `throw` raises. Only exceptions can be, so another value is the text of one."""
        spec = self.value(form)
        message = spec.get("message")
        match spec.get("type", "Error"):
            case "Error":
                error: Any = type(spec["name"], (Exception,), {})(message) if spec.get("name") else Exception(message)
                if "cause" in spec:
                    error.__cause__ = Exception(spec["cause"])
            case "TypeError":
                error = TypeError(message)
            case "NonRetryableError":
                error = NonRetryableError(message, spec["name"]) if "name" in spec else NonRetryableError(message)
            case "custom":
                error = CustomError(message)
            case _:
                return Exception(thrown_text(form.get("value"), spec.get("value")))
        return raised_here(error)


def member(value: Any, name: str) -> Any:
    if isinstance(value, dict) and name in value:
        return value[name]
    if isinstance(value, (list, tuple)):
        return value[int(name)] if name.isdigit() and int(name) < len(value) else None
    return None if isinstance(value, str) else getattr(value, name, None)


def thrown_text(form: Any, value: Any) -> str:
    """What is told of a thrown `value` that is no error."""
    if isinstance(value, dict):
        return "#<Object>"
    return "null" if value is None and tag_of(form or {}) is None else js_text(value)


def length(value: Any) -> int | None:
    return len(value) if isinstance(value, (str, list, bytes)) else None


def keys(value: Any) -> list[str] | None:
    if value is None:
        return None
    if isinstance(value, dict):
        return sorted(value)
    return [name for name in dir(value) if name[:1] != "_" and not callable(getattr(value, name))]


def add(left: Any, right: Any) -> Any:
    return js_text(left) + js_text(right) if isinstance(left, str) or isinstance(right, str) else left + right


def equal(left: Any, right: Any) -> bool:
    plain = (str, int, float)
    return left is right or (isinstance(left, plain) and isinstance(right, plain) and left == right)


READERS: dict[str, Callable[[Scope, Any], Any]] = {
    "$": Scope.lookup,
    "$fn": lambda scope, ops: scope.function(ops, "arg"),
    "$syncFn": Scope.constant,
    "$keys": lambda scope, path: keys(scope.lookup(path)),
    "$typeof": lambda scope, path: js_type(scope.lookup(path)),
    "$ctor": lambda scope, path: js_class(scope.lookup(path)),
    "$frozen": lambda scope, path: isinstance(scope.lookup(path), (str, int, float, tuple, frozenset, type(None))),
    "$len": lambda scope, path: length(scope.lookup(path)),
    "$json": lambda scope, path: json_text(scope.lookup(path)),
    "$isError": lambda scope, path: isinstance(scope.lookup(path), Exception),
    "$isNonRetryable": lambda scope, path: isinstance(scope.lookup(path), NonRetryableError),
    "$add": lambda scope, pair: add(scope.value(pair[0]), scope.value(pair[1])),
    "$mul": lambda scope, pair: scope.value(pair[0]) * scope.value(pair[1]),
    "$lt": lambda scope, pair: scope.value(pair[0]) < scope.value(pair[1]),
    "$eq": lambda scope, pair: equal(scope.value(pair[0]), scope.value(pair[1])),
    "$same": lambda scope, pair: scope.lookup(pair[0]) is scope.lookup(pair[1]),
}


async def op_do(scope: Scope, op: Op) -> Any:
    arguments = [scope.value(op["name"])]
    if "config" in op:
        arguments.append(scope.value(op["config"]))
    arguments.append(scope.function(op.get("body", []), "ctx"))
    if op.get("rollback") is not None:
        undo = scope.function(op["rollback"], "rb")
        options = {"rollback": lambda rb: undo({**rb, "stepName": rb.stepName})}
        if "rollbackConfig" in op:
            options["rollbackConfig"] = scope.value(op["rollbackConfig"])
        arguments.append(options)
    return scope.put(op, await scope.step.do(*arguments))


async def op_sleep(scope: Scope, op: Op) -> Any:
    return scope.put(op, await scope.step.sleep(scope.value(op["name"]), scope.value(op.get("duration"))))


async def op_sleep_until(scope: Scope, op: Op) -> Any:
    return scope.put(op, await scope.step.sleep_until(scope.value(op["name"]), scope.value(op.get("at"))))


async def op_wait_for_event(scope: Scope, op: Op) -> Any:
    options = scope.value(op.get("options"))
    if isinstance(options, dict) and options.get("timeout") in range(2, 1_000):
        options = {**options, "timeout": 1_000}  # the recordings wait for less than production allows
    return scope.put(op, await scope.step.wait_for_event(scope.value(op["name"]), options))


async def op_call(scope: Scope, op: Op) -> Any:
    result = getattr(scope.step, op["method"])(*scope.value(op["args"]))
    return scope.put(op, await result if isinstance(result, Awaitable) else result)


async def op_return(scope: Scope, op: Op) -> Any:
    return scope.value(op.get("value"))


async def op_throw(scope: Scope, op: Op) -> Any:
    raise scope.error(op["error"])


async def op_fail_until(scope: Scope, op: Op) -> Any:
    if scope.variables["ctx"].attempt < op["attempt"]:
        raise scope.error(op.get("error", {"message": "attempt ${ctx.attempt} failed"}))
    return GOES_ON


async def op_log(scope: Scope, op: Op) -> Any:
    await note(scope.id, scope.value(op.get("tag", "log")), scope.value(op.get("value")), scope.collector)
    return GOES_ON


async def op_delay(scope: Scope, op: Op) -> Any:
    await asyncio.sleep(scope.value(op["ms"]) / 1000)
    return GOES_ON


async def op_hang(scope: Scope, op: Op) -> Any:
    await asyncio.Event().wait()


async def op_set(scope: Scope, op: Op) -> Any:
    scope.variables[op["var"]] = scope.value(op.get("value"))
    return GOES_ON


async def op_assign(scope: Scope, op: Op) -> Any:
    path, _, last = op["path"].rpartition(".")
    target = scope.lookup(path)
    target[int(last) if isinstance(target, list) else last] = scope.value(op.get("value"))
    return GOES_ON


async def op_push(scope: Scope, op: Op) -> Any:
    scope.lookup(op["path"]).append(scope.value(op.get("value")))
    return GOES_ON


async def op_for(scope: Scope, op: Op) -> Any:
    i = scope.value(op.get("from", 0))
    while i < scope.value(op["to"]):
        scope.variables[op.get("var", "i")] = i
        value = await scope.run(op["body"])
        if value is not GOES_ON:
            return value
        i += 1
    return GOES_ON


async def op_if(scope: Scope, op: Op) -> Any:
    return await scope.run(op.get("then" if scope.value(op.get("cond")) else "else", []))


async def op_try(scope: Scope, op: Op) -> Any:
    try:
        return await scope.run(op["body"])
    except Exception as error:
        if op.get("catch") is None:
            raise
        scope.variables[op.get("as") or "e"] = error
        return await scope.run(op["catch"])
    finally:
        if op.get("finally"):
            await scope.run(op["finally"])


async def op_rethrow(scope: Scope, op: Op) -> Any:
    raise scope.variables[op.get("var", "e")]


async def op_parallel(scope: Scope, op: Op) -> Any:
    loop = asyncio.get_running_loop()
    branches = [loop.create_task(scope.child().branch(branch)) for branch in op["branches"]]
    return scope.put(op, await COMBINATORS[op.get("mode", "all")](branches))


async def op_parallel_for(scope: Scope, op: Op) -> Any:
    name = op.get("var", "i")
    branches = (scope.child(**{name: i}).branch(op["body"]) for i in range(scope.value(op["to"])))
    return scope.put(op, await asyncio.gather(*branches))


Branches = list[asyncio.Task[Any]]


async def settle_all(branches: Branches) -> list[Any]:
    results = await asyncio.gather(*branches, return_exceptions=True)
    return [{"err": result} if isinstance(result, BaseException) else {"ok": result} for result in results]


async def race(branches: Branches) -> Any:
    done, _ = await asyncio.wait(branches, return_when=asyncio.FIRST_COMPLETED)
    return next(branch for branch in branches if branch in done).result()


async def first_that_succeeds(branches: Branches) -> Any:
    errors = []
    for branch in asyncio.as_completed(branches):
        try:
            return await branch
        except Exception as error:  # noqa: BLE001 - Promise.any takes every error
            errors.append(error)
    raise ExceptionGroup("All promises were rejected", errors)


COMBINATORS: dict[str, Callable[[Branches], Awaitable[Any]]] = {
    "all": lambda branches: asyncio.gather(*branches),
    "allSettled": settle_all,
    "race": race,
    "any": first_that_succeeds,
}

_SPAWNED: set[asyncio.Task[Any]] = set()


async def op_spawn(scope: Scope, op: Op) -> Any:
    task = asyncio.get_running_loop().create_task(scope.child().branch(op["body"]))
    _SPAWNED.add(task)  # the event loop itself keeps no hold of tasks
    task.add_done_callback(_SPAWNED.discard)
    await asyncio.sleep(0)  # a promise begins at once, a task when the event loop comes to it
    if op["op"] == "spawn":
        task.add_done_callback(lambda task: task.cancelled() or task.exception())
    return scope.put(op, task)


async def op_join(scope: Scope, op: Op) -> Any:
    return scope.put(op, await scope.variables[op["var"]])


async def op_child(scope: Scope, op: Op) -> Any:
    instance = await getattr(scope.env, op.get("binding", "OTHER")).create(scope.value(op.get("options")))
    return scope.put(op, {"id": instance.id})


async def op_child_status(scope: Scope, op: Op) -> Any:
    instance = await getattr(scope.env, op.get("binding", "OTHER")).get(scope.value(op["id"]))
    return scope.put(op, await status_of(instance))


async def op_self_terminate(scope: Scope, op: Op) -> Any:
    instance = await scope.env.WF.get(scope.id)
    await instance.terminate()
    return GOES_ON


OPERATIONS: dict[str, Callable[[Scope, Op], Awaitable[Any]]] = {
    "do": op_do, "sleep": op_sleep, "sleepUntil": op_sleep_until, "waitForEvent": op_wait_for_event, "call": op_call,
    "return": op_return, "throw": op_throw, "failUntil": op_fail_until, "log": op_log, "delay": op_delay,
    "hang": op_hang, "set": op_set, "assign": op_assign, "push": op_push, "for": op_for, "if": op_if, "try": op_try,
    "rethrow": op_rethrow, "parallel": op_parallel, "parallelFor": op_parallel_for, "spawn": op_spawn,
    "spawnRaw": op_spawn, "join": op_join, "child": op_child, "childStatus": op_child_status,
    "selfTerminate": op_self_terminate,
}  # fmt: skip
