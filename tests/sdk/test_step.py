"""`step.do` in every form it can be called in, and what its configuration may be."""

import asyncio
import math
import threading
from datetime import timedelta
from functools import partial, wraps

import pytest

from cfworkflows import StepContext, WorkflowFatalError, WorkflowRetryConfig, WorkflowStepConfig
from cfworkflows.step.call import context_style
from cfworkflows.step.config import ResolvedConfig, resolve

SEE = "https://developers.cloudflare.com/workflows/build/sleeping-and-retrying/"


async def plain():
    return "plain"


async def with_context(ctx):
    return f"{ctx.step.name}-{ctx.step.count} {ctx['attempt']}"


def name_of_thread():
    return threading.current_thread().name


def decorated_elsewhere(function):
    @wraps(function)
    def wrapper(*arguments, **keywords):
        return function(*arguments, **keywords)

    return wrapper


class Callable:
    async def __call__(self, ctx):
        return ctx.step.name

    async def method(self, context):
        return context.step.count

    def blocking(self):
        return name_of_thread()


@pytest.mark.parametrize(
    ("callback", "result"),
    [
        (plain, "plain"),
        (lambda: plain(), "plain"),
        (lambda: 7, 7),
        (lambda ctx: ctx.attempt, 1),
        (lambda anything: anything.step.name, "s"),
        (lambda item=5: item, 5),
        (lambda item=5, ctx=None: [item, ctx.attempt], [5, 1]),
        (with_context, "s-1 1"),
        (decorated_elsewhere(with_context), "s-1 1"),
        (partial(lambda a, b: a + b, 1, b=2), 3),
        (partial(lambda a, ctx: [a, ctx.attempt], 1), [1, 1]),
        (partial(lambda a, ctx: [a, ctx.attempt], a=1), [1, 1]),
        (Callable(), "s"),
        (Callable().method, 1),
        (dict, {}),
    ],
)
async def test_each_form_of_callback(serve, callback, result):
    """Functions, lambdas, partials, methods, objects; with the context where they take one."""

    async def run(step):
        return await step.do("s", callback)

    assert result == await (await serve(run)).run()


@pytest.mark.parametrize("callback", [name_of_thread, Callable().blocking, partial(name_of_thread)])
async def test_a_plain_def_runs_in_a_thread_and_a_lambda_does_not(serve, callback):
    """A blocking client does not stall the server."""

    async def run(step):
        return [await step.do("def", callback), await step.do("lambda", lambda: callback())]

    first, second = await (await serve(run)).run()
    assert first.startswith("cfwf-step")
    assert threading.current_thread().name == second


CONFIG = {"retries": {"limit": 2, "delay": "1 second", "backoff": "linear"}, "timeout": "30 seconds"}


@pytest.mark.parametrize(
    "call",
    [
        lambda step, callback: step.do("s", CONFIG, callback),
        lambda step, callback: step.do("s", CONFIG, callback, {"rollback": lambda: None}),
        lambda step, callback: step.do("s", callback, **CONFIG),
        lambda step, callback: step.do("s", callback, {"rollback": lambda: None}, **CONFIG),
        lambda step, callback: step.do("s", callback, config=CONFIG),
        lambda step, callback: step.do("s", config=CONFIG)(callback)(),
        lambda step, callback: step.do("s", CONFIG)(callback)(),
        lambda step, callback: step.do("s", **CONFIG)(callback)(),
        lambda step, callback: step.do(
            "s",
            WorkflowStepConfig(
                retries=WorkflowRetryConfig(limit=2, delay="1 second", backoff="linear"), timeout="30 seconds"
            ),
            callback,
        ),
    ],
)
async def test_each_form_of_configuration(serve, call):
    """An object in its place, or keywords: the context shows it resolved."""

    async def run(step):
        return await call(step, lambda ctx: ctx.config)

    assert CONFIG == await (await serve(run)).run()


async def test_the_context_shows_the_defaults(serve):
    """5 retries, 10 seconds, exponential, 10 minutes."""

    async def run(step):
        return await step.do("s", lambda ctx: [isinstance(ctx, StepContext), ctx.config])

    defaults = {"retries": {"limit": 5, "delay": 10_000, "backoff": "exponential"}, "timeout": "10 minutes"}
    assert [True, defaults] == await (await serve(run)).run()


@pytest.mark.parametrize(
    ("config", "note"),
    [
        ({"retrys": {}}, "unknown key retrys; the keys are retries, timeout, sensitive. Did you mean retries?"),
        ({"retry": {"limit": 1}}, "unknown key retry; the keys are retries, timeout, sensitive. Did you mean retries?"),
        (
            {"retries": {"count": 1}},
            "unknown key count; the keys are limit, delay, backoff. Did you mean limit?",
        ),
        ({"max_attempts": 3}, "Did you mean retries?"),
        ({"colour": 3}, "the keys are retries, timeout, sensitive.\nAs in {"),
        ({"retries": {"limit": 1}}, "retries.delay: is missing"),
        ({"retries": {"delay": 1}}, "retries.limit: is missing"),
        ({"retries": {"limit": -1, "delay": 1}}, "retries.limit: must be a whole number from 0 to 10,000, not -1."),
        ({"retries": {"limit": 1.5, "delay": 1}}, "not 1.5"),
        ({"retries": {"limit": True, "delay": 1}}, "not True"),
        ({"retries": {"limit": 10_001, "delay": 1}}, "not 10001"),
        ({"retries": {"limit": 1, "delay": -1}}, "retries.delay: -1 is not a duration"),
        ({"retries": {"limit": 1, "delay": "5minutes"}}, 'Did you mean "5 minutes"?'),
        ({"retries": {"limit": 1, "delay": 1, "backoff": "cubic"}}, "retries.backoff: must be one of"),
        ({"retries": {"limit": 1, "delay": 1, "jitter": 1}}, "retries: unknown key jitter"),
        ({"retries": 5}, "retries: expected an object with limit, delay, backoff, got 5."),
        ({"timeout": 0}, "timeout: must be more than 0."),
        ({"timeout": math.inf}, "timeout: inf is not a duration"),
        ({"sensitive": "input"}, "sensitive: must be \"output\", not 'input'."),
        (5, "expected an object"),
    ],
)
async def test_a_configuration_in_an_invalid_format(serve, config, note):
    """The platform's message, and a note that says what is wrong; it can be caught, and nothing runs."""

    async def run(step):
        with pytest.raises(WorkflowFatalError) as caught:
            step.do("s", config, lambda: pytest.fail("called"))
        return [str(caught.value), *caught.value.__notes__]

    text, told = await (await serve(run)).run()
    assert f'Step config for "s" is in a invalid format. See {SEE}' == text
    assert note in told


def test_a_configuration_is_kept_as_it_was_written():
    """What is stored reads back the same; a delay function is named, a timedelta is milliseconds."""
    config = resolve(
        "s",
        WorkflowStepConfig(
            retries={"limit": math.inf, "delay": timedelta(seconds=2)}, timeout=timedelta(minutes=1), sensitive="output"
        ),
    )
    stored = config.as_dict()
    retries = {"limit": 10_000, "delay": 2000.0, "backoff": "exponential"}
    assert {"retries": retries, "timeout": 60_000.0, "sensitive": "output"} == stored
    assert stored == ResolvedConfig.from_dict(stored).as_dict()
    dynamic = resolve("s", {"retries": {"limit": 1, "delay": lambda request: 1}}).as_dict()
    assert "[dynamic]" == dynamic["retries"]["delay"]
    assert ResolvedConfig() == resolve("s", None)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda step: step.do("x" * 257, plain), "exceeds max length (256 chars) or invalid characters found"),
        (lambda step: step.do("a\nb", plain), "exceeds max length"),
        (lambda step: step.do(5, plain), "must be a string, not 5"),
        (lambda step: step.do("s", 5), 'Step "s" requires a callback function'),
        (lambda step: step.do("s", CONFIG, 5), 'Step "s" requires a callback function'),
        (lambda step: step.do(plain), "step.do is called with a name"),
        (lambda step: step.do("s", lambda a, b: 1), "its callback asks for 2 arguments (a, b)"),
        (lambda step: step.do("s", partial(lambda *, key: 1)), "its callback asks for 1 argument (key)"),
        (lambda step: step.do("s", plain, 5), 'Rollback options for "s" must be an object'),
        (lambda step: step.do("s", plain, {"rollback": 5}), 'Rollback for "s" must be a function'),
        (
            lambda step: step.do("s", plain, {"rollback": plain, "rollbackConfig": {"timeout": 0}}),
            f'Rollback config for "s" is in a invalid format. See {SEE}',
        ),
    ],
)
async def test_a_step_that_is_called_wrongly(serve, call, text):
    """A WorkflowFatalError at the call, which `run()` may catch."""

    async def run(step):
        with pytest.raises(WorkflowFatalError) as caught:
            call(step)
        return str(caught.value)

    assert text in await (await serve(run)).run()


async def test_a_coroutine_in_place_of_the_callback(serve):
    """The note says that it was called too early, and what to write; nothing warns that nobody awaits it."""

    async def load():
        pytest.fail("called")

    async def run(step):
        with pytest.raises(WorkflowFatalError) as caught:
            step.do("s", load())
        return [str(caught.value), *caught.value.__notes__]

    text, note = await (await serve(run)).run()
    assert 'Step "s" requires a callback function' == text
    assert note.startswith("load() is called before the step begins")
    assert note.endswith("Pass a function: lambda: load(…)")


async def test_a_step_without_a_callback_cannot_be_awaited(serve):
    """`await step.do("s")` tells that the callback is missing."""

    async def run(step):
        await step.do("s")

    server = await serve(run)
    assert 'Step "s" requires a callback function' == (await server.finish(await server.create())).error.message


@pytest.mark.parametrize(
    "call",
    [
        lambda step: step.do("s", CONFIG, plain, timeout=1),
        lambda step: step.do("s", CONFIG, plain, config=CONFIG),
        lambda step: step.do("s", CONFIG, plain, None, 5),
        lambda step: step.do("s", plain, depends=[]),
        lambda step: step.do("s", plain, concurrent=True),
    ],
)
async def test_arguments_that_contradict_each_other(serve, call):
    """A TypeError, as for any function."""

    async def run(step):
        with pytest.raises(TypeError):
            call(step)

    await (await serve(run)).run()


async def test_names_may_be_empty_or_256_characters_long(serve):
    """As on the platform."""

    async def run(step):
        return [await step.do("", lambda: 1), await step.do("x" * 256, lambda: 2)]

    assert [1, 2] == await (await serve(run)).run()


async def test_a_decorated_step_takes_earlier_ones_by_name(serve):
    """As a dependency a step runs once; a direct call runs a new one; the context comes under any other parameter."""
    calls = []

    async def run(step):
        @step.do()
        async def a():
            calls.append("a")
            return len(calls)

        @step.do("b")
        async def second(a, ctx):
            calls.append("b")
            return [a, ctx.step.name]

        @step.do("c", concurrent=True)
        async def third(ctx, a, b):
            calls.append("c")
            return [a, b, ctx.step.count]

        return [await third(), await third(), await a()]

    assert [[1, [1, "b"], 1], [1, [1, "b"], 2], 5] == await (await serve(run)).run()
    assert ["a", "b", "c", "c", "a"] == calls


async def test_depends_lists_the_steps_in_the_order_of_the_parameters(serve):
    """Whatever they are called."""

    async def run(step):
        @step.do("first step")
        async def a():
            return 1

        @step.do("second step", depends=[a])
        async def b(x, ctx):
            return x + ctx.attempt

        return await b()

    assert 2 == await (await serve(run)).run()


@pytest.mark.parametrize(
    ("depends", "text"),
    [
        (None, "Received unexpected parameter x: a parameter is `ctx` or the name of an earlier step"),
        ([], "Step declares 1 non-ctx parameter(s) but 'depends' has 0 item(s)"),
        ([plain], "'depends' entry for parameter 'x' is not a function decorated with step.do"),
    ],
)
async def test_dependencies_that_are_not_there(serve, depends, text):
    """The messages of Python Workers."""

    async def run(step):
        @step.do("s", depends=depends)
        async def function(x):
            return x

        with pytest.raises(TypeError) as caught:
            await function()
        return str(caught.value)

    assert text in await (await serve(run)).run()


async def test_a_dependency_that_failed_is_run_again(serve):
    """And one that somebody gave up on is still there for the others."""

    async def run(step):
        @step.do("a", retries={"limit": 0, "delay": 0})
        async def a(ctx):
            if ctx.step.count == 1:
                raise ValueError("no")
            return ctx.step.count

        @step.do("b")
        async def b(a):
            return a

        with pytest.raises(ValueError, match="no"):
            await b()
        given_up, kept = b(), b()
        await asyncio.sleep(0)
        given_up.cancel()
        return await kept

    assert 2 == await (await serve(run)).run()


def test_a_builtin_without_a_signature_is_called_without_the_context():
    """Python does not tell what it takes."""
    assert context_style("s", max) is None
    assert context_style("s", dict) is None
