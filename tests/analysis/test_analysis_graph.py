"""The graph of a workflow, in the shape that the official SDK reads."""

from pathlib import Path

import pytest
from cloudflare.types.workflows.version_graph_response import Graph
from pydantic import TypeAdapter

from cfworkflows_emulator.analysis import Program, graph

ROOT = Path(__file__).parent.parent.parent
MAINS = [
    ROOT / "examples/patterns/src/entry.py",
    ROOT / "examples/quickstart/src/entry.py",
    ROOT / "tests/conformance/worker/src/entry.py",
    *sorted((Path(__file__).parent / "corpus").glob("*.py")),
]


def outline(node):
    """A node as a tuple of what it is called and what is in it."""
    label = node.get("name") or node.get("kind") or node.get("discriminant")
    inside = [outline(each) for each in node.get("nodes", ())]
    inside += [(branch["condition"], *map(outline, branch["nodes"])) for branch in node.get("branches", ())]
    for block in ("try_block", "catch_block", "finally_block"):
        if node.get(block):
            inside.append((block, *map(outline, node[block]["nodes"])))
    return (node["type"], *([label] if label else []), *inside)


@pytest.mark.parametrize("main", MAINS, ids=lambda path: f"{path.parent.parent.name}-{path.stem}")
def test_sdk_reads_every_graph(main):
    """Each workflow of the examples, and of the corpus, has a graph that the official SDK's model takes strictly."""
    program = Program(main)
    adapter = TypeAdapter(Graph)
    for workflow in program.workflows():
        drawn = graph(program, workflow.name)
        parsed = adapter.validate_python(drawn)
        assert [node["type"] for node in drawn["workflow"]["nodes"]] == [node.type for node in parsed.workflow.nodes]


def test_branches_loops_and_helpers(write):
    """What is around the steps is drawn; what has no steps is not."""
    project = write(
        """
        import asyncio
        from dataclasses import dataclass

        @dataclass
        class Params:
            items: list[str]

        class Order(WorkflowEntrypoint[object, Params]):
            async def run(self, event, step):
                if event.payload.silent:
                    print("nothing to draw")
                for item in event.payload.items:
                    if not item:
                        break
                    await step.do(f"work on {item}", self.work)
                await asyncio.gather(
                    step.do("a", {"retries": {"limit": 2, "delay": lambda it: 1}}, lambda: step.sleep("inner", 5)),
                    *(step.do(f"b {n}", lambda n=n: n) for n in range(3)),
                )
                match event.payload.kind:
                    case "slow":
                        await step.sleep("nap", "1 hour")
                    case _:
                        await self.ask(step)
                try:
                    await self.ask(step)
                except ValueError:
                    await step.do("wrong", lambda: 1)
                except TimeoutError:
                    return
                finally:
                    await step.do("last", lambda: 1)

            async def work(self):
                return 1

            async def ask(self, step):
                await step.wait_for_event("ask", {"type": "answer"})
        """
    )

    workflow = graph(project.program, "Order")["workflow"]
    assert [
        (
            "loop",
            ("if", ("not item", ("break", "break"))),
            ("step_do", "work on {item}"),
        ),
        (
            "parallel",
            "all",
            ("step_do", "a", ("step_sleep", "inner")),
            ("loop", ("step_do", "b {n}")),
        ),
        (
            "switch",
            "event.payload.kind",
            ('"slow"', ("step_sleep", "nap")),
            (None, ("function_call", "ask")),
        ),
        (
            "try",
            ("try_block", ("function_call", "ask")),
            ("catch_block", ("if", ("ValueError", ("step_do", "wrong")), ("TimeoutError",))),
            ("finally_block", ("step_do", "last")),
        ),
    ] == [outline(node) for node in workflow["nodes"]]
    assert {"ask": ("function_def", "ask", ("step_wait_for_event", "ask"))} == {
        name: outline(node) for name, node in workflow["functions"].items()
    }
    assert {"type": "object", "fields": {"items": {"type": "unknown"}}} == workflow["payload"]
    config = workflow["nodes"][1]["nodes"][0]["config"]
    assert {
        "retries": {"limit": 2, "delay": "[dynamic]", "backoff": "exponential"},
        "timeout": "10 minutes",
    } == config


def test_unknown_class(write):
    """A class that is not there is told of with those that are."""
    project = write("class Order(WorkflowEntrypoint):\n    async def run(self, event, step):\n        pass\n")
    with pytest.raises(LookupError, match="has no Workflow class Nope; its classes are: Order"):
        graph(project.program, "Nope")


def test_steps_that_call_themselves(write):
    """A helper and a callback that call themselves are drawn once."""
    project = write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                await self.again(step, 3)

                async def callback():
                    await step.do("inner", callback)

                await step.do("outer", callback)

            async def again(self, step, n):
                await step.sleep("nap", n)
                if n:
                    await self.again(step, n - 1)
        """
    )
    workflow = graph(project.program, "Order")["workflow"]
    assert [("function_call", "again"), ("step_do", "outer", ("step_do", "inner"))] == [
        outline(node) for node in workflow["nodes"]
    ]
    assert ("step_sleep", "nap") == outline(workflow["functions"]["again"]["nodes"][0])
