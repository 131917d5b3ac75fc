"""What a typed workflow may write, and what type each verb gives."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, TypedDict, assert_type

from cfworkflows import (
    DelayRequest,
    NonRetryableError,
    RollbackContext,
    StepContext,
    WorkflowEntrypoint,
    WorkflowEvent,
    WorkflowRetryConfig,
    WorkflowStep,
    WorkflowStepConfig,
    WorkflowStepEvent,
    WorkflowStepOptions,
)


@dataclass
class Order:
    id: str
    lines: list[str]


@dataclass
class Payment:
    id: str
    amount: int


class Decision(TypedDict):
    approved: bool


def lookup() -> int:
    return 1


def attempt_of(ctx: StepContext) -> int:
    return ctx.attempt


async def charge() -> Payment:
    return Payment("p", 1)


async def charge_with(ctx: StepContext) -> Payment:
    return Payment(ctx.step.name, ctx.step.count)


async def refund(undo: RollbackContext[Payment]) -> None:
    if undo.output is not None:
        assert_type(undo.output.amount, int)
    assert_type(undo.ctx.attempt, int)


def release() -> None: ...


def delay(request: DelayRequest) -> str:
    assert_type(request.ctx.attempt, int)
    return "1 second" if isinstance(request.error, TimeoutError) else "10 seconds"


CONFIG: WorkflowStepConfig = {"retries": {"limit": 3, "delay": "1 second", "backoff": "linear"}}


class Bank:
    async def balance(self) -> float:
        return 0.5

    def fee(self, amount: int) -> float:
        return amount / 100


class Checkout(WorkflowEntrypoint[object, Order]):
    async def run(self, event: WorkflowEvent[Order], step: WorkflowStep) -> str:
        assert_type(event.payload, Order)
        assert_type(event.payload.lines, list[str])
        assert_type(event.instance_id, str)
        assert_type(event.timestamp, datetime)
        if event.schedule is not None:
            assert_type(event.schedule.cron, str)

        await callbacks(event, step)
        await configurations(step)
        await rollbacks(step)
        await named_types(step)
        await decorated(step)
        await waiting(step)
        if not event.payload.lines:
            raise NonRetryableError("There is nothing to buy.")
        return event.payload.id


async def callbacks(event: WorkflowEvent[Order], step: WorkflowStep) -> None:
    assert_type(await step.do("a def", lookup), int)
    assert_type(await step.do("a def that takes the context", attempt_of), int)
    assert_type(await step.do("an async def", charge), Payment)
    assert_type(await step.do("an async def that takes the context", charge_with), Payment)
    assert_type(await step.do("a method", Bank().balance), float)
    assert_type(await step.do("a partial", partial(Bank().fee, 5)), float)
    assert_type(await step.do("a class", Bank), Bank)

    assert_type(await step.do("a lambda", lambda: 1), int)
    assert_type(await step.do("a lambda of a coroutine", lambda: charge()), Payment)
    assert_type(await step.do("a lambda that takes the context", lambda ctx: ctx.attempt), int)
    # mypy takes the results of these two for Any: it cannot tell the overloads apart while it does not know `ctx`.
    handed_on: Payment = await step.do("a lambda that hands the context on", lambda ctx: charge_with(ctx))
    assert_type(await step.do("nothing", lambda: print("done")), None)
    assert_type(await step.do("a dict", lambda: {"total": 1}), dict[str, int])
    for line in event.payload.lines:
        bound: Payment = await step.do(f"reserve {line}", lambda line=line: reserve(line))
        print(handed_on, bound)

    started = step.do("later", charge)
    assert_type((await started).amount, int)


async def reserve(line: str) -> Payment:
    return Payment(line, 1)


async def configurations(step: WorkflowStep) -> None:
    config: WorkflowStepOptions = {"retries": {"limit": 3, "delay": "1 second"}, "timeout": timedelta(minutes=1)}
    assert_type(await step.do("a dict with a name", config, charge), Payment)
    assert_type(await step.do("a dict", {"retries": {"limit": 10, "delay": 500, "backoff": "linear"}}, lookup), int)
    assert_type(await step.do("a dict and a lambda", {"timeout": "30 seconds"}, lambda: charge()), Payment)
    assert_type(await step.do("a dict and the context", {"sensitive": "output"}, lambda ctx: ctx.attempt), int)
    assert_type(await step.do("for ever", {"retries": {"limit": float("inf"), "delay": delay}}, charge), Payment)
    named: WorkflowStepConfig = {"retries": {"limit": 3, "delay": "1 second"}, "timeout": "1 minute"}
    assert_type(await step.do("a dict of that name", named, charge), Payment)
    assert_type(await step.do("a constant", CONFIG, charge, {"rollback": release, "rollbackConfig": CONFIG}), Payment)
    retries = WorkflowRetryConfig(limit=3, delay="1 second")
    assert_type(await step.do("an object", WorkflowStepConfig(retries=retries, timeout=5_000), charge), Payment)
    assert_type(await step.do("keywords", charge, retries={"limit": 3, "delay": 1}, timeout="1 minute"), Payment)
    assert_type(await step.do("a lambda as delay", charge, retries={"limit": 1, "delay": lambda r: "1 day"}), Payment)


async def rollbacks(step: WorkflowStep) -> None:
    assert_type(await step.do("an object", charge, {"rollback": refund}), Payment)
    assert_type(await step.do("no parameters", lookup, {"rollback": release}), int)
    assert_type(await step.do("a lambda", charge, {"rollback": lambda undo: print(undo.output)}), Payment)
    assert_type(await step.do("behind a dict", {"timeout": "1 minute"}, charge, {"rollback": refund}), Payment)
    assert_type(
        await step.do("with a configuration", charge, {"rollback": refund, "rollbackConfig": {"timeout": "1 minute"}}),
        Payment,
    )
    retries = WorkflowRetryConfig(limit=3, delay="1 second")
    assert_type(await step.do("keywords", charge, rollback=refund, rollback_config={"retries": retries}), Payment)


async def named_types(step: WorkflowStep) -> None:
    def plain() -> dict[str, Any]:
        return {"id": "p", "amount": 1}

    assert_type(await step.do("a class", plain, returns=Payment), Payment)
    assert_type(await step.do("a list", lambda: [plain()], returns=list[Payment]), list[Payment])
    assert_type(await step.do("a dict before", {"timeout": 5}, lambda ctx: plain(), returns=Payment), Payment)
    result: Payment | None = await step.do("a union", plain, returns=Payment | None)
    assert_type(result, Payment | None)


async def decorated(step: WorkflowStep) -> None:
    @step.do("fetch the order")
    async def fetch_order() -> Order:
        return Order("o", [])

    @step.do()
    def count(ctx: StepContext) -> int:
        return ctx.attempt

    @step.do("pay", depends=[fetch_order, count], concurrent=True)
    async def pay(order: Order, times: int) -> Payment:
        return Payment(order.id, times)

    @step.do("ship", {"retries": {"limit": 1, "delay": 1}}, rollback=release)
    async def ship(pay: Payment) -> bool:
        return pay.amount > 0

    @step.do("tell", config={"timeout": "1 minute"}, returns=Decision)
    async def tell() -> dict[str, bool]:
        return {"approved": True}

    assert_type(await fetch_order(), Order)
    assert_type(await count(), int)
    assert_type(await pay(), Payment)
    assert_type(await ship(), bool)
    assert_type(await tell(), Decision)
    paying: Awaitable[Payment] = pay()
    await paying


async def waiting(step: WorkflowStep) -> None:
    await step.sleep("text", "5 minutes")
    await step.sleep("a timedelta", timedelta(days=1))
    await step.sleep_until("a datetime", datetime(2027, 1, 1, tzinfo=UTC))
    await step.sleepUntil("milliseconds", 1_800_000_000_000)

    untyped = await step.wait_for_event("an object", {"type": "approval", "timeout": "7 days"})
    assert_type(untyped, WorkflowStepEvent[Any])
    assert_type(untyped.payload.approved, Any)
    assert_type(untyped.timestamp, datetime)
    assert_type(await step.wait_for_event("positional", "approval", timeout="1 hour"), WorkflowStepEvent[Any])
    assert_type(await step.wait_for_event("keywords", type="approval", timeout=60_000), WorkflowStepEvent[Any])

    typed = await step.wait_for_event("an object", {"type": "approval"}, returns=Decision)
    assert_type(typed.payload["approved"], bool)
    assert_type(await step.wait_for_event("keyword", type="a", returns=Order), WorkflowStepEvent[Order])
    assert_type((await step.waitForEvent("positional", "a", returns=Order)).payload.lines, list[str])
    given: WorkflowStepEvent[Decision] = await step.wait_for_event("a type parameter", {"type": "approval"})
    assert_type(given.payload["approved"], bool)
