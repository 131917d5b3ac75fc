"""Pages of a list. Behind the last one there are empty pages, which clients that count them stop at."""

from collections.abc import Sequence
from typing import Any, Protocol

from cfworkflows.http import Response
from cfworkflows_emulator.api.routing.envelope import success


class PageNumber(Protocol):
    """Which page of a list is asked for, counted from 1."""

    @property
    def page(self) -> int: ...

    @property
    def per_page(self) -> int: ...


def page(items: Sequence[Any], query: PageNumber) -> Response:
    """One page of `items`."""
    begin = (query.page - 1) * query.per_page
    shown = list(items[begin : begin + query.per_page])
    return success(shown, page_info(query, len(shown), len(items)))


def page_info(query: PageNumber, count: int, total: int) -> dict[str, Any]:
    """The `result_info` of a page with `count` of `total`."""
    return {
        "page": query.page,
        "per_page": query.per_page,
        "count": count,
        "total_count": total,
        "total_pages": -(-total // query.per_page),
    }
