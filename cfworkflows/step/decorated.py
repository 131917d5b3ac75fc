"""The decorator form of Python Workers: `@step.do("name")` above a function, which becomes a callable.

A parameter of the function is the context if it is called `ctx`; any other is a step it depends on, found by the
name of that step, or listed in `depends`. A step that others depend on runs once and its result is shared; a direct
call always runs a new step.
"""

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from cfworkflows.errors import WorkflowFatalError

T = TypeVar("T")

Do = Callable[..., asyncio.Future[Any]]
"""`step.do` with a name and a callback, and the options as keywords."""

Task = Callable[[Coroutine[Any, Any, Any]], asyncio.Future[Any]]
"""`StepDriver.task`."""


class StepDecorator:
    """What `step.do("name")` returns when no callback is passed: call it with the function.

    `functions` has the decorated steps of the run by their names; newly decorated ones are added.
    """

    def __init__(
        self,
        do: Do,
        task: Task,
        functions: "dict[str, StepFunction[Any]]",
        name: str | None,
        depends: "Sequence[StepFunction[Any]] | None",
        concurrent: bool,
        options: dict[str, Any],
    ) -> None:
        self._do = do
        self._task = task
        self._functions = functions
        self._name = name
        self._depends = depends
        self._concurrent = concurrent
        self._options = options

    @overload
    def __call__(self, function: Callable[..., Awaitable[T]]) -> "StepFunction[T]": ...

    @overload
    def __call__(self, function: Callable[..., T]) -> "StepFunction[T]": ...

    def __call__(self, function: Callable[..., Any]) -> "StepFunction[Any]":
        name = self._name if self._name is not None else getattr(function, "__name__", "")
        decorated: StepFunction[Any] = StepFunction(
            self._do, self._task, self._functions, name, function, self._depends, self._concurrent, self._options
        )
        self._functions[name] = decorated
        return decorated

    def _no_callback(self) -> Generator[Any, None, Any]:
        raise WorkflowFatalError(f'Step "{self._name}" requires a callback function')

    if not TYPE_CHECKING:  # a type checker refuses to await it
        __await__ = _no_callback


class StepFunction(Generic[T]):
    """A decorated step: call it without arguments, and await the result."""

    def __init__(
        self,
        do: Do,
        task: Task,
        functions: "dict[str, StepFunction[Any]]",
        name: str,
        function: Callable[..., Any],
        depends: "Sequence[StepFunction[Any]] | None",
        concurrent: bool,
        options: dict[str, Any],
    ) -> None:
        self.__name__ = name
        self._do = do
        self._task = task
        self._functions = functions
        self._name = name
        self._function = function
        self._depends = depends
        self._concurrent = concurrent
        self._options = options
        self._latest: asyncio.Future[T] | None = None

    def __call__(self) -> asyncio.Future[T]:
        parameters = [parameter for parameter in inspect.signature(self._function).parameters if parameter != "ctx"]
        if parameters or self._depends:
            self._latest = self._task(self._after(self._dependencies(parameters)))
            self._latest.add_done_callback(_retrieve)
        else:
            self._latest = self._start({})
        return self._latest

    def _dependencies(self, parameters: list[str]) -> "dict[str, StepFunction[Any]]":
        if self._depends is None:
            unknown = [name for name in parameters if name not in self._functions]
            if unknown:
                known = ", ".join(self._functions) or "none"
                raise TypeError(
                    f"Received unexpected parameter {unknown[0]}: a parameter is `ctx` or the name of an earlier step "
                    f"(earlier steps: {known})."
                )
            return {name: self._functions[name] for name in parameters}
        if len(self._depends) != len(parameters):
            raise TypeError(
                f"Step declares {len(parameters)} non-ctx parameter(s) but 'depends' has {len(self._depends)} item(s)"
            )
        for parameter, dependency in zip(parameters, self._depends, strict=True):
            if not isinstance(dependency, StepFunction):
                raise TypeError(f"'depends' entry for parameter '{parameter}' is not a function decorated with step.do")
        return dict(zip(parameters, self._depends, strict=True))

    async def _after(self, dependencies: "dict[str, StepFunction[Any]]") -> Any:
        if self._concurrent:
            values = await asyncio.gather(*(asyncio.shield(each._shared()) for each in dependencies.values()))
        else:
            values = [await asyncio.shield(each._shared()) for each in dependencies.values()]
        return await self._start(dict(zip(dependencies, values, strict=True)))

    def _shared(self) -> asyncio.Future[T]:
        """The latest call, unless there is none or it failed: then a new one."""
        latest = self._latest
        if latest is None or (latest.done() and (latest.cancelled() or latest.exception() is not None)):
            return self()
        return latest

    def _start(self, values: dict[str, Any]) -> asyncio.Future[T]:
        callback = partial(self._function, **values) if values else self._function
        return self._do(self._name, callback, **self._options)


def _retrieve(call: asyncio.Future[Any]) -> None:
    """A step that is not awaited fails quietly; its error is in the journal."""
    if not call.cancelled():
        call.exception()
