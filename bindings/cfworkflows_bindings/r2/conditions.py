"""Conditional requests: `onlyIf` as an object or as headers."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from cfworkflows.errors import R2Error
from cfworkflows.http import Headers
from cfworkflows_bindings.forms import Form
from cfworkflows_bindings.r2.store import StoredObject

_FORM = Form("etagMatches", "etagDoesNotMatch", "uploadedBefore", "uploadedAfter", "secondsGranularity")


class Etag(NamedTuple):
    """One of a condition; `value` None is any."""

    value: str | None
    is_weak: bool = False


@dataclass(frozen=True, slots=True)
class Conditions:
    """What has to hold for the object as it is. Times are in ms since the epoch."""

    matches: tuple[Etag, ...] | None = None
    does_not_match: tuple[Etag, ...] | None = None
    before: float | None = None
    after: float | None = None
    by_seconds: bool = False

    def hold(self, found: StoredObject | None) -> bool:
        """Whether they hold for the object that was `found`."""
        if found is None:
            return self.matches is None and self.after is None
        uploaded: float = found.uploaded
        before, after = self.before, self.after
        if self.by_seconds:
            uploaded = uploaded // 1000
            before = None if before is None else before // 1000
            after = None if after is None else after // 1000
        is_match = self.matches is None or any(
            not each.is_weak and each.value in (None, found.etag) for each in self.matches
        )
        is_new = self.does_not_match is None or not any(
            each.value in (None, found.etag) for each in self.does_not_match
        )
        is_after = after is None or after < uploaded or (self.does_not_match is not None and is_new)
        is_before = before is None or uploaded < before or (self.matches is not None and is_match)
        return is_match and is_new and is_after and is_before


NONE = Conditions()


def conditions(only_if: object) -> Conditions:
    """The conditions that an option `onlyIf` states. Raises TypeError, or R2Error for a header that is no ETag."""
    if only_if is None:
        return NONE
    if isinstance(only_if, Headers):
        return of_headers(only_if)
    if not isinstance(only_if, Mapping):
        raise TypeError(
            "Incorrect type for the 'onlyIf' field on 'GetOptions': the provided value is not of type "
            "'Conditional or Headers'."
        )
    given = _FORM.read("onlyIf", only_if)
    return Conditions(
        _etag(given.get("etag_matches")),
        _etag(given.get("etag_does_not_match")),
        moment(given.get("uploaded_before"), "uploadedBefore", "Conditional"),
        moment(given.get("uploaded_after"), "uploadedAfter", "Conditional"),
        bool(given.get("seconds_granularity")),
    )


def of_headers(headers: Headers) -> Conditions:
    """The conditions of a request over HTTP. Raises R2Error for an ETag that is none."""
    return Conditions(
        _etags(headers.get("if-match"), "if-match"),
        _etags(headers.get("if-none-match"), "if-none-match"),
        http_date(headers.get("if-unmodified-since")),
        http_date(headers.get("if-modified-since")),
        by_seconds=True,
    )


def _etag(value: object) -> tuple[Etag, ...] | None:
    if value is None:
        return None
    text = str(value)
    if len(text) >= 2 and text.startswith('"') and text.endswith('"'):
        raise TypeError(f"Conditional ETag should not be wrapped in quotes ({text}).")
    return (Etag(None if text == "*" else text),)


def _etags(value: str | None, header: str) -> tuple[Etag, ...] | None:
    if value is None:
        return None
    found, rest = [], value.strip()
    while rest:
        if rest.startswith("*"):
            found.append(Etag(None))
            rest = rest[1:]
        else:
            is_weak = rest.startswith("W/")
            quoted = rest[2:] if is_weak else rest
            end = quoted.find('"', 1)
            if not quoted.startswith('"') or end < 0:
                raise R2Error(f"Invalid ETag in {header} header")
            found.append(Etag(quoted[1:end], is_weak))
            rest = quoted[end + 1 :]
        rest = rest.strip()
        if rest and not rest.startswith(","):
            raise R2Error(f"Invalid ETag in {header} header")
        rest = rest[1:].strip()
    return tuple(found)


def moment(value: Any, field: str, form: str) -> float | None:
    """A time in ms since the epoch: a datetime (without a zone it is UTC), or such a number. Raises TypeError."""
    if value is None:
        return None
    if isinstance(value, datetime):
        return (value if value.tzinfo is not None else value.replace(tzinfo=UTC)).timestamp() * 1000
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return value
    raise TypeError(f"Incorrect type for the '{field}' field on '{form}': the provided value is not of type 'date'.")


def http_date(value: str | None) -> float | None:
    """A date as HTTP writes it, in ms since the epoch; None for what is no date."""
    try:
        found = parsedate_to_datetime(value) if value is not None else None
    except ValueError:
        return None
    return moment(found, "", "")
