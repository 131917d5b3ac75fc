"""Wrong uses of a step. Type checkers refuse each marked line, in the words of the mark: mypy's, then pyright's."""

from dataclasses import dataclass
from typing import TypedDict

from cfworkflows import (
    RollbackContext,
    StepContext,
    WorkflowEntrypoint,
    WorkflowEvent,
    WorkflowRetryConfig,
    WorkflowStep,
    WorkflowStepConfig,
    WorkflowStepOptions,
)


@dataclass
class Payment:
    id: str
    amount: int


class Decision(TypedDict):
    approved: bool


async def charge() -> Payment:
    return Payment("p", 1)


def takes_text(text: str) -> str:
    return text


def takes_two(ctx: StepContext, item: str) -> None: ...


def undo_text(text: str) -> None: ...


def undo_two(undo: RollbackContext, more: int) -> None: ...


class WrongEvent(WorkflowEntrypoint[object, Payment]):
    async def run(self, event: WorkflowEvent[Decision], step: WorkflowStep) -> None: ...  # error: override; Override


async def results(event: WorkflowEvent[Payment], step: WorkflowStep) -> None:
    wrong: str = await step.do("another type", charge)  # error: arg-type; reportAssignmentType
    never: int = await step.do("of a lambda", lambda: "text")  # error: arg-type; reportAssignmentType
    unawaited = step.do("not awaited", charge)
    print(unawaited.amount)  # error: "Future[Payment]" has no attribute "amount"; class "Future[Payment]"
    print((await step.do("no such field", charge)).total)  # error: attr-defined; reportAttributeAccessIssue
    print((await step.do("a lambda", lambda: charge())).total)  # error: attr-defined; reportAttributeAccessIssue
    text: str = await step.do("named type", charge, returns=Payment)  # error: arg-type; reportAssignmentType
    print(event.payload.total)  # error: "Payment" has no attribute "total"; reportAttributeAccessIssue
    print(event.instance_name)  # error: attr-defined; reportAttributeAccessIssue
    print(wrong, never, text)


async def callbacks(step: WorkflowStep) -> None:
    await step.do("a parameter that is no context", takes_text)  # error: arg-type; reportArgumentType
    await step.do("two parameters", takes_two)  # error: arg-type; reportArgumentType
    await step.do("a lambda of two", lambda ctx, item: 1)  # error: arg-type; reportArgumentType
    await step.do("no such field", lambda ctx: ctx.tries)  # error: arg-type; Cannot access attribute "tries"
    await step.do("a coroutine", charge())  # error: call-overload; reportArgumentType
    await step.do("no callback")  # error: StepDecorator; "StepDecorator" is not awaitable
    await step.do(charge)  # error: call-overload; reportArgumentType


async def configurations(step: WorkflowStep) -> None:
    await step.do("wrong key", {"timeot": 5}, charge)  # error: call-overload; reportArgumentType
    await step.do("inside", {"retries": {"limit": 1, "dely": 5}}, charge)  # error: call-overload; reportArgumentType
    await step.do("no delay", {"retries": {"limit": 1}}, charge)  # error: call-overload; reportArgumentType
    await step.do("", charge, retries={"limit": 1, "delay": 1, "backoff": "no"})  # error: call-overload; ArgumentType
    await step.do("wrong keyword", charge, tiemout="1 day")  # error: did you mean "timeout"; reportCallIssue
    await step.do("twice", {"timeout": 1}, charge, timeout=1)  # error: call-overload; reportCallIssue
    await step.do("wrong type", charge, timeout=[5])  # error: call-overload; reportArgumentType
    config: WorkflowStepOptions = {"timeout": 5, "retry": 1}  # error: Extra key "retry"; reportAssignmentType
    WorkflowStepConfig(retry=1)  # error: Extra key "retry"; reportCallIssue
    WorkflowRetryConfig(limit=1)  # error: Missing key "delay"; reportCallIssue
    print(config)


async def rollbacks(step: WorkflowStep) -> None:
    await step.do("no context", charge, {"rollback": undo_text})  # error: call-overload; reportArgumentType
    await step.do("two parameters", charge, rollback=undo_two)  # error: arg-type; reportArgumentType
    await step.do("wrong key", charge, {"rolback": print})  # error: call-overload; reportArgumentType
    await step.do("inside", charge, rollback=print, rollback_config={"limit": 1})  # error: call-overload; ArgumentType


async def decorated(step: WorkflowStep) -> None:
    @step.do("fetch")
    async def fetch() -> Payment:
        return await charge()

    await fetch(1)  # error: Too many arguments; Expected 0 positional arguments
    text: str = await fetch()  # error: assignment; reportAssignmentType

    @step.do("depends", depends=["fetch"])  # error: list-item; reportArgumentType
    async def pay(fetch: Payment) -> None: ...

    print(text, pay)


async def waiting(step: WorkflowStep) -> None:
    await step.sleep("no duration")  # error: call-arg; reportCallIssue
    await step.sleep("a list", [5])  # error: arg-type; reportArgumentType
    await step.sleep_until("text", "2027-01-01")  # error: arg-type; reportArgumentType
    await step.wait_for_event("no type")  # error: call-overload; reportCallIssue
    await step.wait_for_event("no type", {"timeout": 5})  # error: call-overload; reportArgumentType
    await step.wait_for_event("wrong key", {"type": "a", "timeuot": 5})  # error: call-overload; reportArgumentType
    event = await step.wait_for_event("typed", type="a", returns=Decision)
    print(event.payload["aproved"])  # error: has no key "aproved"; not a defined key
    print(event.approved)  # error: attr-defined; reportAttributeAccessIssue
