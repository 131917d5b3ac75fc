"""A program whose steps count their calls, for the tests of restarts."""

from collections import Counter

NOT_FOUND = '(instance.cannot_restart) Step "{}" not found in execution history'


class Program:
    """A workflow's callbacks, which are counted."""

    def __init__(self):
        self.calls = Counter()

    def effect(self, value=None):
        async def callback(ctx):
            self.calls[f"{ctx.step.name}-{ctx.step.count}"] += 1
            return value

        return callback


def abc(program):
    async def run(step):
        return [await step.do(name, program.effect(name)) for name in ("a", "b", "c")]

    return run
