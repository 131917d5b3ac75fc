"""Whether code of the user's would run if a suspended coroutine were ended: `finally`, the end of a `with`, a handler
that catches the cancellation. The bytecode says so.

An error that comes upon a frame goes to the handler that its exception table has for the instruction. That of an
`except` clause which does not match raises it again, and the table has the next one. Whatever is not known to do just
that counts as code.
"""

import asyncio
import builtins
import dis
import gc
import types
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any, NamedTuple

from cfworkflows.caller import is_ours, is_users

_ENDINGS = {*asyncio.CancelledError.__mro__, *GeneratorExit.__mro__}
"""The classes that catch the end of a coroutine, which is one error or the other."""

_UNKNOWN = object()
_PASSED = {
    "CACHE", "COPY", "DELETE_FAST", "EXTENDED_ARG", "LOAD_CONST", "NOP", "NOT_TAKEN", "POP_EXCEPT", "POP_TOP",
    "PUSH_EXC_INFO", "RESUME", "STORE_FAST", "SWAP",
}  # fmt: skip
_RAISE_ON = {"RERAISE", "CLEANUP_THROW", "END_ASYNC_FOR"}
_STOP_ITERATION_ERROR = 3  # of CALL_INTRINSIC_1: it makes another error of a StopIteration only

_SUSPENDABLE = (types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType)


class Suspended(NamedTuple):
    """One coroutine, or generator, of a chain in which each awaits the next."""

    work: Any
    frame: FrameType

    @property
    def is_users(self) -> bool:
        return is_users(self.frame.f_code.co_filename)

    @property
    def is_ours(self) -> bool:
        return is_ours(self.frame.f_code.co_filename)

    @property
    def is_projects(self) -> bool:
        """Whether the code is the user's own, and not of a library that is installed."""
        return self.is_users and "site-packages" not in self.frame.f_code.co_filename

    def runs_code(self) -> bool:
        """Whether some of its code, or of a generator that it holds, would run if it were ended."""
        held = gc.get_referents(self.work)  # the variables, and what a `with` or a `for` keeps on the stack
        exits = [each for each in held if _is_exit(each)]
        knows_exits = bool(exits) and all(_module(each).startswith("asyncio.") for each in exits)
        return _runs_code(self.frame, knows_exits=knows_exits) or any(map(_is_held_open, held))

    def release(self) -> None:
        """Do what the ends of its `with` blocks would do to what others wait for: locks of asyncio are free again."""
        for each in gc.get_referents(self.work):
            owner = each.__self__ if isinstance(each, types.MethodType) and _is_exit(each) else None
            if isinstance(owner, (asyncio.Lock, asyncio.Semaphore, asyncio.Condition)):
                owner.release()
            elif isinstance(owner, asyncio.Timeout):
                owner.reschedule(None)


def chain(work: Any) -> Iterator[Suspended]:
    """The coroutines that are suspended in `work`, from the outermost to that which waits."""
    while work is not None:
        if isinstance(work, types.CoroutineType):
            frame, awaited = work.cr_frame, work.cr_await
        elif isinstance(work, types.GeneratorType):
            frame, awaited = work.gi_frame, work.gi_yieldfrom
        elif isinstance(work, types.AsyncGeneratorType):
            frame, awaited = work.ag_frame, work.ag_await
        elif isinstance(work, asyncio.Future):
            return
        else:  # what an asynchronous generator, or `__await__`, gives to be awaited
            work = next((each for each in gc.get_referents(work) if isinstance(each, _SUSPENDABLE)), None)
            continue
        if frame is None:
            return
        yield Suspended(work, frame)
        work = awaited


def has_begun(work: Any) -> bool:
    """Whether some of the code of a coroutine has run."""
    return not isinstance(work, types.CoroutineType) or work.cr_running or bool(work.cr_suspended)


def _is_held_open(value: object) -> bool:
    """Whether a value is a generator of the user's that would run code if it were dropped."""
    if isinstance(value, types.GeneratorType):
        frame = value.gi_frame if value.gi_suspended else None
    elif isinstance(value, types.AsyncGeneratorType):
        frame = value.ag_frame
    else:
        return False
    return frame is not None and is_users(frame.f_code.co_filename) and _runs_code(frame, knows_exits=False)


def _is_exit(value: object) -> bool:
    kinds = (types.MethodType, types.BuiltinMethodType, types.FunctionType)
    return isinstance(value, kinds) and value.__name__ in ("__exit__", "__aexit__")


def _module(function: Any) -> str:
    return str(getattr(function, "__module__", None) or "")


def _runs_code(frame: FrameType, *, knows_exits: bool) -> bool:
    code = frame.f_code
    offset: int | None = frame.f_lasti
    if not code.co_exceptiontable or offset is None or offset < 0:
        return False
    while (handler := _handler(code, offset)) is not None:
        offset = _raised_again(frame, handler, knows_exits=knows_exits)
        if offset is None:
            return True
    return False


def _raised_again(frame: FrameType, handler: int, *, knows_exits: bool) -> int | None:
    """Where a handler raises the error again, None if it does something else."""
    instructions, positions = _instructions(frame.f_code)
    values: list[Any] = []
    at = positions[handler]
    for _ in instructions:
        each = instructions[at]
        at += 1
        name = each.opname
        if name in _RAISE_ON:
            return each.offset
        if name.startswith("LOAD_") and name != "LOAD_CONST":
            values.append(_loaded(frame, name, each.argval, values))
        elif name == "BUILD_TUPLE" and each.arg is not None and each.arg <= len(values):
            split = len(values) - each.arg
            values[split:] = [tuple(values[split:])]
        elif name == "CHECK_EXC_MATCH":
            if not values or _catches(values.pop()):
                return None
        elif name.startswith("POP_JUMP") and name.endswith("_IF_FALSE"):
            at = positions[each.argval]
        elif name == "WITH_EXCEPT_START" and knows_exits:
            at = next(i for i, later in enumerate(instructions) if i > at and later.opname == "RERAISE")
        elif name not in _PASSED and not (name == "CALL_INTRINSIC_1" and each.arg == _STOP_ITERATION_ERROR):
            return None
    return None


def _loaded(frame: FrameType, name: str, argument: Any, values: list[Any]) -> Any:
    """What an instruction loads: a variable, or what a module has under a name."""
    if name == "LOAD_ATTR":
        module = values.pop() if values else None
        return vars(module).get(argument, _UNKNOWN) if isinstance(module, types.ModuleType) else _UNKNOWN
    for names in (frame.f_locals, frame.f_globals, vars(builtins)):
        if argument in names:
            return names[argument]
    return _UNKNOWN


def _catches(kind: Any) -> bool:
    """Whether an `except` clause with `kind` would catch the end of a coroutine."""
    if type(kind) is tuple:
        return any(map(_catches, kind))
    return not isinstance(kind, type) or kind in _ENDINGS


@lru_cache(maxsize=1024)
def _instructions(code: CodeType) -> tuple[list[dis.Instruction], dict[int, int]]:
    """The instructions of a function, and the index of each by its offset."""
    found = list(dis.get_instructions(code))
    return found, {each.offset: index for index, each in enumerate(found)}


def _handler(code: CodeType, offset: int) -> int | None:
    """Where an error at `offset` goes, None if it leaves the function."""
    for start, end, target in _table(code):
        if start <= offset < end:
            return target
    return None


@lru_cache(maxsize=1024)
def _table(code: CodeType) -> list[tuple[int, int, int]]:
    """The exception table: the start and the end of each range, and its handler, as offsets.

    Its form is described in CPython's `Objects/exception_handling_notes.txt`.
    """
    numbers = _numbers(code.co_exceptiontable)
    return [(start * 2, (start + next(numbers)) * 2, next(numbers) * 2) for start in _every_fourth(numbers)]


def _numbers(table: bytes) -> Iterator[int]:
    value = 0
    for byte in table:
        value = value << 6 | byte & 63
        if not byte & 64:
            yield value
            value = 0


def _every_fourth(numbers: Iterator[int]) -> Iterator[int]:
    """The first number of each entry; the reader takes two, and the fourth is the depth of the stack."""
    for start in numbers:
        yield start
        next(numbers)
