"""What the comparison with the recordings passes over, and that it passes over no more."""

from typing import Any

import pytest
from comparison import Difference, Row, _soft, differ

RETRIES = {"limit": 5, "backoff": "exponential"}
FOLDED = {"name": "Error", "message": "MyError: no"}
NOT_FOUND = "WorkflowError: (instance.not_found) Instance does not exist"


def found(wanted: Any, got: Any) -> list[str]:
    return [path for path, _, _ in differ(_soft(wanted), _soft(got))]


@pytest.mark.parametrize(
    ("wanted", "got"),
    [
        ({"retries": {**RETRIES, "delay": 1_000}}, {"retries": {**RETRIES, "delay": 10_000}}),
        ({"status": "errored"}, {"status": "errored", "rollback": {"outcome": "complete", "error": None}}),
        ({"error": FOLDED}, {"error": {"name": "MyError", "message": "no"}}),
        ({"name": "Error", "message": "instance.not_found"}, {"name": "Error", "message": NOT_FOUND}),
        ({"status": "running"}, {"status": "waiting"}),
        ({"output": {"$undefined": True}}, {"output": None}),
        ({"$set": [1, "a"]}, {"$set": ["a", 1]}),
        ({"dt": 0.5}, {"dt": 0.0}),
        ({"dt": 1.0}, {"dt": 2.9}),
    ],
)
def test_one_fact_is_no_difference(wanted: Any, got: Any) -> None:
    """Each of the sentences on the page of parity."""
    assert [] == found(wanted, got)


@pytest.mark.parametrize(
    ("wanted", "got", "places"),
    [
        ({"retries": {"delay": 10_000}}, {"retries": {"delay": 1_000}}, ["retries.delay"]),
        ({"retries": {"delay": 500}}, {"retries": {"delay": 10_000}}, ["retries.delay"]),
        ({"rollback": {"outcome": "failed"}}, {"rollback": {"outcome": "complete"}}, ["rollback.outcome"]),
        ({"error": FOLDED}, {"error": {"name": "Error", "message": "no"}}, ["error.name"]),
        ({"error": FOLDED}, {"error": {"name": "MyError", "message": "yes"}}, ["error.message"]),
        ({"message": "instance.not_found"}, {"message": "(instance.cannot_restart) no"}, ["message"]),
        ({"status": "waiting"}, {"status": "running"}, ["status"]),
        ({"$set": [1, "a"]}, {"$set": ["b", 1]}, ["$set[0]"]),
        ({"dt": 1.0}, {"dt": 0.3}, ["dt"]),
        ({"dt": 1.0}, {"dt": 10.0}, ["dt"]),
    ],
)
def test_anything_else_is_a_difference(wanted: Any, got: Any, places: list[str]) -> None:
    """What only looks like one of those facts."""
    assert places == found(wanted, got)


ROW = {"scenario": "^a$", "place": "x$", "peer": "It is.", "ours": "It is not.", "why": "language"}


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"place": ""}, "hides all that differs"),
        ({"why": "production differs"}, "needs the source"),
        ({"why": "peer's bug"}, "needs the source"),
        ({"why": "not supported yet"}, "why is one of"),
    ],
)
def test_a_row_says_where_and_why(changes: dict[str, str], says: str) -> None:
    """One that hides whole scenarios, or claims what nothing shows, is refused."""
    assert Row(**ROW).covers(Difference("a", "3 log x", 1, 2))
    with pytest.raises(ValueError, match=says):
        Row(**{**ROW, **changes})
