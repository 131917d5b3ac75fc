import asyncio
import builtins
import copy
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfworkflows import errors
from cfworkflows.errors import (
    CfworkflowsError,
    DurationError,
    ErrorRecord,
    NonRetryableDelayError,
    NonRetryableError,
    SerializationError,
    StepError,
    WorkflowError,
    WorkflowFatalError,
    WorkflowInternalError,
    WorkflowTimeoutError,
)

OURS = [
    WorkflowFatalError,
    WorkflowTimeoutError,
    NonRetryableDelayError,
    WorkflowInternalError,
    WorkflowError,
    SerializationError,
    DurationError,
]
NOT_FROM_A_TEXT = {
    "UnicodeDecodeError",
    "UnicodeEncodeError",
    "UnicodeTranslateError",
    "ExceptionGroup",
    "StopIteration",
}
BUILTINS = sorted(
    {
        cls
        for cls in vars(builtins).values()
        if isinstance(cls, type) and issubclass(cls, Exception) and cls.__name__ not in NOT_FROM_A_TEXT
    },
    key=lambda cls: cls.__name__,
)


class MyError(Exception):
    """An error of a user's own."""


def crossed(error: BaseException, traceback: str | None = None) -> Exception:
    """The error as `run()` sees it."""
    return ErrorRecord.of(error, traceback).rebuild()


@pytest.mark.parametrize("cls", BUILTINS)
@given(message=st.text())
def test_a_builtin_error_keeps_its_type_and_text(cls: type[Exception], message: str) -> None:
    """What `except` caught before the boundary, it catches behind it."""
    arrived = crossed(cls(message))
    assert (cls, message) == (type(arrived), ErrorRecord.of(arrived).message)


@pytest.mark.parametrize("cls", OURS)
@given(message=st.text())
def test_an_error_of_ours_keeps_its_type_and_text(cls: type[CfworkflowsError], message: str) -> None:
    """Errors of cfworkflows that need no more than a text arrive as what they are."""
    arrived = crossed(cls(message))
    assert (cls, message, cls.__name__) == (type(arrived), arrived.message, arrived.name)


def test_a_plain_exception_is_called_error() -> None:
    """`Exception` has the name that it has in TypeScript, and comes back as `Exception`."""
    assert ErrorRecord("Error", "again") == ErrorRecord.of(Exception("again"))
    assert Exception is type(crossed(Exception("again")))


def test_an_error_of_the_users_arrives_as_step_error() -> None:
    """A class that does not survive leaves its name, message and traceback in a StepError."""
    arrived = crossed(MyError("bad"), "Traceback: here")
    assert isinstance(arrived, StepError)
    assert ("MyError", "bad", "Traceback: here") == (arrived.name, arrived.message, arrived.original_traceback)
    assert "StepError('MyError', 'bad')" == repr(arrived)


def test_a_step_error_crosses_again_unchanged() -> None:
    """A second boundary adds nothing to the name."""
    assert ErrorRecord("MyError", "bad") == ErrorRecord.of(crossed(MyError("bad")))


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda error: pickle.loads(pickle.dumps(error))])
@pytest.mark.parametrize(
    "error",
    [
        StepError("MyError", "bad", original_traceback="here"),
        WorkflowError("no such instance", code="instance.not_found"),
        SerializationError("no", path="$.a"),
        NonRetryableError("no", "Custom"),
    ],
)
def test_errors_can_be_copied_and_pickled(error: Exception, duplicate: object) -> None:
    """A worker process or a test runner may send them on."""
    twin = duplicate(error)  # type: ignore[operator]
    assert (type(error), str(error), vars(error)) == (type(twin), str(twin), vars(twin))


@pytest.mark.parametrize(
    "error",
    [
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"),
        UnicodeEncodeError("ascii", "é", 0, 1, "ordinal not in range"),
        UnicodeTranslateError("é", 0, 1, "no"),
        KeyboardInterrupt("stop"),
        SystemExit("1"),
    ],
)
def test_builtins_that_need_more_than_a_text_arrive_as_step_error(error: BaseException) -> None:
    """What cannot be built from a message, or would end the process, is a StepError with its name."""
    arrived = crossed(error)
    assert isinstance(arrived, StepError)
    assert (type(error).__name__, str(error)) == (arrived.name, arrived.message)


@pytest.mark.parametrize(
    ("error", "listed"),
    [
        (
            ExceptionGroup("two", [ValueError("a"), TypeError("b")]),
            "two (2 sub-exceptions): ValueError: a; TypeError: b",
        ),
        (BaseExceptionGroup("one", [KeyboardInterrupt()]), "one (1 sub-exception): KeyboardInterrupt"),
        (
            ExceptionGroup("a", [ExceptionGroup("b", [ValueError("c")]), KeyError("d")]),
            "a (2 sub-exceptions): ValueError: c; KeyError: d",
        ),
    ],
)
def test_message_of_a_group_says_what_is_in_it(error: BaseException, listed: str) -> None:
    """Also of the groups in it."""
    arrived = crossed(error)
    assert isinstance(arrived, StepError)
    assert (type(error).__name__, listed) == (arrived.name, arrived.message)


def test_message_of_a_large_group_is_bounded() -> None:
    """It has the first errors, each shortened, and says how many are left out."""
    group = ExceptionGroup("many", [ValueError("x" * 100_000)] * 20)
    message = ErrorRecord.of(group).message
    assert message.endswith("x […]; and 5 more")
    assert 20_000 > len(message)
    deep = ExceptionGroup("deep", [ValueError("x")])
    for _ in range(5_000):
        deep = ExceptionGroup("deep", [deep])
    assert "deep (1 sub-exception)" == ErrorRecord.of(deep).message


async def test_stop_iteration_arrives_in_a_coroutine() -> None:
    """`next()` of nothing in a lambda must not reach a future, which refuses StopIteration."""
    future = asyncio.get_running_loop().create_future()
    future.set_exception(crossed(StopIteration("nothing")))
    with pytest.raises(StepError, match="nothing") as arrived:
        await future
    assert "StopIteration" == arrived.value.name


def test_a_key_error_is_stored_without_quotes() -> None:
    """The repr that KeyError shows does not pile up at each boundary."""
    assert ErrorRecord("KeyError", "id") == ErrorRecord.of(KeyError("id"))
    assert ErrorRecord("KeyError", "id") == ErrorRecord.of(crossed(crossed(KeyError("id"))))
    assert ErrorRecord("KeyError", "5") == ErrorRecord.of(KeyError(5))
    assert ErrorRecord("KeyError", "") == ErrorRecord.of(KeyError())
    assert ErrorRecord("KeyError", "('a', 'b')") == ErrorRecord.of(KeyError("a", "b"))


def test_a_key_error_with_its_own_text_keeps_it() -> None:
    """A subclass that says more than its key is believed."""

    class NotFound(KeyError):
        def __str__(self) -> str:
            return f"no order {self.args[0]}"

    assert ErrorRecord("NotFound", "no order 7") == ErrorRecord.of(NotFound(7))


def test_a_text_that_fails_does_not_hide_the_error() -> None:
    """An error whose `__str__` is broken is still recorded."""

    class Broken(Exception):
        def __str__(self) -> str:
            raise AttributeError("code")

    assert ErrorRecord("Broken", "<its text failed with AttributeError>") == ErrorRecord.of(Broken())


def test_a_name_attribute_of_the_users_is_not_asked() -> None:
    """Only our own errors say their name; that of others is their class, whatever a property does."""

    class Unnamed(Exception):
        @property
        def name(self) -> str:
            raise RuntimeError("not yet")

    assert "Unnamed" == ErrorRecord.of(Unnamed()).name
    assert "ImportError" == ErrorRecord.of(ImportError("no", name="left")).name


def test_a_non_retryable_error_keeps_its_type() -> None:
    """The name alone makes it non-retryable, as on the platform."""
    record = ErrorRecord.of(NonRetryableError("nope"))
    assert ErrorRecord("NonRetryableError", "nope") == record
    assert record.non_retryable
    arrived = record.rebuild()
    assert isinstance(arrived, NonRetryableError)
    assert ("nope", "NonRetryableError") == (arrived.message, arrived.name)


def test_a_non_retryable_error_with_another_name_is_retried() -> None:
    """The second argument replaces the name, and with it the meaning."""
    record = ErrorRecord.of(NonRetryableError("nope", "Custom"))
    assert ErrorRecord("Custom", "nope") == record
    assert not record.non_retryable
    assert isinstance(record.rebuild(), StepError)


def test_a_subclass_of_non_retryable_error_is_retried() -> None:
    """A subclass has its own name, even one that never called its base's `__init__`."""

    class Fatal(NonRetryableError):
        def __init__(self) -> None:
            Exception.__init__(self, "no")

    assert ErrorRecord("Fatal", "no") == ErrorRecord.of(Fatal())
    assert not ErrorRecord.of(Fatal()).non_retryable


def test_a_message_that_says_non_retryable_is_not_retried() -> None:
    """The platform also looks at how the message starts."""
    assert ErrorRecord.of(Exception("NonRetryableError: fake")).non_retryable
    assert not ErrorRecord.of(Exception("a NonRetryableError")).non_retryable


def test_a_workflow_error_starts_with_its_code() -> None:
    """The code is in the text, as on the platform, and survives a step boundary with it."""
    error = WorkflowError("no such\ninstance", code="instance.not_found")
    assert "(instance.not_found) no such\ninstance" == str(error)
    arrived = crossed(error)
    assert isinstance(arrived, WorkflowError)
    assert (str(error), "instance.not_found") == (str(arrived), arrived.code)


@pytest.mark.parametrize("message", ["busy", "(no code", "(two words) busy", ""])
def test_a_workflow_error_without_code_has_none(message: str) -> None:
    """Brackets in a text do not make a code."""
    arrived = crossed(WorkflowError(message))
    assert isinstance(arrived, WorkflowError)
    assert (message, None) == (str(arrived), arrived.code)


@pytest.mark.parametrize(
    ("cls", "builtin"),
    [(WorkflowTimeoutError, TimeoutError), (SerializationError, TypeError), (DurationError, ValueError)],
)
def test_errors_of_ours_are_also_builtin_ones(cls: type[Exception], builtin: type[Exception]) -> None:
    """Code that knows only Python's errors catches them."""
    assert issubclass(cls, builtin)


def test_a_serialization_error_says_where() -> None:
    """The path is the root unless it is given."""
    assert ("$", "$.a[0]") == (SerializationError("no").path, SerializationError("no", path="$.a[0]").path)


def test_the_tree_in_the_docstring_is_complete() -> None:
    """Every public error of the module is drawn, and nothing else is."""
    public = {name for name, item in vars(errors).items() if isinstance(item, type) and issubclass(item, Exception)}
    drawn = {line.split("──")[1].split()[0] for line in errors.__doc__.splitlines() if "──" in line}  # type: ignore[union-attr]
    assert public == drawn
