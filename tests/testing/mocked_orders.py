"""Workflows for the tests of introspectors, and a record of their callbacks."""

from cfworkflows import WorkflowEntrypoint
from cfworkflows.testing import FakeEnv

calls = []


class Order(WorkflowEntrypoint):
    async def run(self, event, step):
        def charge():
            calls.append("charge")
            return "real"

        paid = await step.do("charge", charge)
        await step.sleep("think", "7 days")
        try:
            approval = await step.wait_for_event("approval", type="approval", timeout="1 day")
            return {"paid": paid, "by": approval.payload}
        except TimeoutError as error:
            return {"paid": paid, "by": str(error)}


class Flow(WorkflowEntrypoint):
    """Runs the function in the class attribute."""

    async def run(self, event, step):
        return await type(self).does(step)


def flow(does):
    return FakeEnv(FLOW=type("Flow", (Flow,), {"does": staticmethod(does)}))
