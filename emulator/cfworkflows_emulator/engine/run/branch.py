"""The branches of `run()`: the tasks that it makes. A branch has the same path at a replay, whatever time has decided.

The path says which task was made by which, each counted from 0 in the task that made it. What a task makes, it makes in
the order of its code; which of the tasks comes to its next step first is a matter of time.
"""

import asyncio
import contextvars
from typing import Any

from cfworkflows.caller import is_users
from cfworkflows_emulator.engine.journal.entries import StepKind
from cfworkflows_emulator.engine.run.caller import callback_in
from cfworkflows_emulator.engine.run.tasks import known_task

Path = tuple[int, ...]


class Numbering:
    """How the branches of one execution are numbered. It `is_other` than in the journal, if the code has been changed:
    then nothing is written down of it.
    """

    __slots__ = ("is_other",)

    def __init__(self) -> None:
        self.is_other = False


class Branch:
    """A task, by its `path`. That of `run()` itself has an empty one."""

    __slots__ = ("_made", "called", "numbering", "path")

    def __init__(self, numbering: Numbering, path: Path = ()) -> None:
        self.numbering = numbering
        self.path = path
        self.called = False
        self._made = 0

    @property
    def text(self) -> str | None:
        """The path as a journal has it, such as `0.2`; None for `run()` itself, and where it would not fit there."""
        return ".".join(map(str, self.path)) if self.path and not self.numbering.is_other else None

    @property
    def is_alone(self) -> bool:
        """Whether it is that of `run()` itself, and has made no task yet."""
        return not self._made and not self.path

    @property
    def turn(self) -> tuple[int, Path]:
        """Where it comes, with every step done: a task begins a turn of the event loop after the task that made it."""
        return len(self.path), self.path

    def make(self) -> "Branch":
        """The branch of the next task that it makes."""
        self._made += 1
        return Branch(self.numbering, (*self.path, self._made - 1))


class CallOrder:
    """The steps of one name that branches call, in one execution of `run()`."""

    __slots__ = ("_latest",)

    def __init__(self) -> None:
        self._latest: dict[tuple[StepKind, str], Branch] = {}

    def depends_on_time(self, kind: StepKind, name: str, branch: Branch) -> bool:
        """Whether this call of `name` may come before an earlier one at a replay, where every step is done at once."""
        before = self._latest.get((kind, name))
        self._latest[kind, name] = branch
        again, branch.called = branch.called, True
        return before is not None and before is not branch and (again or branch.turn < before.turn)


def path_of(text: str) -> Path:
    """The path that a journal has as `text`."""
    return tuple(map(int, text.split(".")))


def begin_branches() -> None:
    """The caller is the task of `run()` itself."""
    _branch.set(Branch(Numbering()))


def current_branch() -> Branch | None:
    """The branch that is calling, None outside of the code of `run()`."""
    return _branch.get()


def current_path() -> str | None:
    """The path of the branch that is calling; None in `run()` itself, and outside of it."""
    branch = _branch.get()
    return branch.text if branch is not None and branch.path else None


def branch_task(loop: asyncio.AbstractEventLoop, work: Any, **options: Any) -> asyncio.Task[Any]:
    """A task factory. No branches are the tasks of callbacks, which a replay does not call, and those that are not of
    the user's code: ours are made at any time.
    """
    branch = _branch.get()
    if branch is not None and (code := getattr(work, "cr_code", None)) is not None and is_users(code.co_filename):
        context = options.get("context") or contextvars.copy_context()
        if callback_in(context) is None:
            context.run(_branch.set, branch.make())
            options["context"] = context
    return known_task(loop, work, **options)


_branch: contextvars.ContextVar[Branch | None] = contextvars.ContextVar("cfworkflows_branch", default=None)
