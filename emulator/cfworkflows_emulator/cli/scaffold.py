"""The files of a new project. `{name}` and `{date}` are filled in."""

WRANGLER = """\
# The settings that cfwf dev acts on, and wrangler deploys.
name = "{name}"
main = "src/entry.py"
compatibility_date = "{date}"
compatibility_flags = ["python_workers"]

[vars]
APPROVER = "Ada"

[[workflows]]
name = "{name}-orders"
binding = "ORDERS"
class_name = "OrderWorkflow"
"""

ENTRY = '''\
"""An order that has to be approved. `curl localhost:8787` shows the requests that can be made."""

from dataclasses import dataclass

from cfworkflows import (
    URL,
    Request,
    Response,
    WorkerEntrypoint,
    WorkflowEntrypoint,
    WorkflowError,
    WorkflowEvent,
    WorkflowStep,
    WorkflowTimeoutError,
)

HELP = """\\
curl -X POST ORIGIN/orders -d '{{"item": "book", "amount": 5}}'
curl ORIGIN/orders/<id>
curl -X POST ORIGIN/orders/<id>/approve -d '{{"by": "Ada"}}'
"""


@dataclass
class Order:
    item: str
    amount: int


class OrderWorkflow(WorkflowEntrypoint[object, Order]):
    async def run(self, event: WorkflowEvent[Order], step: WorkflowStep):
        order = event.payload
        reserved = await step.do("reserve", lambda: reserve(order))

        try:
            approval = await step.wait_for_event("wait for approval", {{"type": "approval", "timeout": "3 days"}})
        except WorkflowTimeoutError:
            await step.do("release", lambda: release(reserved))
            return {{"status": "expired"}}

        await step.sleep("let them change their mind", "5 seconds")
        receipt = await step.do(
            "charge",
            {{"retries": {{"limit": 3, "delay": "1 second"}}, "timeout": "30 seconds"}},
            lambda: charge(order.amount),
        )
        return {{"status": "paid", "receipt": receipt, "by": approval.payload.by}}


# What a real Worker would ask a warehouse and a bank. A step's result is stored, so each runs once.
async def reserve(order: Order) -> str:
    print(f"reserved a {{order.item}}")
    return f"reservation of a {{order.item}}"


async def release(reservation: str) -> None:
    print(f"released the {{reservation}}")


async def charge(amount: int) -> str:
    print(f"charged {{amount}}")
    return f"receipt for {{amount}}"


class Default(WorkerEntrypoint):
    async def fetch(self, request: Request) -> Response:
        try:
            return await self.answer(request, URL(request.url))
        except WorkflowError as error:  # there is no such order, or it has ended
            return failure(404 if error.code == "instance.not_found" else 409, error)
        except ValueError as error:  # no JSON, or not what an Order has
            return failure(400, error)

    async def answer(self, request: Request, url: URL) -> Response:
        match [request.method, *url.pathname.split("/")[1:]]:
            case ["GET", ""]:
                return Response(HELP.replace("ORIGIN", url.origin))
            case ["POST", "orders"]:
                order = await self.env.ORDERS.create({{"params": await request.json()}})
                return Response.json({{"id": order.id, "approver": self.env.APPROVER}}, {{"status": 201}})
            case ["GET", "orders", id]:
                order = await self.env.ORDERS.get(id)
                return Response.json(await order.status())
            case ["POST", "orders", id, "approve"]:
                order = await self.env.ORDERS.get(id)
                await order.send_event({{"type": "approval", "payload": await request.json()}})
                return Response.json({{"sent": True}})
        return Response(HELP.replace("ORIGIN", url.origin), {{"status": 404}})


def failure(status: int, error: Exception) -> Response:
    return Response.json({{"error": str(error)}}, {{"status": status}})
'''

TEST = '''\
"""The Worker, tested with the real engine on a clock that jumps: run `pytest`."""


async def test_approved_order_is_charged(env):
    """Reserved, approved, charged."""
    order = await env.ORDERS.create(params={{"item": "book", "amount": 5}})
    await order.send_event(type="approval", payload={{"by": "Ada"}})
    assert await order.result() == {{"status": "paid", "receipt": "receipt for 5", "by": "Ada"}}


async def test_order_expires_after_three_days(env, clock):
    """Without an approval, the reservation is released."""
    order = await env.ORDERS.create(params={{"item": "book", "amount": 5}})
    await clock.advance("2 days")
    assert (await order.status()).status == "waiting"
    assert await order.result() == {{"status": "expired"}}


async def test_order_over_http(worker, env):
    """The Worker's routes create an order and approve it."""
    created = await worker.fetch("/orders", method="POST", json={{"item": "book", "amount": 5}})
    assert created.status == 201
    id = (await created.json())["id"]
    await worker.fetch(f"/orders/{{id}}/approve", method="POST", json={{"by": "Bob"}})
    order = await env.ORDERS.get(id)
    assert (await order.result())["by"] == "Bob"


async def test_mistakes_of_clients_are_told(worker):
    """What is no order, and an order that is not there, are 400 and 404."""
    assert (await worker.fetch("/orders", method="POST", body="no JSON")).status == 400
    assert (await worker.fetch("/orders", method="POST", json={{"item": "book"}})).status == 400
    assert (await worker.fetch("/orders/unknown")).status == 404
'''

PYPROJECT = """\
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = []

[dependency-groups]
dev = ["cfworkflows", "pytest", "pytest-asyncio"]

[tool.pytest.ini_options]
testpaths = ["tests"]
asyncio_mode = "auto"
asyncio_default_fixture_loop_scope = "function"
"""

README = """\
# {name}

A Cloudflare Workflow in Python: an order is reserved, waits for an approval, and is charged.

```
pip install cfworkflows pytest pytest-asyncio
cfwf dev
```

In another terminal:

```
curl -X POST localhost:8787/orders -d '{{"item": "book", "amount": 5}}'
# → {{"id": "…", "approver": "Ada"}}
curl localhost:8787/orders/<id>
# → "status": "waiting"
curl -X POST localhost:8787/orders/<id>/approve -d '{{"by": "Ada"}}'
# → {{"sent": true}}
curl localhost:8787/orders/<id>
# → five seconds later, when nobody has changed their mind: "status": "complete"
```

If port 8787 is taken, `cfwf dev` says which one it uses; a request to it shows these lines with that port.

Stop `cfwf dev` while the order waits, start it again, and approve: it continues where it was.

```
pytest          # the tests, in milliseconds: time is virtual
cfwf check      # mistakes in the configuration and the code
cfwf types      # a typed Env for the Worker
```

To debug, write `breakpoint()` where it is to halt. For VS Code there is `.vscode/launch.json`: run `cfwf dev --debug`
(`pip install 'cfworkflows[debug]'`) and attach, or start the tests of a file.
"""

LAUNCH = """\
{{
  "version": "0.2.0",
  "configurations": [
    {{
      "name": "Attach to cfwf dev --debug",
      "type": "debugpy",
      "request": "attach",
      "connect": {{"host": "127.0.0.1", "port": 5678}},
      "restart": true
    }},
    {{
      "name": "Tests of this file",
      "type": "debugpy",
      "request": "launch",
      "module": "pytest",
      "args": ["${{file}}"]
    }}
  ]
}}
"""

GITIGNORE = """\
.venv/
__pycache__/
.pytest_cache/
.cfwf/
.wrangler/
python_modules/
.dev.vars*
.env*
"""

FILES = {
    "wrangler.toml": WRANGLER,
    "src/entry.py": ENTRY,
    "tests/test_entry.py": TEST,
    "pyproject.toml": PYPROJECT,
    "README.md": README,
    ".vscode/launch.json": LAUNCH,
    ".gitignore": GITIGNORE,
}
"""The template of each file, by its path in the project."""


def project_files(name: str, date: str) -> dict[str, str]:
    """The text of each file, for a Worker called `name`; `date` is its compatibility date, as YYYY-MM-DD."""
    return {path: template.format(name=name, date=date) for path, template in FILES.items()}
