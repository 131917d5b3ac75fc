"""Unions: of the members that a value fits, the one that it fits best."""

from typing import Any

from cfworkflows.checks.misfit import Check, Misfit, Problem, Tally

_START = "Input should be "


def union(members: list[tuple[str, Check]]) -> Check:
    """The check of a union. `members` has the name of each, but "" for None.

    The fewer values become others the better; then, the more fields there are; then, the earlier it is written.
    """

    def check(value: Any, tally: Tally) -> Any:
        found: list[tuple[tuple[int, int, int], int]] = []
        fitted: list[tuple[Tally, Any]] = []
        failed: list[tuple[str, Misfit]] = []
        for name, member in members:
            own = Tally()
            try:
                result = member(value, own)
            except Misfit as error:
                failed.append((name, error))
            else:
                found.append((own.rank, len(fitted)))
                fitted.append((own, result))
        if not found:
            raise Misfit(_reported(failed))
        own, best = fitted[min(found)[1]]
        tally.add(own)
        return best

    return check


def _reported(failed: list[tuple[str, Misfit]]) -> list[Problem]:
    """What is said when no member fits: of those that fit on the outside, what is wrong within."""
    named = [(name, error) for name, error in failed if name] or failed
    within = [(name, error) for name, error in named if any(each.place for each in error.problems)]
    if len(within or named) == 1:
        return (within or named)[0][1].problems
    if within:
        return [
            problem._replace(text=f"{problem.text}, for {name}") for name, error in within for problem in error.problems
        ]
    first = named[0][1].problems[0]
    texts = dict.fromkeys(each.text.removeprefix(_START) for _, error in named for each in error.problems)
    return [first._replace(text=_START + " or ".join(texts))]
