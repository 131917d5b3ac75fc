"""Comments that ignore a rule."""

import time

from cfworkflows import WorkflowEntrypoint


class Ignored(WorkflowEntrypoint):
    async def run(self, event, step):
        a = time.time()  # cfwf: ignore[nondeterminism]
        b = time.time()  # cfwf: ignore
        c = time.time()  # cfwf: ignore[side-effect]  # !nondeterminism !unused-ignore
        d = 1  # cfwf: ignore  # !unused-ignore
        e = time.time()  # cfwf: ignore[nondeterminsm]  # !nondeterminism !unused-ignore
        await step.do(
            "f",
            lambda: 1,
            timeout="2 hours",  # cfwf: ignore[long-timeout]
        )
        return [a, b, c, d, e]
