"""Every error a Worker can meet, and nothing but the standard library.

    Exception
    ├── CfworkflowsError              what cfworkflows itself raises
    │   ├── WorkflowFatalError        a step was called wrongly: bad name, bad config, no callback, too many steps
    │   ├── WorkflowTimeoutError      an attempt or a wait took longer than its timeout
    │   ├── NonRetryableDelayError    a delay function failed; the step is not retried
    │   ├── WorkflowInternalError     an attempt was cut off, or its result could not be stored
    │   ├── StepError                 an error of any other class that crossed a step boundary
    │   ├── WorkflowError             a binding or instance call was refused; its text starts with "(code) "
    │   ├── SerializationError        a value cannot be stored; also a TypeError
    │   ├── PayloadValidationError    a payload does not fit its type; also a ValueError
    │   ├── CronError                 text that is not a cron expression; also a ValueError
    │   ├── DOMException              an API of the web refused or was aborted; its `name` says what it is
    │   └── DurationError             text that is not a duration; also a ValueError
    ├── NonRetryableError             raised by users: fail now, whatever the retries say
    └── PortabilityWarning            (a UserWarning) works here, not on Cloudflare

An error that leaves a step is stored as a name and a message (spec of the platform: classes and properties do not
survive), and what `run()` catches is rebuilt from those two, on the first run as on a replay.
"""

import builtins
import re
from dataclasses import dataclass


class CfworkflowsError(Exception):
    """Base of the errors that cfworkflows raises."""

    @property
    def name(self) -> str:
        """The error's name as the platform reports it, for example `"WorkflowTimeoutError"`."""
        return type(self).__name__

    @property
    def message(self) -> str:
        """The error's text, without its name."""
        return str(self)


class WorkflowFatalError(CfworkflowsError):
    """A step was called in a way that no retry can mend."""


class WorkflowTimeoutError(CfworkflowsError, TimeoutError):
    """`Execution timed out after {ms}ms`: an attempt, or `wait_for_event`, took longer than its timeout."""


class NonRetryableDelayError(CfworkflowsError):
    """The delay function of a step raised, gave no duration, or took longer than 5 seconds."""


class WorkflowInternalError(CfworkflowsError):
    """The platform, not the callback, ended an attempt (for example a process that died in the middle of it)."""


class WorkflowError(CfworkflowsError):
    """A call on a Workflow binding or an instance was refused.

    `code` is the platform's code, such as `instance.not_found`, or None for the few errors that have none.
    """

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(f"({code}) {message}" if code else message)
        self.code = code


def instance_not_found(id: object = None) -> WorkflowError:
    """There is no instance of that id."""
    error = WorkflowError("Instance does not exist", code="instance.not_found")
    if id is not None:
        error.add_note(f"Its id would be {id!r}.")
    return error


class SerializationError(CfworkflowsError, TypeError):
    """A value cannot be stored. `path` says where in the value, as in `$.items[3].lock`."""

    def __init__(self, message: str, *, path: str = "$") -> None:
        super().__init__(message)
        self.path = path


class PayloadValidationError(CfworkflowsError, ValueError):
    """A value does not fit the type that the code gives for it. The text names the type and each wrong field."""


class CronError(CfworkflowsError, ValueError):
    """Text that is not a cron expression. Its message names the field, what is wrong and what is allowed."""


class DurationError(CfworkflowsError, ValueError):
    """Text or a number that is not a duration."""


class DOMException(CfworkflowsError):
    """What the APIs of the web raise. Its `name` says what it is: `"AbortError"`, `"InvalidCharacterError"`."""

    def __init__(self, message: str = "", name: str = "Error") -> None:
        super().__init__(message)
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (str(self), self._name), self.__dict__


class StepError(CfworkflowsError):
    """An error of a class that does not survive a step boundary, as a name and a message.

    `original_traceback` is the text of the traceback where the error was raised, for people to read.
    """

    def __init__(self, name: str, message: str, *, original_traceback: str | None = None) -> None:
        super().__init__(message)
        self._name = name
        self.original_traceback = original_traceback

    @property
    def name(self) -> str:
        return self._name

    def __reduce__(self) -> tuple[object, ...]:
        # BaseException would copy and unpickle it from its message alone.
        return type(self), (self._name, str(self)), self.__dict__

    def __repr__(self) -> str:
        return f"StepError({self._name!r}, {str(self)!r})"


class NonRetryableError(Exception):
    """Raise it in a step to fail the step without further attempts, or in `run()` to fail the instance.

    As on the platform, the second argument replaces the error's name, and with it the meaning: an error whose name is
    not `NonRetryableError` is retried like any other. Subclasses have their own name, and are retried too.
    """

    def __init__(self, message: str = "", name: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.name = name if name is not None else type(self).__name__


def retried_all_the_same(cls: str) -> tuple[str, str]:
    """What is wrong with a subclass of NonRetryableError that keeps its own name, and what to do."""
    problem = (
        f"{cls} derives from NonRetryableError, and is retried all the same: the platform goes by the name of the "
        "error, which is that of the class."
    )
    return problem, 'Raise NonRetryableError itself, or give its name: super().__init__(message, "NonRetryableError")'


class PortabilityWarning(UserWarning):
    """The code works here and would fail, or mean something else, on Cloudflare."""


@dataclass(frozen=True, slots=True)
class ErrorRecord:
    """An error as it is stored: what crosses a step boundary, and what `status()` reports."""

    name: str
    message: str
    traceback: str | None = None

    @classmethod
    def of(cls, error: BaseException, traceback: str | None = None) -> "ErrorRecord":
        """Describe `error`. A plain `Exception` is called `Error`, the name it has in TypeScript."""
        name = getattr(error, "name", None) if isinstance(error, (CfworkflowsError, NonRetryableError)) else None
        if not isinstance(name, str):
            name = "Error" if type(error) is Exception else type(error).__name__
        return cls(name, _text(error), traceback)

    def as_dict(self) -> dict[str, str | None]:
        """The three fields, as they are written to a journal."""
        return {"name": self.name, "message": self.message, "traceback": self.traceback}

    @property
    def non_retryable(self) -> bool:
        """Whether the platform takes it for a NonRetryableError: by its name, or by how its message starts."""
        return self.name == "NonRetryableError" or self.message.startswith("NonRetryableError")

    def rebuild(self) -> Exception:
        """The exception that `run()` sees: builtin classes and our own keep their type, others become StepError."""
        if self.name == "Error":
            return Exception(self.message)
        if self.name == "NonRetryableError":
            return NonRetryableError(self.message)
        if self.name == "WorkflowError" and (coded := _CODED.fullmatch(self.message)):
            return WorkflowError(coded[2], code=coded[1])
        ours = _OURS.get(self.name)
        if ours is not None:
            return ours(self.message)
        builtin = getattr(builtins, self.name, None)
        if isinstance(builtin, type) and issubclass(builtin, Exception) and self.name not in _NOT_FROM_TEXT:
            return builtin(self.message)
        return StepError(self.name, self.message, original_traceback=self.traceback)


def _text(error: BaseException) -> str:
    try:
        # KeyError shows its argument as a repr, and would add quotes at every boundary.
        if type(error).__str__ is KeyError.__str__ and len(error.args) == 1:
            return str(error.args[0])
        return str(error)
    except Exception as failure:  # noqa: BLE001 - the user's __str__: it must not hide that a step failed
        return f"<its text failed with {type(failure).__name__}>"


_CODED = re.compile(r"\(([\w.]+)\) (.*)", re.DOTALL)


_OURS: dict[str, type[CfworkflowsError]] = {
    cls.__name__: cls
    for cls in (
        WorkflowFatalError,
        WorkflowTimeoutError,
        NonRetryableDelayError,
        WorkflowInternalError,
        WorkflowError,
        SerializationError,
        PayloadValidationError,
        CronError,
        DurationError,
    )
}

# Built from more than a text, or a group of others, or not to be raised into a coroutine: they arrive as StepError.
_NOT_FROM_TEXT = {
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeTranslateError",
    "ExceptionGroup",
    "BaseExceptionGroup",
    "StopIteration",
}
