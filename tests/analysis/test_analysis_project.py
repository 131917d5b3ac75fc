"""Rules that look at a whole Worker: its configuration, its modules, its events."""

from pathlib import Path

import pytest

from cfworkflows_emulator.analysis import Flow, Program, check
from cfworkflows_emulator.config.loading import load_config

ROOT = Path(__file__).parent.parent.parent
PROJECTS = [
    ROOT / "examples/patterns/wrangler.toml",
    ROOT / "examples/quickstart/wrangler.toml",
    ROOT / "tests/conformance/worker/wrangler.jsonc",
]
ORDERS = """
[vars]
GREETING = "hello"

[[workflows]]
name = "orders"
binding = "ORDERS"
class_name = "Order"
"""
ORDER = """
class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.wait_for_event("wait", {"type": "approval"})
"""


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_nothing_is_wrong_with_what_works(path):
    """There is no false alarm on the examples, nor on the Worker of the conformance scenarios."""
    config = load_config(path, cwd=path.parent, process_env={})
    assert [] == check(Program(config.main), config)


def test_nothing_is_imported(write, tmp_path):
    """The code is read, and not run: what it would do at import does not happen."""
    project = write(f"open({str(tmp_path / 'ran')!r}, 'w')\nimport helper\n{ORDER}", ORDERS, helper="raise SystemExit")
    assert [] == project.found()
    assert not (tmp_path / "ran").exists()


def test_unknown_binding_in_every_form(write):
    """self.env in entrypoints, env of the SDK, and env of on_fetch are looked at; other names env are not."""
    project = write(
        """
        async def on_fetch(request, env):
            return env.GREETNG

        def helper(env):
            return env.ANYTHING

        class Api(WorkerEntrypoint):
            async def fetch(self, request):
                return [env.ORDER, self.env.GREETING, self.env.ORDERS, getattr(self.env, "DYNAMIC"), self.env.DYNAMIC]

            async def other(self):
                async def inner():
                    return self.env.NOPE
                return await inner()

        class Plain:
            def method(self):
                return self.env.ANYTHING
        """
        + ORDER.replace("\n", "\n        "),
        ORDERS,
    )
    assert [("unknown-binding", 4), ("unknown-binding", 11), ("unknown-binding", 15)] == project.found()
    fixes = [each.fix for each in project.findings()]
    assert ['Did you mean "GREETING"?', 'Did you mean "ORDERS"?'] == fixes[:2]
    assert "There are GREETING, ORDERS." in fixes[2]


INDEX = '[[vectorize]]\nbinding = "INDEX"\nindex_name = "1"\n'
USES_INDEX = """
class Api(WorkerEntrypoint):
    async def fetch(self, request):
        return await self.env.INDEX.query([1])
"""


def test_binding_that_is_not_supported(write):
    """A binding of a kind that there is not yet is found where it is used."""
    (finding,) = write(USES_INDEX, INDEX).findings()
    assert ("unsupported-binding", 5) == (finding.rule, finding.location.line)
    assert "env.INDEX is a binding of the kind Vectorize Index, which is not supported yet" in finding.message


@pytest.mark.parametrize(
    "source",
    [
        USES_INDEX + "    def __init__(self, ctx, env):\n        self.env.INDEX = {}\n",
        USES_INDEX + "\nhasattr(Api, 'INDEX')\n",
        "class Api(WorkerEntrypoint):\n    async def fetch(self, request):\n        return 1\n",
    ],
)
def test_binding_that_is_not_supported_and_not_used(write, source):
    """A stand-in, a look before the use, and a binding that nobody uses are left alone."""
    assert [] == write(source, INDEX).found()


def test_variable_has_methods_that_are_not_awaited(write):
    """What the configuration sets as a variable is a dict or a text, and no binding."""
    use = """
    class Api(WorkerEntrypoint):
        async def fetch(self, request):
            print(self.env.ORDERS.get("1").id)
            return self.env.SETTINGS.get("title").upper()
    """
    assert [("not-awaited", 5)] == write(
        use + ORDER.replace("\n", "\n    "), ORDERS.replace('GREETING = "hello"', 'SETTINGS = { title = "hello" }')
    ).found()


def test_module_with_the_name_of_another(write):
    """A module beside the main one that has the name of one of Python, or of a needed package, is found."""
    project = write("import types\nfrom click import shop\nimport orders\n", types="A = 1", click="shop = 1", orders="")
    assert [("shadowed-module", 2), ("shadowed-module", 3)] == project.found()
    first, second = project.findings()
    assert first.message.startswith("src/types.py has the name of the module types of Python's standard library: ")
    assert "the package click at " in second.message
    assert "src/shop_types.py" in first.fix


def test_name_that_the_sdk_does_not_have(write):
    """A global of JavaScript is found with what Python writes, a mistyped name with the one that is meant."""
    project = write("from cfworkflows import setTimeout, WorkflowEntryPoint\nfrom cfworkflows import URL, testing\n")
    assert [("missing-name", 2), ("missing-name", 2)] == project.found()
    first, second = project.findings()
    assert "There is no setTimeout in cfworkflows." == first.message
    assert "`await scheduler.wait(ms)` waits" in first.fix
    assert 'Did you mean "WorkflowEntrypoint"?' == second.fix


def test_module_with_a_name_of_its_own(write):
    """Modules of Python, modules of the Worker in a package, and those that nobody imports are left alone."""
    project = write("import queue\nimport shop.types\nfrom shop import token\n", platform="")
    (project.folder / "src/shop").mkdir()
    for name in ("__init__", "types", "token"):
        (project.folder / f"src/shop/{name}.py").write_text("from . import types\n")
    assert [] == project.found()


def test_module_that_the_worker_has_itself(write):
    """A module called as one of the platform that is not supported is the Worker's own, if it has a file."""
    assert [] == write("import asgi\n", asgi="").found()


def test_secrets_are_bound(write, tmp_path):
    """Names of .dev.vars, and those that secrets.required lists, are known."""
    use = "class Api(WorkerEntrypoint):\n    async def fetch(self, r):\n        return [self.env.A, self.env.B]\n"
    project = write(use, '[secrets]\nrequired = ["A", "B"]\n')
    (tmp_path / ".dev.vars").write_text("A=1\n")
    assert [] == project.found()


def test_handlers_of_what_is_exported(write):
    """`__all__` says which classes and functions have handlers; a class may come from another module."""
    bad = "    def fetch(self, a, b, c, d): pass\n"
    main = f"from helper import Admin\nclass Other(WorkerEntrypoint):\n{bad}class _Late(WorkerEntrypoint):\n{bad}"
    helper = f"from cfworkflows import *\nclass Admin(WorkerEntrypoint):\n{bad}"
    listed = write(f"{main}__all__ = ['Admin', '_Late']\n", helper=helper).findings()
    assert [("entry.py", 6), ("helper.py", 3)] == [
        (Path(each.location.file).name, each.location.line) for each in listed
    ]
    others = write(main, helper=helper).findings()
    assert [("entry.py", 4), ("helper.py", 3)] == [
        (Path(each.location.file).name, each.location.line) for each in others
    ]


def test_missing_class(write):
    """A class of the configuration that is not in the main module is found in the configuration."""
    project = write(ORDER.replace("Order", "Ordr"), ORDERS)
    (finding,) = project.findings()
    assert ("missing-class", "wrangler.toml", 'Did you mean "Ordr"?') == (
        finding.rule,
        finding.location.file,
        finding.fix,
    )
    assert "the classes there are: Ordr" in finding.message


@pytest.mark.parametrize(
    "main",
    [
        "from orders import Order",
        "from orders import *",
        "import orders\nOrder = orders.Order",
        "from a_package import Order",
        "from a_package import *",
        "from orders import Base\nclass Order(Base): pass",
        "from a_package import Base\nclass Order(Base): pass",
    ],
)
def test_class_that_comes_from_elsewhere(write, main):
    """A class may be imported from another module; what comes from a package is not known, and not complained of."""
    assert [] == write(main + "\n", ORDERS, orders=f"from cfworkflows import *\n{ORDER}\nBase = Order\n").found()


SEND = """
class Api(WorkerEntrypoint):
    async def fetch(self, request):
        order = await self.env.ORDERS.get("1")
        await order.send_event({"type": %s})
"""


def test_event_that_nobody_waits_for(write):
    """An event that is sent has a type that some workflow waits for."""
    (finding,) = write(ORDER + SEND % '"aproval"', ORDERS).findings()
    assert ("unmatched-event", 'Did you mean "approval"?') == (finding.rule, finding.fix)
    assert [] == write(ORDER + SEND % '"approval"', ORDERS).found()


def test_event_type_that_is_refused(write):
    """A type with a dot is refused where it is sent, too."""
    assert [("event-type", 10)] == write(ORDER + SEND % '"order.paid"', ORDERS).found()


def test_event_of_a_type_that_is_not_known(write):
    """Where a workflow waits for what it is told at run time, or hands its step on, any type may be right."""
    dynamic = ORDER.replace('"approval"', "event.payload.type")
    assert [] == write(dynamic + SEND % '"aproval"', ORDERS).found()
    handed = ORDER + "        await elsewhere(step)\n"
    assert [] == write("from a_package import elsewhere\n" + handed + SEND % '"aproval"', ORDERS).found()


def test_file_that_is_no_python(write):
    """A syntax error is found at its place, and the rest is looked at all the same."""
    project = write("import broken\n" + ORDER.replace("await", "time.sleep(1); await"), ORDERS, broken="def f(:\n")
    (finding,) = project.findings()
    assert ("syntax", 1, 7) == (finding.rule, finding.location.line, finding.location.column)


def test_file_in_another_encoding(write):
    """A file is read in the encoding it declares; one that is not in its encoding is told of."""
    project = write(ORDER, ORDERS)
    main = project.folder / "src/entry.py"
    main.write_bytes(b"# coding: latin-1\n# \xe4\n" + main.read_bytes())
    assert [] == project.found()
    main.write_bytes(b"# \xe4\n")
    (finding,) = project.findings()
    assert ("syntax", True) == (finding.rule, "the file is not in its encoding" in finding.message)


def test_helper_in_another_module(write):
    """A helper that takes the step is followed into its module, and found there."""
    project = write(
        """
        from shop.helpers import remind

        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                await remind(step, "Ada")
        """,
        ORDERS,
    )
    (project.folder / "src/shop").mkdir()
    (project.folder / "src/shop/__init__.py").write_text("")
    (project.folder / "src/shop/times.py").write_text('NAP = "1 hou"\n')
    (project.folder / "src/shop/helpers.py").write_text(
        "import time\nfrom . import times\nfrom .times import NAP\n"
        "async def remind(step, who):\n    print(time.time())\n"
        '    await step.sleep("nap", NAP)\n    await step.sleep("nap 2", times.NAP)\n'
    )
    assert [("nondeterminism", 5), ("duration", 6), ("duration", 7)] == project.found()
    assert {"shop/helpers.py"} == {Path(each.location.file).as_posix()[-15:] for each in project.findings()}


def test_columns_count_characters(write):
    """Letters of several bytes before the place do not move it."""
    source = (
        'class Order(WorkflowEntrypoint):\n    async def run(self, event, step):\n        "ÄÖÜ"; step.sleep("a", 1)\n'
    )
    (finding,) = write(source, ORDERS).findings()
    assert "4 | " + finding.location.text + "\n  | " + " " * 15 + "^" == finding.location.frame()


def test_steps_are_found_with_their_lines(write):
    """Every verb in every form is a step, with its file and line."""
    project = write(
        """
        class Order(WorkflowEntrypoint):
            async def run(self, event, step):
                @step.do("decorated")
                async def work():
                    await step.do("nested", lambda: 1)
                await work()
                await self.more(step)
                await step.waitForEvent("wait", {"type": "go"})

            async def more(self, durable):
                await durable.sleepUntil("until", 2_000_000_000_000)
        """,
        ORDERS,
    )
    program = project.program
    (workflow,) = program.workflows()
    steps = [(step.verb, step.name, step.location.line) for step in Flow(program, workflow).steps]
    assert [
        ("do", "decorated", 5),
        ("do", "nested", 7),
        ("sleep_until", "until", 13),
        ("wait_for_event", "wait", 10),
    ] == steps
