"""The rules by which a bucket lets pages of other sites read it, or write to it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cfworkflows.http import Request, Response


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, in the words of S3. An origin or a header may have a `*` in it."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]
    headers: tuple[str, ...] = ()
    exposed: tuple[str, ...] = ()
    max_age_s: int | None = None

    def allows(self, origin: str, method: str, headers: Iterable[str] = ()) -> bool:
        return (
            any(_fits(pattern, origin) for pattern in self.origins)
            and method in self.methods
            and all(any(_fits(each.lower(), name) for each in self.headers) for name in headers)
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "origins": self.origins,
            "methods": self.methods,
            "headers": self.headers,
            "exposed": self.exposed,
            "max_age_s": self.max_age_s,
        }

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> "Rule":
        """The way back."""
        lists = {name: tuple(value[name]) for name in ("origins", "methods", "headers", "exposed")}
        return cls(**lists, max_age_s=value["max_age_s"])


def _fits(pattern: str, text: str) -> bool:
    """Whether it is the text, of which a `*` is any part."""
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL) is not None


def preflight(request: Request, rules: Sequence[Rule]) -> Response:
    """The answer to OPTIONS."""
    origin = request.headers.get("origin")
    method = request.headers.get("access-control-request-method") or ""
    asked = request.headers.get("access-control-request-headers") or ""
    names = [name.strip().lower() for name in asked.split(",") if name.strip()]
    rule = next((each for each in rules if origin is not None and each.allows(origin, method, names)), None)
    if rule is None:
        text = "No CORS rule of the bucket allows this: put_bucket_cors of an S3 client sets them.\n"
        return Response(text, {"status": 403})
    answer = Response(None, {"status": 204})
    _allow(answer, origin or "*", rule)
    answer.headers.set("access-control-allow-methods", ", ".join(rule.methods))
    if asked:
        answer.headers.set("access-control-allow-headers", asked)
    if rule.max_age_s is not None:
        answer.headers.set("access-control-max-age", str(rule.max_age_s))
    return answer


def shared(request: Request, answer: Response, rules: Sequence[Rule]) -> Response:
    """`answer`, with the headers that let a page read it, if a rule does."""
    origin = request.headers.get("origin")
    rule = next((each for each in rules if origin is not None and each.allows(origin, request.method)), None)
    if rule is not None:
        _allow(answer, origin or "*", rule)
        if rule.exposed:
            answer.headers.set("access-control-expose-headers", ", ".join(rule.exposed))
    return answer


def _allow(answer: Response, origin: str, rule: Rule) -> None:
    answer.headers.set("access-control-allow-origin", "*" if "*" in rule.origins else origin)
    answer.headers.set("vary", "Origin")
