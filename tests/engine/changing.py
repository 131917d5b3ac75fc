"""A workflow's code that is changed while an instance is under way."""

import asyncio


class Code:
    """`run()` made of names: `a` is a step, `~a` a sleep of an hour, `?a` a wait for the event `a`.

    A tuple is done side by side, each of its lists in a task of its own. `!` raises. `ran` are the callbacks called.
    """

    def __init__(self, *what):
        self.what = what
        self.ran = []

    async def __call__(self, step):
        return await self.block(step, self.what)

    async def block(self, step, what):
        got = []
        for each in what:
            if isinstance(each, tuple):
                got.append(await asyncio.gather(*(self.block(step, branch) for branch in each)))
            elif each == "!":
                raise ValueError("no further")
            elif each.startswith("~"):
                await step.sleep(each[1:], "1 hour")
            elif each.startswith("?"):
                got.append((await step.wait_for_event(each[1:], type=each[1:], timeout="2 hours")).payload)
            else:
                got.append(await step.do(each, lambda each=each: self.ran.append(each) or each))
        return got


def run(code):
    async def run(step):
        return await code(step)

    return run
