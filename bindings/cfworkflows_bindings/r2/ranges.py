"""Which bytes of an object are read: `range` as an object, or a Range header."""

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from cfworkflows.http import Headers
from cfworkflows_bindings.forms import Form
from cfworkflows_bindings.r2.codes import INVALID_RANGE, refusal

_FORM = Form("offset", "length", "suffix")
_HEADER = re.compile(r"bytes\s*=\s*(?:([0-9]{1,4000})\s*-\s*([0-9]{0,4000})|-\s*([0-9]{1,4000}))\s*", re.IGNORECASE)


class Range(NamedTuple):
    """What is asked for: from `offset` on, `length` bytes, or the last `suffix`."""

    offset: int | None = None
    length: int | None = None
    suffix: int | None = None

    def within(self, size: int, action: str = "get") -> tuple[int, int]:
        """The offset and the length in an object of `size` bytes. Raises R2Error (10039) if that has none of them."""
        offset, length, suffix = self
        if offset is None and length is None and suffix is None:
            return 0, size
        if suffix is not None:
            suffix = min(suffix, size)
            if suffix <= 0:
                raise refusal(action, INVALID_RANGE)
            return size - suffix, suffix
        start = offset or 0
        if start >= size or (length is not None and length <= 0):
            raise refusal(action, INVALID_RANGE)
        return start, min(size - start if length is None else length, size - start)


WHOLE = Range()


def range_of(value: object) -> Range:
    """The range that an option `range` states. Raises ValueError and TypeError, as the platform words them."""
    if value is None:
        return WHOLE
    if isinstance(value, Headers):
        return of_header(value.get("range"))
    if not isinstance(value, Mapping):
        raise TypeError(
            "Incorrect type for the 'range' field on 'GetOptions': the provided value is not of type "
            "'Range or Headers'."
        )
    given = _FORM.read("range", value)
    offset = _number(given.get("offset"), "Invalid range. Starting offset")
    length = _number(given.get("length"), "Invalid range. Length")
    suffix = _number(given.get("suffix"), "Invalid suffix. Suffix", "Invalid range. Suffix")
    if suffix is not None and offset is not None:
        raise TypeError("Suffix is incompatible with offset.")
    if suffix is not None and length is not None:
        raise TypeError("Suffix is incompatible with length.")
    return Range(offset, length, suffix)


def of_header(header: str | None) -> Range:
    """The range of a header that has one; the whole object for several, and for what is none."""
    match = _HEADER.fullmatch(header.strip()) if header is not None else None
    if match is None:
        return WHOLE
    start, end, suffix = match.groups()
    if suffix is not None:
        return Range(suffix=int(suffix))
    if not end:
        return Range(int(start))
    return Range(int(start), int(end) - int(start) + 1) if int(end) >= int(start) else WHOLE


def _number(value: Any, what: str, what_of_floats: str | None = None) -> int | None:
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    shown = f"{number:g}" if number != int_or_nan(number) else str(int(number))
    if math.isnan(number) or number < 0:
        raise ValueError(f"{what} ({shown}) must be greater than or equal to 0.")
    if not number.is_integer():
        raise ValueError(f"{what_of_floats or what} ({shown}) must be an integer, not floating point.")
    return int(value) if isinstance(value, int) else int(number)


def int_or_nan(number: float) -> float:
    """`number` if it is whole, else NaN, which equals nothing."""
    return number if number.is_integer() else math.nan
