"""Events and their handlers: which arguments a handler gets, and what is said of one that cannot be called."""

import re

import pytest

from cfworkflows import Request
from cfworkflows_emulator.analysis import Program, check
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.handlers import QUEUE, SCHEDULED, Event
from cfworkflows_emulator.runtime import Project, deliver
from cfworkflows_emulator.runtime.events import ScheduledController

FLAG = 'compatibility_flags = ["python_workers"]'
HEAD = """
import functools
seen = []

def tell(*given):
    seen.append(given)
    return Response("ok")

def logged(handler):
    @functools.wraps(handler)
    async def logging(*given, **named):
        return await handler(*given, **named)
    return logging

def adapted(handler):
    @functools.wraps(handler)
    def adapting(self, request, *more):
        return tell(request, *more) and handler(self)
    return adapting

class Handler:
    __hash__ = None
    async def __call__(self, request, env):
        return tell(request, env)

class Descriptor:
    def __get__(self, instance, owner):
        return tell

    def __set__(self, instance, value):
        raise AttributeError

    def __call__(self, a, b, c, d):
        raise NotImplementedError

class Instance:
    def method(self, request, env):
        return tell(request, env)
"""
SIGNATURES = [
    ("async def fetch(self): return tell()", 0),
    ("async def fetch(self, request): return tell(request)", 1),
    ("async def fetch(self, request, env): return tell(request, env)", 2),
    ("async def fetch(self, request, env, ctx): return tell(request, env, ctx)", 3),
    ("async def fetch(self, request, /, env=1, ctx=2, more=None): return tell(request, env, ctx)", 3),
    ("async def fetch(self, *given): return tell(*given)", 3),
    ("async def fetch(*given): return tell(*given[1:])", 3),
    ("async def fetch(self, request, *rest, more=None, **named): return tell(request, *rest)", 3),
    ("async def fetch(self, **named): return tell()", 0),
    ("def fetch(self, request, env): return tell(request, env)", 2),
    ("@staticmethod\n    async def fetch(request, env): return tell(request, env)", 2),
    ("@classmethod\n    async def fetch(cls, request, env): return tell(request, env)", 2),
    ("@logged\n    async def fetch(self, request): return tell(request)", 1),
    ("@logged\n    @logged\n    async def fetch(self, request, env, ctx): return tell(request, env, ctx)", 3),
    ("@adapted\n    def fetch(self): return Response('ok')", 1),
    ("@functools.cache\n    def fetch(self, request): return tell(request)", 1),
    ("@property\n    def fetch(self): return lambda request: tell(request)", 1),
    ("fetch = staticmethod(functools.partial(lambda more, request, env: tell(request, env), 5))", 2),
    ("fetch = functools.partialmethod(lambda self, more, request: tell(request), 5)", 1),
    ("fetch = Handler()", 2),
    ("fetch = Instance().method", 2),
    ("fetch = Descriptor()", 3),
    ("fetch = lambda self, request: tell(request)", 1),
    ("def __init__(self, ctx, env):\n        super().__init__(ctx, env)\n        self.fetch = tell", 3),
]


@pytest.mark.parametrize(("handler", "count"), SIGNATURES, ids=[source.strip() for source, _ in SIGNATURES])
async def test_a_method_takes_any_prefix_of_the_arguments(write, handler, count, caplog):
    """However it comes to be there, with the real ones, and without a warning; a default gives way to an argument."""
    config = write(f"{HEAD}\nclass Default(WorkerEntrypoint):\n    {handler}\n")
    async with Project.open(config) as project:
        import entry

        request = Request("http://localhost/")
        for _ in range(2):
            assert "ok" == await (await project.worker.fetch(request)).text()
        assert [] == project.faults
        first, second = entry.seen
        assert count == len(first) == len(second)
        for index, expected in enumerate((request, project.env)[:count]):
            assert expected is first[index]
        if count == 3:
            assert first[2].waitUntil
            assert first[2] is not second[2]
    assert not caplog.records


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ("async def on_fetch(): return tell()", 0),
        ("def on_fetch(request, env, ctx): return tell(request, env, ctx)", 3),
        ("on_fetch = functools.partial(lambda more, request: tell(request), 1)", 1),
        ("@logged\nasync def on_fetch(request, env): return tell(request, env)", 2),
        ("on_fetch = Handler()", 2),
    ],
)
async def test_a_function_of_the_module_takes_any_prefix_too(write, source, count):
    """As a method does."""
    async with Project.open(write(f"{HEAD}\n{source}\n")) as project:
        import entry

        assert "ok" == await (await project.worker.fetch(Request("http://localhost/"))).text()
        assert [count] == [len(given) for given in entry.seen]


METHODS = """
class Default(WorkerEntrypoint):
    async def scheduled(self{0}): return tell({1})
    def queue(self{0}): return tell({1})
"""
FUNCTIONS = """
def on_scheduled({1}): return tell({1})
async def on_queue({1}): return tell({1})
"""


@pytest.mark.parametrize("source", [METHODS, FUNCTIONS], ids=["methods", "functions"])
@pytest.mark.parametrize("names", [[], ["event"], ["event", "env"], ["event", "env", "ctx"]], ids=len)
async def test_events_that_are_no_requests_take_any_prefix(write, source, names):
    """The scheduled and queue handlers, as methods and as functions of the module."""
    handlers = source.format("".join(f", {name}" for name in names), ", ".join(names))
    async with Project.open(write(f"{HEAD}\n{handlers}")) as project:
        import entry

        for event in (SCHEDULED, QUEUE):
            await deliver(project.worker, event, "its own")
        assert [len(names)] * 2 == [len(given) for given in entry.seen]
        assert [("its own", project.env)[: len(names)]] * 2 == [given[:2] for given in entry.seen]


NOT_CALLABLE = [
    (
        "async def fetch(self, request, env, ctx, more): pass",
        "it requires 4 arguments (request, env, ctx, more), and is given request, env and ctx.",
    ),
    (
        "async def fetch(self, request, *, env): pass",
        "it requires env as a keyword, and arguments are given by position.",
    ),
    ("async def fetch(): pass", "it is a method, and has no parameter for self."),
]


@pytest.mark.parametrize(("handler", "why"), NOT_CALLABLE)
async def test_a_handler_that_can_never_be_called(write, handler, why):
    """It is named with its line at the start and by each request, with the forms that are possible."""
    config = write(f"class Default(WorkerEntrypoint):\n    {handler}\n")
    expected = (
        f"Default.fetch ({config.main}:4): fetch() can never be called: {why} "
        "Possible are fetch(self), fetch(self, request), fetch(self, request, env) and fetch(self, request, env, ctx)."
    )
    async with Project.open(config) as project:
        assert ([expected], []) == (project.faults, project.notices)
        for _ in range(2):
            with pytest.raises(TypeError, match=f"^{re.escape(expected)}$"):
                await project.worker.fetch(Request("http://localhost/"))


@pytest.mark.parametrize("handler", [handler for handler, _ in NOT_CALLABLE])
async def test_the_source_tells_what_the_start_tells(write, handler):
    """`cfwf check` has the words of the start, from the code alone."""
    config = write(f"class Default(WorkerEntrypoint):\n    {handler}\n", FLAG)
    (finding,) = check(Program(config.main), config)
    async with Project.open(config) as project:
        (told,) = project.faults
    assert ("handler-arguments", 4) == (finding.rule, finding.location.line)
    assert told == f"Default.fetch ({config.main}:4): {finding.message} {finding.fix}"


@pytest.mark.parametrize("handler", [handler for handler, _ in SIGNATURES])
async def test_the_source_of_a_handler_that_can_be_called_is_right(write, handler):
    """Whatever works is left alone by `cfwf check`."""
    config = write(f"{HEAD}\nclass Default(WorkerEntrypoint):\n    {handler}\n", FLAG)
    assert [] == check(Program(config.main), config)


async def test_every_handler_is_looked_at_at_the_start(write):
    """Of Default and of the module all events, of a named entrypoint its requests; each function once."""
    config = write(
        """
        class Default(WorkerEntrypoint):
            async def fetch(self, request): return Response()
            @staticmethod
            async def scheduled(a, b, c, d): pass
            def email(self, a, b, c, d): pass
            @property
            def trace(self): raise ValueError
        class Admin(WorkerEntrypoint):
            def fetch(self, a, b, c, d): pass
            def scheduled(self, a, b, c, d): pass
        Other = Admin
        """
    )
    async with Project.open(config) as project:
        told = [fault.partition(" ")[0] for fault in project.faults]
    assert ["Admin.fetch", "Default.scheduled", "Default.email"] == told
    async with Project.open(write("def on_scheduled(a, b, c, d): pass\n")) as project:
        assert "Possible are on_scheduled(), on_scheduled(controller), " in project.faults[0]


async def test_a_crons_handler_that_cannot_be_called_is_told_with_its_line(write):
    """And with the names of its own arguments."""
    async with Project.open(
        write("class Default(WorkerEntrypoint):\n    def scheduled(self, *, controller): pass\n")
    ) as p:
        with pytest.raises(
            TypeError, match=r"^Default\.scheduled .*entry\.py:4\): .*scheduled\(self, controller, env\)"
        ):
            await deliver(p.worker, SCHEDULED, ScheduledController("* * * * *", 0))


async def test_events_without_env_and_ctx_and_strict_ones(write):
    """An alarm has an argument of its own alone; a call of a method has all of its arguments, or fails."""
    config = write(
        """
        class Default(WorkerEntrypoint):
            def alarm(self, *given): return given
            async def add(self, a, b): return a + b
        """
    )
    async with Project.open(config) as project:
        assert ("info",) == await deliver(project.worker, Event("alarm", ("info",), ambient=False), "info")
        add = Event("add", (), ambient=False, strict=True)
        assert 3 == await deliver(project.worker, add, 1, 2)
        with pytest.raises(TypeError, match="takes 3 positional arguments but 4 were given"):
            await deliver(project.worker, add, 1, 2, 3)


async def test_a_fault_says_whose_it_is(write, tmp_path):
    """Where several Workers run beside each other."""
    config = write("async def on_fetch(a, b, c, d): pass\n")
    other = tmp_path / "other"
    other.mkdir()
    (other / "wrangler.toml").write_text('name = "other"\nmain = "entry.py"\n')
    (other / "entry.py").write_text("")
    async with Project.open(config, load_config(cwd=other, process_env={})) as project:
        assert ["Worker shop: on_fetch"] == [fault.partition(" (")[0] for fault in project.faults]
