"""The tasks in which the code of an execution runs, and what becomes of them when it is over.

On the platform no code runs when an instance leaves memory, or is ended: it is just gone. So code that would do
something if it were cancelled, in a `finally`, at the end of a `with`, in a handler of BaseException, is not: all tasks
of the execution stay where they wait, for ever, and their coroutines are kept, since Python would end what it collects.
Other code is cancelled, which frees what it holds.
"""

import asyncio
import contextvars
import logging
from collections.abc import Callable, Coroutine, Generator
from typing import Any, TypeVar

from cfworkflows.caller import is_ours
from cfworkflows.errors import CfworkflowsError
from cfworkflows.permit import permit
from cfworkflows_emulator.engine.run import stranded
from cfworkflows_emulator.engine.run.caller import callback_in
from cfworkflows_emulator.engine.run.unwinding import Suspended, chain, has_begun

T = TypeVar("T")
log = logging.getLogger("cfworkflows.engine")

MOST_REFUSALS = 100
"""So often is code that is over told so. If it still calls something then, it catches whatever it is told."""

MOST_STEPS = 1_000
"""So often may a task that was cancelled wait again. What still runs then has caught its cancellation."""


Frozen = Callable[[asyncio.Task[Any]], object]

Wrapper = Callable[[Coroutine[Any, Any, Any], contextvars.Context], Coroutine[Any, Any, Any]]
WRAPPERS: list[Wrapper] = []
"""What stands between the code of each new task and the task that drives it, given its context: nothing, normally."""


class Tasks:
    """The tasks of one execution. `host` names it to people."""

    def __init__(self, host: object) -> None:
        self.is_over = False
        self._host = host
        self.known: set[TaskCode] = set()
        self._refusals = 0

    def start(
        self,
        work: Coroutine[Any, Any, T],
        name: str | None,
        context: contextvars.Context,
        *,
        is_root: bool = True,
        frozen: "Frozen | None" = None,
    ) -> asyncio.Task[T]:
        """Start a task. One that is no root belongs to the execution only while it is in code of the project.

        `frozen` is called with the task if it is to stay where it waits.
        """
        code = TaskCode(self, work, context, is_root=is_root, frozen=frozen)
        driven: Coroutine[Any, Any, T] = code
        for wrap in WRAPPERS:
            driven = wrap(driven, context)
        task: asyncio.Task[T] = asyncio.Task(driven, loop=asyncio.get_running_loop(), name=name, context=context)
        code.task = task
        if self.is_over and code.is_ended_with_it():
            code.freeze()
        else:
            self.known.add(code)
        return task

    def end(self) -> bool:
        """End all tasks, that which calls this when it waits next, and refuse what they call from now on.

        Returns whether they stay where they wait, rather than being cancelled. Those that are cancelled end soon.
        """
        self.is_over = True
        ended = [each for each in self._others() if each.is_ended_with_it()]
        for each in self.known - set(self._others()):
            each.ends_next = True
        stays = any(each.runs_code() for each in ended)
        for each in ended:
            if stays and each.has_code():
                each.freeze()
            else:
                each.cancel()
        return stays

    def keep(self) -> bool:
        """`run()` has ended: whether code of it, not of a callback, is to stay where it waits for a step."""
        ended = [each for each in self._others() if each.callback is None or each.callback.over]
        if not any(each.runs_code() for each in ended):
            return False
        for each in ended:
            if each.task is not None:
                stranded.leave(each.task)
        return True

    @property
    def runs_code(self) -> bool:
        """Whether code of the user's would run if the tasks were cancelled, so that `end` keeps them."""
        return any(each.runs_code() for each in self._others() if each.is_ended_with_it())

    def _others(self) -> "list[TaskCode]":
        calling = asyncio.current_task() if asyncio._get_running_loop() is not None else None
        return [each for each in self.known if each.task is not calling]

    async def refuse(self, what: str) -> None:
        """Refuse a call of code that is over. Raises CfworkflowsError, the first times: code that catches every refusal
        may call for ever, and then the call never ends.
        """
        self._refusals += 1
        if self._refusals > MOST_REFUSALS and self._is_in_loop():
            await stranded.strand()
        self.check(what)

    def check(self, what: str) -> None:
        """Raise CfworkflowsError."""
        raise CfworkflowsError(
            f"{what} was refused: {self._host} has left memory, was stopped or begins anew, and this is code of before."
        )

    def _is_in_loop(self) -> bool:
        return asyncio._get_running_loop() is not None and asyncio.current_task() is not None


class TaskCode(Coroutine[Any, Any, Any]):
    """A coroutine as its task drives it: until its execution is over. It has all attributes of the coroutine."""

    __slots__ = (
        "_context", "_frozen", "_is_root", "_left", "_work", "callback", "ends_next", "is_frozen", "task", "tasks",
    )  # fmt: skip

    def __init__(
        self,
        tasks: Tasks,
        work: Coroutine[Any, Any, Any],
        context: contextvars.Context,
        *,
        is_root: bool,
        frozen: "Frozen | None",
    ) -> None:
        self.task: asyncio.Task[Any] | None = None
        self.callback = callback_in(context)
        self.is_frozen = False
        self.ends_next = False
        self.tasks = tasks
        self._work = work
        self._context = context
        self._is_root = is_root
        self._frozen = frozen
        self._left: int | None = None

    # What a task calls

    def send(self, value: Any) -> Any:
        if self.is_frozen or (self._left is not None and self._is_spent()):
            return stranded.never()
        try:
            awaited = self._work.send(value)
        except BaseException:
            self.tasks.known.discard(self)
            self.task = None  # it holds this: without the cycle, both go at once
            raise
        if self.ends_next:
            self._end_here()
        return awaited

    def throw(self, kind: Any, value: Any = None, trace: Any = None) -> Any:
        if self.is_frozen or (self._left is not None and self._is_spent()):
            return stranded.never()
        try:
            return self._work.throw(kind) if value is None and trace is None else self._work.throw(kind, value, trace)
        except BaseException:
            self.tasks.known.discard(self)
            self.task = None
            raise

    def close(self) -> None:
        if not self.is_frozen:
            self._work.close()

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._work.__await__()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._work, name)

    # How it ends

    @property
    def has_begun(self) -> bool:
        return has_begun(self._work)

    def is_ended_with_it(self) -> bool:
        """Whether it belongs to the execution: libraries have tasks that serve others as well."""
        if self._is_root:
            return True
        found = list(chain(self._work))
        return any(each.is_projects for each in found)

    def has_code(self) -> bool:
        """Whether it is in code of the user's."""
        return any(each.is_users for each in chain(self._work))

    def runs_code(self) -> bool:
        """Whether code of the user's would run if it were cancelled."""
        if not self.has_begun:
            return False
        found, below = self._split()
        return any(each.is_users and each.runs_code() for each in found[: len(found) - len(below)])

    def _end_here(self) -> None:
        self.ends_next = False
        if self.is_ended_with_it():
            (self.freeze if self.runs_code() else self.cancel)()

    def cancel(self) -> None:
        """End it where it waits."""
        if self.task is not None:
            self._left = MOST_STEPS
            stranded.cut_off(self.task)

    def freeze(self) -> None:
        """Let it stay where it waits, without what others wait for."""
        if self.is_frozen:
            return
        if not self.has_begun:
            self._work.close()
        else:
            found, below = self._split()
            if below:
                self._end(below[0])
            for each in found[: len(found) - len(below)]:
                if each.is_users:
                    each.release()
        self._stay()

    def _stay(self) -> None:
        self.is_frozen = True
        self.tasks.known.discard(self)
        if self.task is not None:
            stranded.leave(self.task)
            if self._frozen is not None:
                self._frozen(self.task)

    def _split(self) -> tuple[list[Suspended], list[Suspended]]:
        """What is suspended; and the end of it, from the first of our own functions that the project's code called."""
        found = list(chain(self._work))
        last = max((index for index, each in enumerate(found) if each.is_projects), default=-1)
        ours = next((index for index, each in enumerate(found) if index > last and each.is_ours), None)
        if ours is None or last < 0:
            return found, []
        return found, found[ours:]

    def _end(self, called: Suspended) -> None:
        """End a function of ours that the code waits for, and that may hold something."""
        try:  # `close` would leave an asynchronous generator as it is
            if asyncio.current_task() is self.task:  # which is in its context
                called.work.throw(asyncio.CancelledError())
            else:
                self._context.run(called.work.throw, asyncio.CancelledError())
            log.debug("%s waits although it was cancelled.", called.frame.f_code.co_qualname)
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            log.debug("%s failed at its end.", called.frame.f_code.co_qualname, exc_info=error)

    def _is_spent(self) -> bool:
        assert self._left is not None
        self._left -= 1
        if self._left < 0:
            self._stay()
        return self.is_frozen


def known_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """A task factory. What the code of an execution makes is known to it, but for what is ours."""
    context = options.get("context")
    tasks = permit.get() if context is None else context.get(permit)
    if not isinstance(tasks, Tasks) or not isinstance(work, Coroutine) or _is_ours(work):
        return asyncio.Task(work, loop=loop, **options)
    context = contextvars.copy_context() if context is None else context
    return tasks.start(work, options.get("name"), context, is_root=False)


def _is_ours(work: Any) -> bool:
    code = getattr(work, "cr_code", None)
    return code is not None and is_ours(code.co_filename)
