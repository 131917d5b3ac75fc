"""The page on porting: the Python of each row is run in a workflow, and gives what it should."""

import ast
import asyncio
import json
import math
import re
import textwrap
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

import cfworkflows
from cfworkflows import NonRetryableError, Request, Response, StepError, WorkflowEntrypoint
from cfworkflows.entrypoint import ExecutionContext
from cfworkflows.testing import FakeEnv

PAGE = (Path(__file__).parents[2] / "docs" / "porting.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`.*`) \| (`.*?`) \|(?: .*)? ?\|$", PAGE, re.MULTILINE)
SPAN = re.compile(r"``? ?(.+?) ?``?(?:<br>|$)")
PROGRAMS = ["\n".join(SPAN.findall(python)).replace("\\|", "|") for _, python in ROWS]
PAYLOAD = {"userId": "u", "user": {"id": 7}, "items": [1, 2]}
MOMENT = "2026-03-01T00:00:00+00:00"

RAISED = {
    'raise NonRetryableError("m")': NonRetryableError("m"),
    'raise NonRetryableError("gone: m")': NonRetryableError("gone: m"),
    'if not order.get("paid"): raise Exception("m")': Exception("m"),
    'try: await step.do("n", broken)\nexcept Exception: done(); raise': StepError("Broken", "no"),
}
GIVEN: dict[str, Any] = {
    'await step.do("n", lambda: f(x))': 5,
    '@step.do("n")\nasync def g(): return await f(x)\nawait g()': 5,
    'await step.do("n", {"retries": {"limit": 3, "delay": "1 second"}}, cb)': {"id": "c"},
    'config: WorkflowStepConfig = {"timeout": "1 minute"}': {"timeout": "1 minute"},
    'await step.do(f"process {item.id}", lambda item=item: f(item))': {"id": 3},
    'p = step.do("n", cb); r = await p': {"id": "c"},
    'await asyncio.gather(step.do("a", cb), step.do("b", cb))': [{"id": "c"}, {"id": "c"}],
    'await step.do("n", cb, {"rollback": lambda it: undo(it.output.id)})': {"id": "c"},
    'await step.sleep("n", "1 day")': None,
    'await step.sleep_until("n", datetime.fromisoformat(a if a is not None else b))': None,
    'try: await step.do("n", broken)\nexcept Exception as error: r = str(error)\nfinally: done()': "no",
    "event.payload.userId, event.instance_id": ("u", "main"),
    'event.payload["items"]': [1, 2],
    "self.env.NAME": "text",
    "self.env.O.a": 1,
    'await instance.send_event({"type": type, "payload": payload})': None,
    'await instance.terminate({"rollback": True})': None,
    "ctx.wait_until(f(x))": None,
    'URL(request.url).searchParams.get("x")': "1",
    "for k, v in url.searchParams.items(): pairs.append((k, v))": [("x", "1")],
    'result = (await res.json()).get("result")': 9,
    'console.log("a", b)': None,
    'await step.do("n", lambda: scheduler.wait(10))': None,
    "await asyncio.sleep(0.010)": None,
    '(event.payload.get("user") or {}).get("id")': 7,
    "a if a is not None else b": MOMENT,
    "a or b": MOMENT,
    "user_id, user = event.payload.userId, event.payload.user": ("u", {"id": 7}),
    'limit = event.payload.get("limit", 10)': 10,
    "first, *rest = xs": (1, [2, 3]),
    '{**order, "paid": True}': {"id": 4, "paid": True},
    "[*xs, 4]": [1, 2, 3, 4],
    'f"{a} and {b}"': f"None and {MOMENT}",
    "for x in xs: done(x)": None,
    "for k, v in order.items(): pairs.append((k, v))": [("id", 4)],
    "[x * 2 for x in xs if x > 1]": [4, 6],
    "datetime.fromtimestamp(ms / 1000, UTC)": datetime(2026, 1, 1, tzinfo=UTC),
    "json.dumps(x), json.loads(text)": ("5", {"n": 1}),
    "max(a, b), math.floor(y)": (2, 1),
    '"k" in {"k": 1}': True,
    "len(set(xs))": 3,
}
"""What the last statement of a row gives: the value of an expression, what is assigned, the `pairs` of a loop."""

FITS: dict[str, Any] = {
    "class W(WorkflowEntrypoint[Env, Params]): ...": lambda got, names: issubclass(got, WorkflowEntrypoint),
    "async def run(self, event: WorkflowEvent[Params], step: WorkflowStep): ...": lambda got, names: callable(got),
    "async def fetch(self, request, env): ...": lambda got, names: callable(got),
    "def h(x=None): return x": lambda got, names: got() is None,
    "from orders import f": lambda got, names: got("order") == "order",
    "await asyncio.gather(p, q, return_exceptions=True)": lambda got, names: (
        [{"id": "c"}, "no"] == [got[0], str(got[1])]
    ),
    "done, _ = await asyncio.wait([p, q], return_when=asyncio.FIRST_COMPLETED)": lambda got, names: (
        len(got[0]) in (1, 2)
    ),
    "next(r for r in await asyncio.gather(p, q, return_exceptions=True) if not isinstance(r, Exception))": (
        lambda got, names: got == {"id": "c"}
    ),
    'await step.wait_for_event("n", {"type": "t", "timeout": "1 hour"})': lambda got, names: (
        got.payload == {"by": "Ada"}
    ),
    'await self.env.MY_WORKFLOW.create({"id": id, "params": params})': lambda got, names: got.id == names["id"],
    'await fetch(url, {"method": "POST", "body": body})': lambda got, names: names["seen"] == [("POST", "body")],
    'await fetch(url, {"signal": AbortSignal.timeout(1000)})': lambda got, names: names["seen"] == [("GET", "")],
    'Response.json(data, {"status": 201})': lambda got, names: got.status == 201,
    'await step.do("id", lambda: crypto.randomUUID())': lambda got, names: len(got) == 36,
    'await step.do("now", lambda: datetime.now(UTC).isoformat())': lambda got, names: datetime.fromisoformat(got),
    'await step.do("ms", lambda: time.time() * 1000)': lambda got, names: got > 1e12,
}


OTHER: dict[str, dict[str, Any]] = {
    "max(a, b), math.floor(y)": {"a": 1, "b": 2},
    "for k, v in url.searchParams.items(): pairs.append((k, v))": {"url": cfworkflows.URL("http://h/?x=1")},
}
"""Where a name stands for something else than in the other rows."""


class Broken(Exception):
    """Another class than the platform knows."""


class Waiting(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.wait_for_event("wait", {"type": "t"})


def compiled(program, names):
    """The program as an async function that gives what its last statement does."""
    tree = ast.parse("async def program():\n" + textwrap.indent(program, "    "))
    body = tree.body[0].body
    last = body[-1]
    if isinstance(last, ast.Expr):
        body[-1] = ast.Return(last.value)
    elif isinstance(last, ast.Assign | ast.AnnAssign):
        target = last.targets[0] if isinstance(last, ast.Assign) else last.target
        body.append(_return(ast.unparse(target).replace("*", "")))
    elif isinstance(last, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        body.append(_return(last.name))
    elif isinstance(last, ast.ImportFrom):
        body.append(_return(last.names[0].name))
    elif isinstance(last, ast.For) and "pairs" in program:
        body.append(_return("pairs"))
    elif isinstance(last, ast.Try) and "r = " in program:
        body.append(_return("r"))
    exec(compile(ast.fix_missing_locations(tree), "docs/porting.md", "exec"), names)
    return names["program"]


def _return(source):
    return ast.Return(ast.parse(source, mode="eval").body)


@pytest.fixture
async def served():
    """The URL of a server, and a list of the requests that it got."""

    seen = []

    async def answer(request):
        seen.append((request.method, await request.text()))
        return web.Response()

    app = web.Application()
    app.router.add_route("*", "/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/", seen
    await runner.cleanup()


async def names_of(program, self, event, step, url, seen):
    """What the rows speak of."""

    async def f(x):
        return x

    def broken():
        raise Broken("no")

    found = {name: getattr(cfworkflows, name) for name in cfworkflows.__all__}
    found |= {"asyncio": asyncio, "json": json, "math": math, "time": time, "datetime": datetime, "UTC": UTC}
    found |= {
        "self": self, "event": event, "step": step, "f": f, "x": 5, "Env": Any, "Params": Any,
        "cb": lambda: {"id": "c"},
        "undo": lambda id: None, "broken": broken, "a": None, "b": MOMENT, "y": 1.5, "xs": [1, 2, 3], "pairs": [],
        "done": lambda *given: None, "ms": 1_767_225_600_000, "item": cfworkflows.JsDict(id=3), "order": {"id": 4},
        "text": '{"n": 1}', "id": "other", "params": {"n": 1}, "type": "t", "payload": {"n": 2}, "url": url,
        "seen": seen, "body": "body", "data": {"n": 1}, "request": Request("http://h/?x=1"),
        "res": Response.json({"result": 9}), **OTHER.get(program, {}),
    }  # fmt: skip
    if "p, q" in program:
        config = {"retries": {"limit": 0, "delay": 0}}
        found |= {"p": step.do("p", found["cb"]), "q": step.do("q", config, broken)}
    if "instance." in program:
        found["instance"] = await self.env.MY_WORKFLOW.create()
    return found


def test_every_row_is_run() -> None:
    """Each row of the tables, each with what it gives, and nothing but rows."""
    assert PAGE.count("\n| `") == len(ROWS)
    assert sorted(PROGRAMS) == sorted([*RAISED, *GIVEN, *FITS])


@pytest.mark.parametrize("program", PROGRAMS)
async def test_the_python_of_a_row_does_what_it_says(program, served, tmp_path, monkeypatch):
    """In the `run()` of a workflow, on a virtual clock, with the names that the rows use."""
    (tmp_path / "orders.py").write_text("def f(x):\n    return x\n")
    monkeypatch.syspath_prepend(tmp_path)
    given, waited = [], []

    class Main(WorkflowEntrypoint):
        async def run(self, event, step):
            names = await names_of(program, self, event, step, *served)
            names["ctx"] = ExecutionContext(waited.append)
            given.append(names)
            given.append(await compiled(program, names)())

    async with FakeEnv(MAIN=Main, MY_WORKFLOW=Waiting, NAME="text", O={"a": 1}) as env:
        main = await env.MAIN.create(id="main", params=PAYLOAD)
        if "wait_for_event" in program:
            await main.send_event(type="t", payload={"by": "Ada"})
        if "scheduler" in program:  # it waits on the clock of the kit, which stands still while a callback is at work
            await env.clock.advance(10, while_busy=True)
        if (error := RAISED.get(program)) is not None:
            with pytest.raises(type(error)) as caught:
                await main.result()
            assert str(error) == str(caught.value)
            return
        await main.result()
    names, got = given
    if program in FITS:
        assert FITS[program](got, names)
    else:
        assert GIVEN[program] == got
    assert ("ctx.wait_until" in program) == bool(waited)
    for each in waited:
        assert 5 == await each
