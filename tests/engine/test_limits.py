"""Every limit of the platform that is enforced, in one place: what goes beyond it, and what the error says.

The table in docs/limits.md has the same limits, with the same numbers. That the values at a limit itself pass is
tested where each feature is.
"""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from world import TestEngine

from cfworkflows.cron import LONGEST as MAX_CRON
from cfworkflows.errors import LONGEST_ERROR, CfworkflowsError
from cfworkflows.step.call import MAX_NAME_LENGTH
from cfworkflows.step.config import MAX_RETRIES
from cfworkflows.types import MAX_RETENTION_MS
from cfworkflows_bindings.workflow.batch import MAX_BATCH
from cfworkflows_emulator.config import ConfigError
from cfworkflows_emulator.config.kinds.workflow import rules
from cfworkflows_emulator.config.loading import load_config
from cfworkflows_emulator.engine import admission
from cfworkflows_emulator.engine.definition import (
    DEFAULT_STEP_LIMIT,
    MAX_ADDRESSABLE_LENGTH,
    MAX_ID_LENGTH,
)
from cfworkflows_emulator.engine.journal import sizes
from cfworkflows_emulator.engine.journal.sizes import MAX_VALUE_BYTES
from cfworkflows_emulator.engine.run.step_do import DELAY_FUNCTION_TIMEOUT_MS
from cfworkflows_emulator.engine.run.step_sleep import MAX_SLEEP_MS
from cfworkflows_emulator.engine.run.step_wait import MAX_TIMEOUT_MS, MAX_TYPE_LENGTH, MIN_TIMEOUT_MS

DAY_MS = 86_400_000
BIG = "x" * (MAX_VALUE_BYTES + 1)
MIB = f"{MAX_VALUE_BYTES // 1024**2} MiB"
YEAR = f"{MAX_SLEEP_MS // DAY_MS:.0f} days"


class Limit(NamedTuple):
    """A row of the table, as it is there; `exceed` goes beyond it, and the error has each of the `texts`."""

    row: str
    most: str
    exceed: Callable[..., Any]
    texts: tuple[str, ...]


def in_run(call):
    """What `run()` does with a step."""

    async def exceed(serve):
        async def run(step):
            try:
                await call(step)
            except CfworkflowsError as error:
                return [str(error), *getattr(error, "__notes__", [])]

        server = await serve(run)
        return "\n".join(await server.run())

    return exceed


def on_binding(call):
    """What a Worker does with a binding."""

    async def exceed(serve):
        async def run(step):
            return (await step.wait_for_event("w", type="t")).payload

        server: TestEngine = await serve(run)
        with pytest.raises(CfworkflowsError) as caught:
            await call(server["run"])
        assert 0 == sum((await server.engine.counts("run")).values()) - (call is too_large_an_event)
        return "\n".join([str(caught.value), *getattr(caught.value, "__notes__", [])])

    return exceed


def as_output(output):
    async def exceed(serve):
        async def run(step):
            return output

        server = await serve(run)
        return (await server.finish(await server.create())).error.message

    return exceed


def configured(workflow):
    """What a configuration file says of a workflow."""

    async def exceed(serve, tmp_path):
        keys = {"name": "orders", "binding": "ORDERS", "class_name": "Orders", **workflow}
        toml = "\n".join(f"{key} = {value!r}" for key, value in keys.items())
        path = tmp_path / "wrangler.toml"
        path.write_text(f'name = "shop"\nmain = "entry.py"\ncompatibility_date = "2026-11-01"\n[[workflows]]\n{toml}\n')
        with pytest.raises(ConfigError) as caught:
            load_config(path, cwd=tmp_path, process_env={})
        return str(caught.value)

    return exceed


async def too_much_stored(serve):
    """Results, and then an event, in an instance that may keep less than the platform lets it."""
    errors = []

    async def run(step):
        for n in range(3):
            await step.do(f"s{n}", lambda: "x" * 800)
        try:
            await step.do("one more", lambda: "x" * 1000)
        except CfworkflowsError as error:
            errors.append(str(error))
        await step.wait_for_event("w", type="t")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sizes, "MAX_STATE_BYTES", 4096)
        server = await serve(run)
        instance = await server.create()
        with pytest.raises(CfworkflowsError) as caught:
            await instance.send_event(type="t", payload="x" * 1000)
        assert "event_received" not in await server.journal(instance)
    assert "storage_exceeded" in str(caught.value)
    return f"{errors[0]} {caught.value}"


async def too_many_queued(serve):
    """More than one, in a place that takes one."""

    async def run(step):
        await step.do("s", asyncio.Event().wait)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(admission, "MAX_QUEUED", 1)
        server = await serve(run, concurrency_limit=1)
        await server["run"].create(id="a")
        await server["run"].create(id="b")
        with pytest.raises(CfworkflowsError) as caught:
            await server["run"].create(id="c")
        assert 2 == sum((await server.engine.counts("run")).values())
    for id in ("a", "b"):
        await (await server.get(id)).delete()
    return str(caught.value)


async def one_step_more(step):
    for _ in range(DEFAULT_STEP_LIMIT):
        step.do("s", lambda: None)  # nobody waits for them
    await step.do("one more", lambda: None)


async def too_large_an_event(binding):
    instance = await binding.create(id="i")
    await instance.send_event(type="t", payload=BIG)


async def endless_delay(step):
    async def delay(request):
        step._driver._run.clock._fire_next()
        await step._driver._run._loop.create_future()

    async def fail():
        raise ValueError

    await step.do("s", fail, retries={"limit": 1, "delay": delay})


class Talkative(Exception):
    """An error that run() is given as a StepError."""


def too_long_an_error():
    raise Talkative("Start" * 600_000 + "End" * 1_000_000)


LIMITS = [
    Limit(
        "result of a step", MIB, in_run(lambda step: step.do("s", lambda: BIG)), ("1MiB", "1.00 MiB", "return its key")
    ),
    Limit("output of a workflow", MIB, as_output(BIG), ("1 MiB", "1,048,577 bytes", "return its key")),
    Limit(
        "params of an instance",
        MIB,
        on_binding(lambda binding: binding.create(params=BIG)),
        ("The params have 1.00 MiB", "the limit is 1 MiB", "pass its key"),
    ),
    Limit(
        "params of a batch, together",
        MIB,
        on_binding(lambda binding: binding.create_batch([{"params": BIG[: len(BIG) // 2 + 1]}] * 2)),
        ("The params of the batch have 1.00 MiB", "the limit is 1 MiB", "several batches"),
    ),
    Limit(
        "payload of an event",
        MIB,
        on_binding(too_large_an_event),
        ("The payload has 1.00 MiB", "the limit is 1 MiB", "pass its key"),
    ),
    Limit(
        "stored state of an instance",
        f"{sizes.MAX_STATE_BYTES // 1024**3} GiB",
        too_much_stored,
        (
            "exceeded the 4KiB storage limit",
            "the output of step one more-1 has 1002 bytes more",
            "the payload of the event has 1002 bytes more",
            "Store large outputs elsewhere (R2)",
        ),
    ),
    Limit(
        "queued instances",
        f"{admission.MAX_QUEUED:,}",
        too_many_queued,
        ("instance.too_many_queued", "which is the limit", "raise its concurrency.limit"),
    ),
    Limit(
        "steps of an instance, by default",
        f"{DEFAULT_STEP_LIMIT:,}",
        in_run(one_step_more),
        ("limit of 10000 steps", 'Step "one more-1" is number 10,001', "Raise limits.steps"),
    ),
    Limit(
        "steps of an instance, with `limits.steps`",
        f"{rules.MAX_STEPS:,}",
        configured({"limits.steps": rules.MAX_STEPS + 1}),
        ("wrangler.toml:8", "25,001", "maximum of 25,000", "Set it to"),
    ),
    Limit(
        "retries of a step",
        f"{MAX_RETRIES:,}",
        in_run(lambda step: step.do("s", list, retries={"limit": MAX_RETRIES + 1, "delay": 1})),
        ("retries.limit: must be a whole number from 0 to 10,000, not 10001",),
    ),
    Limit(
        "time for a delay function",
        f"{DELAY_FUNCTION_TIMEOUT_MS // 1000} seconds",
        in_run(endless_delay),
        ('delay function for step "s-1" did not return within 5 seconds',),
    ),
    Limit(
        "sleep",
        YEAR,
        in_run(lambda step: step.sleep("s", "366 days")),
        ("366.0 days", "longer than a year", "Sleep several times"),
    ),
    Limit(
        "timeout of `wait_for_event`",
        f"{MIN_TIMEOUT_MS // 1000} second to {MAX_TIMEOUT_MS // DAY_MS:.0f} days",
        in_run(lambda step: step.wait_for_event("w", type="t", timeout=MIN_TIMEOUT_MS - 1)),
        ("is 0.999 seconds", "1 second to 365 days"),
    ),
    Limit(
        "timeout of `wait_for_event`",
        f"{MIN_TIMEOUT_MS // 1000} second to {MAX_TIMEOUT_MS // DAY_MS:.0f} days",
        in_run(lambda step: step.wait_for_event("w", type="t", timeout="366 days")),
        ("is 31622400 seconds", "1 second to 365 days", "Wait in a loop"),
    ),
    Limit(
        "message of an error, and its traceback",
        f"{LONGEST_ERROR:,} characters each",
        in_run(lambda step: step.do("s", {"retries": {"limit": 0, "delay": 0}}, too_long_an_error)),
        ("StartStartStart", "EndEndEnd", "6,000,000 characters, of which 65,536 are kept"),
    ),
    *(
        Limit(
            "name of a step, a sleep or a wait",
            f"{MAX_NAME_LENGTH} characters",
            in_run(call),
            ("exceeds max length (256 chars)", "It has 257 characters", "shorter name"),
        )
        for call in (
            lambda step: step.do("x" * (MAX_NAME_LENGTH + 1), list),
            lambda step: step.sleep("x" * (MAX_NAME_LENGTH + 1), 1),
            lambda step: step.wait_for_event("x" * (MAX_NAME_LENGTH + 1), type="t"),
        )
    ),
    Limit(
        "name of a step, a sleep or a wait",
        f"{MAX_NAME_LENGTH} characters",
        in_run(lambda step: step.do("\N{ROCKET}" * (MAX_NAME_LENGTH // 2 + 1), list)),
        ("exceeds max length (256 chars)", "It has 258 characters as JavaScript counts them"),
    ),
    Limit(
        "type of an event",
        f"{MAX_TYPE_LENGTH} characters",
        in_run(lambda step: step.wait_for_event("w", type="x" * (MAX_TYPE_LENGTH + 1))),
        ("invalid_event_type", "1 to 100 letters", "it has 101"),
    ),
    Limit(
        "id of an instance",
        f"{MAX_ID_LENGTH} characters",
        on_binding(lambda binding: binding.create(id="x" * (MAX_ID_LENGTH + 1))),
        ("invalid id", "1 to 100 letters", "it has 101"),
    ),
    Limit(
        "id to find an instance by",
        f"{MAX_ADDRESSABLE_LENGTH} characters",
        on_binding(lambda binding: binding.delete_batch(["x" * (MAX_ADDRESSABLE_LENGTH + 1)])),
        ("instance.invalid_id", "1 to 271 letters", "it has 272"),
    ),
    *(
        Limit(
            "instances of a batch",
            f"{MAX_BATCH}",
            on_binding(lambda binding, batch=batch: binding.create_batch(batch)),
            ("1 to 100, not 101", "Make several batches"),
        )
        for batch in ([{}] * (MAX_BATCH + 1), {"count": MAX_BATCH + 1}, {"instances": [{}] * (MAX_BATCH + 1)})
    ),
    Limit(
        "ids of a deleted batch",
        f"{MAX_BATCH}",
        on_binding(lambda binding: binding.delete_batch(["i"] * (MAX_BATCH + 1))),
        ("1 to 100, not 101", "Make several batches"),
    ),
    Limit(
        "retention",
        f"{MAX_RETENTION_MS // DAY_MS} days",
        on_binding(lambda binding: binding.create(retention={"errorRetention": MAX_RETENTION_MS + DAY_MS})),
        ("errorRetention is 31.0 days", "30 days at most", "Have the workflow store"),
    ),
    Limit(
        "retention",
        f"{MAX_RETENTION_MS // DAY_MS} days",
        configured({"default_retention.success_retention": "31 days"}),
        ("wrangler.toml:8", "at most 30 days", '"31 days"'),
    ),
    Limit(
        "name of a workflow",
        f"{rules.MAX_NAME_LENGTH} characters",
        configured({"name": "x" * (rules.MAX_NAME_LENGTH + 1)}),
        ("wrangler.toml:5", "1-64 characters"),
    ),
    Limit(
        "`concurrency.limit`",
        f"{rules.MAX_CONCURRENCY:,}",
        configured({"concurrency.limit": rules.MAX_CONCURRENCY + 1}),
        ("wrangler.toml:8", "50,001", "maximum of 50,000", "Set it to"),
    ),
    Limit(
        "cron expression",
        f"{MAX_CRON} characters",
        configured({"schedules": ["*" * (MAX_CRON + 1)]}),
        ("wrangler.toml:8", "at most 256 characters"),
    ),
    Limit(
        "schedules",
        f"{rules.MAX_SCHEDULES}",
        configured({"schedules": ["* * * * *"] * (rules.MAX_SCHEDULES + 1)}),
        ("wrangler.toml:8", "101 schedules", "an account may have 100", "lists and ranges"),
    ),
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.row)
async def test_beyond_a_limit_an_error_says_what_and_what_to_do(serve, tmp_path, limit):
    """It names the limit and what was met; nothing is created, and `run()` can catch what a step raises."""
    given = (serve, tmp_path) if limit.exceed.__qualname__.startswith("configured") else (serve,)
    message = await limit.exceed(*given)
    assert [] == [text for text in limit.texts if text not in message], message


def test_the_documentation_has_the_same_limits():
    """Each row of its first table is enforced and has the constant's number, and nothing is enforced in silence."""
    text = (Path(__file__).parent.parent.parent / "docs" / "limits.md").read_text()
    enforced = text.partition("## Enforced")[2].partition("## Not enforced")[0]
    rows = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", enforced, re.MULTILINE))
    assert "most" == rows.pop("limit")
    assert {limit.row: limit.most for limit in LIMITS} == rows
