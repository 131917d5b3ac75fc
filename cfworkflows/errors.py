"""Every error a Worker can meet, and nothing but the standard library.

    Exception
    ├── CfworkflowsError              what cfworkflows itself raises
    │   ├── WorkflowFatalError        a step was called wrongly: bad name, bad config, no callback, too many steps
    │   ├── WorkflowTimeoutError      an attempt or a wait took longer than its timeout
    │   ├── NonRetryableDelayError    a delay function failed; the step is not retried
    │   ├── WorkflowInternalError     an attempt was cut off, or its result could not be stored
    │   ├── StepError                 an error of any other class that crossed a step boundary
    │   ├── WorkflowError             a binding or instance call was refused; its text starts with "(code) "
    │   ├── BindingError              a binding with data refused a call, in the platform's words
    │   │   ├── D1Error               a D1 database did: `D1_ERROR: …`
    │   │   ├── KVError               a KV namespace did; its `status` is the platform's
    │   │   └── R2Error               an R2 bucket did; its `code` is the platform's
    │   ├── SerializationError        a value cannot be stored; also a TypeError
    │   ├── PayloadValidationError    a payload does not fit its type; also a ValueError
    │   ├── CronError                 text that is not a cron expression; also a ValueError
    │   ├── DOMException              an API of the web refused or was aborted; its `name` says what it is
    │   └── DurationError             text that is not a duration; also a ValueError
    ├── UnsupportedBindingError       a binding that cannot be used here; an AttributeError, and never retried
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
        return name_of(type(self))

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


class BindingError(CfworkflowsError):
    """A binding with data refused a call. The text is the platform's, which calls all of them `Error`."""

    @property
    def name(self) -> str:
        return "Error"


class D1Error(BindingError):
    """A D1 database refused a call, or SQLite did: `D1_ERROR: no such table: t: SQLITE_ERROR`. Its cause is an error
    with the text behind the first colon; its notes show the statement, where it is wrong, and who called.
    """


class KVError(BindingError):
    """A call on a KV namespace was refused: `KV PUT failed: 413 …`. `status` is the number in it, None without one."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


def instance_not_found(id: object = None) -> WorkflowError:
    """There is no instance of that id."""
    error = WorkflowError("Instance does not exist", code="instance.not_found")
    if id is not None:
        error.add_note(f"Its id would be {id!r}.")
    return error


class R2Error(BindingError):
    """A call on an R2 bucket was refused: `put: The specified object name is not valid. (10020)`.

    `code` is the platform's code, or None for the few errors that have none.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        coded = _ENDS_IN_CODE.search(message)
        self.code = int(coded[1]) if coded is not None else None


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
        self.name = name if name is not None else name_of(type(self))


def retried_all_the_same(cls: str) -> tuple[str, str]:
    """What is wrong with a subclass of NonRetryableError that keeps its own name, and what to do."""
    problem = (
        f"{cls} derives from NonRetryableError, and is retried all the same: the platform goes by the name of the "
        "error, which is that of the class."
    )
    return problem, 'Raise NonRetryableError itself, or give its name: super().__init__(message, "NonRetryableError")'


NON_RETRYABLE_IN_GROUP = (
    "A NonRetryableError left a step in a group, and the step is retried: the platform goes by the name of the group.",
    "Raise the NonRetryableError itself: `except* NonRetryableError as group: raise group.exceptions[0] from None`.",
)
"""What is wrong, and what to do."""


class UnsupportedBindingError(AttributeError):
    """A binding that is configured, but of a kind that is not supported yet, or to a Worker that is not running.

    No CfworkflowsError: Python sets `name` on the AttributeErrors of attributes, and it is read-only there.
    """


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
        """Describe `error`, whatever its class does. A plain `Exception` is called `Error`, as in TypeScript, and the
        message of a group says what is in it.
        """
        name = None
        if is_a(error, (CfworkflowsError, NonRetryableError)):
            try:
                name = exact(error.name) if isinstance(error.name, str) else None  # type: ignore[attr-defined]
            except BaseException:  # noqa: BLE001 - the user's subclass: it must not hide that a step failed
                name = None
        if name is None:
            name = "Error" if type(error) is Exception else name_of(type(error))
        message = text_of(error)
        if listed := _listed(error):
            message = f"{message}: {listed}"
        return cls(name, message, traceback)

    def limited(self) -> "ErrorRecord":
        """The record as it is stored of a step or an instance: texts that are longer than LONGEST_ERROR are cut."""
        trace = self.traceback
        return ErrorRecord(shortened(self.name), shortened(self.message), None if trace is None else shortened(trace))

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


LONGEST_ERROR = 64 * 1024
"""The characters that are stored of the message of an error; and of its traceback."""


def shortened(text: str) -> str:
    """`text`, or its start and its end if it has more than LONGEST_ERROR characters."""
    if len(text) <= LONGEST_ERROR:
        return text
    left_out = f" […] ({len(text):,} characters, of which {LONGEST_ERROR:,} are kept) […] "
    room = LONGEST_ERROR - len(left_out)
    return f"{text[: room // 2]}{left_out}{text[-(room - room // 2) :]}"


# An error of the user's may be of a class that answers wrongly, or raises, whatever it is asked: `error.x`, and
# `isinstance`, which reads `error.__class__`, are as much its code as `str(error)` is. These ask the interpreter.


def is_a(error: BaseException, kind: type | tuple[type, ...]) -> bool:
    """What `isinstance` gives, for an error whose class may have code in it."""
    return issubclass(type(error), kind)


def name_of(kind: type) -> str:
    """The name of a class, whatever its metaclass says."""
    name: str = _NAME.__get__(kind)
    return name


def text_of(error: BaseException) -> str:
    """What `str(error)` gives, or that it fails. Without the quotes that KeyError has around its argument: it would
    get more of them at every boundary.
    """
    try:
        if type(error).__str__ is KeyError.__str__ and len(error.args) == 1:
            return exact(str(error.args[0]))
        return exact(str(error))
    except BaseException as failure:  # noqa: BLE001 - the user's __str__: it must not hide that a step failed
        return f"<its text failed with {name_of(type(failure))}>"


def inside_of(error: BaseException) -> tuple[BaseException, ...]:
    """The errors in a group, whatever its class says; none in any other error."""
    found: tuple[BaseException, ...] = _INSIDE.__get__(error) if is_a(error, BaseExceptionGroup) else ()
    return found


def leaves_of(group: BaseException) -> list[BaseException]:
    """The errors in a group, and in the groups in it, up to MOST_LEAVES; in the order in which they are printed."""
    found: list[BaseException] = []
    rest, seen = [group], 0
    while rest and len(found) < MOST_LEAVES and seen < 2 * MOST_LEAVES:
        one = rest.pop()
        seen += 1
        if is_a(one, BaseExceptionGroup):
            rest.extend(reversed(inside_of(one)))
        else:
            found.append(one)
    return found


def _listed(group: BaseException) -> str:
    """What is in a group, as part of its message. "" for any other error."""
    leaves = leaves_of(group) if is_a(group, BaseExceptionGroup) else []
    texts = [": ".join(filter(None, (name_of(type(each)), text_of(each)))) for each in leaves[:MOST_LISTED]]
    short = [text if len(text) <= LONGEST_LEAF else f"{text[:LONGEST_LEAF]} […]" for text in texts]
    more = len(leaves) - MOST_LISTED
    rest = f"and {'at least ' if len(leaves) == MOST_LEAVES else ''}{more:,} more"
    return "; ".join([*short, *([rest] if more > 0 else [])])


MOST_LEAVES = 1_000
MOST_LISTED = 15
"""So many errors of a group are in its message."""

LONGEST_LEAF = 1_000
"""The characters of each."""

_INSIDE = vars(BaseExceptionGroup)["exceptions"]


def exact(text: str) -> str:
    """`text` as a plain str: what is derived from it may have methods of its own."""
    return str.__str__(text)


_NAME = vars(type)["__name__"]


_ENDS_IN_CODE = re.compile(r" \((\d+)\)$")
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
