"""A dict whose keys can be read as attributes, as objects are in TypeScript."""

from typing import TYPE_CHECKING, Any


class JsDict(dict[str, Any]):
    """An object that was read from storage: `payment.id` and `payment["id"]` are the same.

    It is a dict in every other way. A name that dict itself has, such as `items` or `keys`, is dict's method when read
    as an attribute: write `order["items"]`. A missing name raises AttributeError, which lists the keys.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        # Python looks up names such as __deepcopy__ to learn what an object can do: keys must not be found.
        if name not in self or _is_dunder(name):
            raise self._missing(name)
        return self[name]

    def __setattr__(self, name: str, value: Any) -> None:
        if _is_dunder(name):
            super().__setattr__(name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        if name not in self or _is_dunder(name):
            raise self._missing(name)
        del self[name]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *(key for key in self if isinstance(key, str) and key.isidentifier())]

    def copy(self) -> "JsDict":
        """A shallow copy."""
        return JsDict(self)

    def _missing(self, name: str) -> AttributeError:
        if _is_dunder(name):
            return AttributeError(name, name=name, obj=self)
        keys = [repr(key) for key in self if isinstance(key, str)]
        there = ", ".join(keys[:_SHOWN] + ["…"] * (len(keys) > _SHOWN)) or "none"
        return AttributeError(f"no key {name!r}; the keys that are there: {there}", name=name, obj=self)


def as_objects(value: Any) -> Any:
    """JSON with a JsDict for each object in it, at any depth; other values are unchanged."""
    if type(value) is dict:
        return JsDict({name: as_objects(item) for name, item in value.items()})
    return [as_objects(item) for item in value] if type(value) is list else value


if TYPE_CHECKING:
    ClosedJsDict = dict[str, Any]
else:
    ClosedJsDict = JsDict
"""The base of a JsDict whose keys are known: a type checker refuses an attribute that the class does not declare."""

_SHOWN = 30  # keys named in an error


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
