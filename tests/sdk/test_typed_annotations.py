import functools
import types
import typing
from collections.abc import Awaitable, Coroutine
from typing import Any, Generic, TypeVar

from typed_classes import E, Env, Order, P

from cfworkflows.generics import type_arguments
from cfworkflows.typed import return_type

Q = TypeVar("Q")


class Base(Generic[E, P]):
    """Stands for WorkflowEntrypoint."""


class TestTypeArguments:
    def test_the_arguments_of_a_direct_subclass(self) -> None:
        """What is in the brackets."""

        class W(Base[Env, Order]):
            pass

        assert (Env, Order) == type_arguments(W, Base)

    def test_arguments_through_classes_in_between(self) -> None:
        """A type parameter that a class in between passes on, renamed, swapped and wrapped, is followed."""

        class Swapped(Base[P, E], Generic[E, P]):
            pass

        class Listed(Swapped[list[Q], Env]):
            pass

        class W(Listed[Order]):
            pass

        class V(W):
            pass

        assert (Env, list[Order]) == type_arguments(W, Base)
        assert (Env, list[Order]) == type_arguments(V, Base)

    def test_what_is_not_bound_is_any(self) -> None:
        """A bare base, a bare class in between, a parameter of the class's own, and the base itself."""

        class Bare(Base):  # type: ignore[type-arg]
            pass

        class Half(Base[Env, P]):
            pass

        class Open(Half):  # type: ignore[type-arg]
            pass

        class Lists(Base[Env, dict[str, P]]):
            pass

        assert (Any, Any) == type_arguments(Bare, Base)
        assert (Env, Any) == type_arguments(Half, Base)
        assert (Env, Any) == type_arguments(Open, Base)
        assert (Env, dict[str, Any]) == type_arguments(Lists, Base)
        assert (Any, Any) == type_arguments(Base, Base)

    def test_of_two_paths_the_one_that_says_more_counts(self) -> None:
        """A mixin that leaves the parameters open does not hide what the class binds."""

        class Mixin(Base):  # type: ignore[type-arg]
            pass

        class Typed(Base[Env, Order]):
            pass

        class Other:
            pass

        class W(Other, Mixin, Typed):
            pass

        class V(Typed, Mixin):
            pass

        assert (Env, Order) == type_arguments(W, Base)
        assert (Env, Order) == type_arguments(V, Base)

    def test_names_in_quotes_are_looked_up(self) -> None:
        """In the module that writes them; one that is known to the type checker only is Any."""

        class W(Base["Env", "list[Order]"]):
            pass

        class V(Base["Unknown", "Order"]):  # type: ignore[name-defined]
            pass

        assert (Env, list[Order]) == type_arguments(W, Base)
        assert (Any, Order) == type_arguments(V, Base)

    def test_a_base_without_parameters_has_no_arguments(self) -> None:
        """A class that is not generic."""

        class Plain:
            pass

        class W(Plain):
            pass

        assert () == type_arguments(W, Plain)


class TestReturnType:
    def test_functions(self) -> None:
        """The annotation of a plain and of an async function."""

        def plain() -> Order: ...  # type: ignore[empty-body]
        async def coroutine() -> list[Order]: ...  # type: ignore[empty-body]

        assert Order is return_type(plain)
        assert list[Order] == return_type(coroutine)

    def test_awaitables_are_unwrapped(self) -> None:
        """What comes out of the await counts."""

        def awaitable() -> Awaitable[Order]: ...  # type: ignore[empty-body]
        def coroutine() -> Coroutine[Any, Any, Order | None]: ...  # type: ignore[empty-body]
        def of_typing() -> typing.Awaitable[Order]: ...  # type: ignore[empty-body]
        def bare() -> Awaitable: ...  # type: ignore[empty-body, type-arg]

        assert Order is return_type(awaitable)
        assert (Order | None) == return_type(coroutine)
        assert Order is return_type(of_typing)
        assert return_type(bare) is None

    def test_what_is_not_annotated_is_not_known(self) -> None:
        """Lambdas, functions without annotation, builtins."""

        def bare(a: int): ...  # type: ignore[no-untyped-def]

        assert [None] * 4 == [return_type(callback) for callback in (lambda: 1, bare, len, print)]

    def test_none_is_a_type(self) -> None:
        """`-> None` is known, unlike nothing."""

        def nothing() -> None: ...

        assert type(None) is return_type(nothing)

    def test_whatever_can_be_called(self) -> None:
        """Methods, partials, partials of partials, decorated functions, objects with `__call__`, and classes."""

        class Service:
            def method(self) -> Order: ...  # type: ignore[empty-body]
            @classmethod
            def of_class(cls) -> Order: ...  # type: ignore[empty-body]
            @staticmethod
            def static() -> Order: ...  # type: ignore[empty-body]
            def __call__(self, a: int, b: int) -> Order: ...  # type: ignore[empty-body]

        @functools.wraps(Service.static)
        def decorated(*args: Any) -> Any: ...

        service = Service()
        partial = functools.partial(functools.partial(service, 1), b=2)
        callbacks = [service.method, service.of_class, service.static, service, partial, decorated, Order]
        assert [Order] * 7 == [return_type(callback) for callback in callbacks]

    def test_names_in_quotes_are_looked_up(self) -> None:
        """In the module of the function; other annotations that cannot be read do not matter."""

        def quoted(a: "Unknown") -> "Order": ...  # type: ignore[name-defined, empty-body]  # noqa: F821
        def unknown() -> "Unknown": ...  # type: ignore[name-defined]  # noqa: F821
        def no_type() -> "not a type": ...  # type: ignore[valid-type]  # noqa: F722

        assert Order is return_type(quoted)
        assert return_type(unknown) is None
        assert return_type(no_type) is None

    def test_annotations_of_the_future(self) -> None:
        """A module with `from __future__ import annotations` has all of them in quotes."""
        module = types.ModuleType("of_the_future")
        code = "from __future__ import annotations\nclass Thing: ...\nasync def f() -> Thing: ..."
        exec(compile(code, "of_the_future", "exec"), vars(module))
        assert module.Thing is return_type(module.f)

    def test_annotations_that_fail_to_evaluate_are_not_known(self) -> None:
        """Python 3.14 evaluates annotations when they are asked for."""

        class Late:
            @property
            def __annotations__(self) -> dict[str, Any]:  # type: ignore[override]
                raise NameError("Unknown")

        class Callback:
            __call__ = Late()

        assert return_type(Callback()) is None  # type: ignore[arg-type]
