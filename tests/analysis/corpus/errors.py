"""Errors that are meant to end a step."""

import cfworkflows
from cfworkflows import NonRetryableError, StepError, WorkflowEntrypoint


class Gone(NonRetryableError):  # !non-retryable
    pass


class Lost(Gone):  # !non-retryable
    def __init__(self, id):
        super().__init__(f"{id} is lost")


class Refused(NonRetryableError):
    def __init__(self, message):
        super().__init__(message, "NonRetryableError")


class RefusedByThem(Refused):
    pass


class NotRaised(NonRetryableError):
    pass


class OfRun(NonRetryableError):
    pass


class Broken(Exception):
    pass


class Local:
    class NonRetryableError(cfworkflows.NonRetryableError):
        pass


class Errors(WorkflowEntrypoint):
    async def run(self, event, step):
        await step.do("a", self.load)
        await step.do("b", self.refuse)
        if event.payload["kind"] == "none":
            raise OfRun("there is nothing to do")
        try:
            await step.do("c", lambda: load(1))
        except (NotRaised, StepError):
            raise NonRetryableError("run() itself") from None

    async def load(self):
        if self.env.GONE:
            raise Gone("it is gone")
        if self.env.NAMED:
            raise NonRetryableError("it is gone", "Gone")  # !non-retryable
        raise NonRetryableError("it is gone", name="GoneError")  # !non-retryable

    async def refuse(self):
        if self.env.GONE:
            raise NonRetryableError("it is gone")
        if self.env.NAMED:
            raise NonRetryableError("it is gone", "NonRetryableError")
        raise RefusedByThem("no")


def load(id):
    if id == 1:
        raise Lost(id)
    if id == 2:
        raise Lost(id)
    raise Refused(id) if id else Broken(id)
