"""The seam between a Worker and how its classes want to be called, with a dialect that no Worker has."""

import sys

import pytest

from cfworkflows import Request
from cfworkflows_emulator.clock import VirtualClock
from cfworkflows_emulator.runtime import Project

TOY = """
from typing import Any

from cfworkflows import Response

class Toy:
    def kind_of(self, cls):
        kinds = ((Entrypoint, "worker"), (Flow, "workflow"))
        return next((kind for base, kind in kinds if issubclass(cls, base) and cls is not base), None)

    def make(self, cls, context, env):
        made = cls()
        made.bindings = {name: getattr(env, name) for name in env}
        made.props = context.props
        return Run(made) if isinstance(made, Flow) else made

    def params_type(self, cls):
        return Any

    def arguments(self, event, name, handler, own, env, context):
        return own if event.name == "fetch" else (*own, None, None)

    def request(self, request):
        return {"method": request.method, "url": request.url}

    def response(self, result, handler):
        if not isinstance(result, tuple):
            raise TypeError(f"{handler.__qualname__} wants to give a pair")
        return Response(result[1], {"status": result[0]})

class Entrypoint:
    __cfworkflows_dialect__ = Toy()

class Flow:
    __cfworkflows_dialect__ = Entrypoint.__cfworkflows_dialect__

class Run:
    def __init__(self, flow):
        self.flow = flow

    async def run(self, event, step):
        return await self.flow.run(dict(event.payload), step)
"""
ENTRY = """
from toy import Entrypoint, Flow
seen = []

class Default(Entrypoint):
    async def fetch(self, request):
        if request["url"].endswith("/native"):
            return 200, await (await self.bindings["NATIVE"].fetch(request["url"])).text()
        if request["url"].endswith("/wrong"):
            return "wrong"
        return 201, f"{request} {env.GREETING} {self.bindings['GREETING']}"

    async def scheduled(self, controller, env, ctx):
        seen.append((controller.cron, env, ctx))

class Admin(Entrypoint):
    def fetch(self, request):
        return 202, f"{request['method']} {self.props}"

class Order(Flow):
    async def run(self, payload, step):
        return await step.do("add", lambda: payload["n"] + 1)

class Native(WorkerEntrypoint):
    async def fetch(self, request, env, ctx):
        return Response(f"native {request.method} {env.GREETING}")
"""
CONFIG = """
[vars]
GREETING = "hello"

[triggers]
crons = ["0 3 * * *"]

[[services]]
binding = "ADMIN"
service = "shop"
entrypoint = "Admin"
props = { role = "boss" }

[[services]]
binding = "NATIVE"
service = "shop"
entrypoint = "Native"

[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""


@pytest.fixture
async def project(write, tmp_path):
    async with Project.open(write(ENTRY, CONFIG, toy=TOY), clock=VirtualClock()) as project:
        yield project


async def test_requests_arrive_and_answers_are_sent_as_the_dialect_says(project):
    """With env and the module-level env as ever."""
    answer = await project.worker.fetch(Request("http://localhost/x"))
    assert (201, "{'method': 'GET', 'url': 'http://localhost/x'} hello hello") == (answer.status, await answer.text())
    with pytest.raises(TypeError, match=r"^Default\.fetch wants to give a pair"):
        await project.worker.fetch(Request("http://localhost/wrong"))


async def test_classes_of_two_dialects_stand_in_one_module(project):
    """Each is called as it wants to be, and they call one another."""
    assert {"Admin", "Native"} == project.worker.exports.named.keys()
    answer = await project.worker.fetch(Request("http://localhost/native"))
    assert "native GET hello" == await answer.text()
    answer = await project.env.ADMIN.fetch("http://admin/", method="PUT")
    assert (202, "PUT {'role': 'boss'}") == (answer.status, await answer.text())


async def test_other_events_have_the_arguments_of_the_dialect(project):
    """Here, None for env and ctx."""
    await project.engine.clock.advance("1 day")
    assert ("0 3 * * *", None, None) == sys.modules["entry"].seen[0]


async def test_a_workflow_of_the_dialect_runs(project):
    """Its event is what the dialect makes of it."""
    instance = await project.env.ORDERS.create(params={"n": 1})
    await project.engine.clock.advance("1 second")
    status = await instance.status()
    assert ("complete", 2) == (status["status"], status["output"])
