"""`structured_clone`: a copy by way of the codec that stores values."""

from collections.abc import Mapping
from typing import Any

from cfworkflows.values import decode, encode


def structured_clone(value: Any, options: Mapping[str, Any] | None = None) -> Any:
    """A deep copy of `value`, like the result of a step: a dict's keys can be read as attributes.

    SerializationError, a TypeError, with the path of what is not data. There is nothing to `transfer` in Python, so
    that option is refused.
    """
    if options and options.get("transfer"):
        raise TypeError("structured_clone cannot transfer anything: pass the object itself on.")
    return decode(encode(value))


structuredClone = structured_clone  # noqa: N816 - the platform's name
