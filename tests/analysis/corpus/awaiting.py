"""Steps that nobody awaits, callbacks that are none, and errors that nobody sees."""

import asyncio
import contextlib

from cfworkflows import WorkflowEntrypoint, WorkflowStep, fetch


async def charge(order):
    return order


def make_callback(order):
    return lambda: order


class Dropped(WorkflowEntrypoint):
    async def run(self, event, step):
        step.do("a", lambda: 1)  # !not-awaited
        step.sleep("b", 1)  # !not-awaited
        never = step.do("c", lambda: 1)  # !not-awaited
        [step.do(f"d {n}", lambda n=n: n) for n in range(3)]  # !not-awaited
        asyncio.gather(step.do("e", lambda: 1))  # !not-awaited
        self.notify(step)  # !not-awaited

        @step.do("f")
        async def work():
            return 1

        work()  # !not-awaited

        @step.do("g")
        async def forgotten():  # !never-called
            return 1

    async def notify(self, step):
        await step.do("notify", lambda: 1)


class Awaited(WorkflowEntrypoint):
    async def run(self, event, step: WorkflowStep):
        later = step.do("a", lambda: 1)
        tasks = [step.do(f"b {n}", lambda n=n: n) for n in range(3)]
        results = await asyncio.gather(*tasks, step.do("c", lambda: 1))
        async with asyncio.TaskGroup() as group:
            group.create_task(self.notify(step))

        @step.do()
        async def first():
            return 1

        @step.do("second")
        async def second(first):
            return first

        await second()
        return [await later, results, await self.notify(step)]

    async def notify(self, s):
        return await s.do("notify", lambda: 1)


class Callbacks(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("a")  # !callback
        await step.do("b", charge(event.payload))  # !callback
        await step.do("c", await charge(event.payload))  # !callback
        await step.do("d", fetch("https://example.com"))  # !callback !side-effect
        await step.do("e", make_callback(event.payload))
        await step.do("f", charge)

        @step.do  # !callback
        async def bare():
            return 1

        await bare()


class Swallowed(WorkflowEntrypoint):
    async def run(self, event, step):
        try:
            await step.do("a", lambda: 1)
        except Exception:  # !swallowed-error
            pass
        try:
            await step.do("b", lambda: 1)
        except:  # !swallowed-error
            print("failed")
        try:
            await step.sleep("c", 1)
        except (ValueError, BaseException):  # !swallowed-error
            print("failed")
        with contextlib.suppress(Exception):  # !swallowed-error
            await step.do("d", lambda: 1)


class Handled(WorkflowEntrypoint):
    async def run(self, event, step):
        try:
            await step.do("a", lambda: 1)
        except Exception as error:
            await step.do("undo", lambda: str(error))
        try:
            await step.do("b", lambda: 1)
        except BaseException:
            print("failed")
            raise
        try:
            await step.do("c", lambda: 1)
        except ValueError:
            pass
        try:
            print("no step")
        except Exception:
            pass
        with contextlib.suppress(ValueError):
            await step.do("d", lambda: 1)
