"""Failed assertions in workflow code: they end the test, and are no errors for the workflow to retry or catch."""

import sys
from contextlib import suppress

from cfworkflows.errors import NonRetryableDelayError
from cfworkflows_emulator.tracebacks import user_frames


def assertion_in(error: BaseException) -> BaseException | None:
    """The failed assertion that `error` is, brings along or was made from; None if there is none.

    AssertionError, and what `pytest.fail`, `pytest.skip` and `pytest.exit` raise.
    """
    outcomes = sys.modules.get("_pytest.outcomes")
    kinds = (AssertionError, outcomes.OutcomeException) if outcomes is not None else (AssertionError,)
    if isinstance(error, kinds):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := assertion_in(each)) is not None), None)
    # A callback's BaseException is wrapped by the engine, and so is any error of a delay function.
    wrapped = isinstance(error, NonRetryableDelayError) or (
        type(error) is RuntimeError and str(error).startswith("The callback raised ")
    )
    return assertion_in(error.__cause__) if wrapped and error.__cause__ is not None else None


class Failures:
    """The failed assertions of a world: the first is for the test, and `stopped` has them all, by workflow and id.

    An instance whose assertion failed stands still from then on.
    """

    def __init__(self) -> None:
        self.stopped: dict[tuple[str, str], BaseException] = {}
        self._pending: BaseException | None = None

    def keep(self, workflow: str, id: str, error: BaseException) -> bool:
        """Keep `error` if it is a failed assertion, for the test to fail with; whether it is one."""
        failure = assertion_in(error)
        if failure is None:
            return False
        self.stopped[workflow, id] = failure
        with suppress(Exception):  # a class of the user's may answer for `__notes__` itself
            failure.add_note(f"It was raised in the workflow instance {workflow}/{id}.")
        if self._pending is None:
            self._pending = failure.with_traceback(user_frames(failure.__traceback__))
        return True

    def take(self) -> BaseException | None:
        """The failure, once."""
        failure, self._pending = self._pending, None
        return failure

    def check(self) -> None:
        """Raise the failure, if there is one."""
        __tracebackhide__ = True
        if (failure := self.take()) is not None:
            raise failure
