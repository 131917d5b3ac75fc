"""What a replay found out: `run()` does not do what the journal says that it did. No I/O, no clock."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cfworkflows_emulator.engine.journal.entries import StepKey, StepKind
from cfworkflows_emulator.tracebacks import shown_path

_NOUNS = {"do": "step", "sleep": "sleep", "wait": "wait"}
_LISTED = 5


@dataclass(frozen=True, slots=True)
class Call:
    """A step, sleep or wait (`kind`: do, sleep, wait), as `name-count`, and the `file:line` of its call, if known."""

    kind: StepKind
    step: str
    at: str | None = None

    @property
    def key(self) -> StepKey:
        return self.kind, self.step

    @property
    def name(self) -> str:
        """As in the code, without the counter."""
        return self.step.rpartition("-")[0]

    def __str__(self) -> str:
        return f'{_NOUNS[self.kind]} "{self.step}"'

    @property
    def before(self) -> str:
        """The call as the journal knows it."""
        return f"{self} (ran at {shown_path(self.at)})" if self.at is not None else str(self)

    @property
    def now(self) -> str:
        """The call as this replay made it."""
        return f"{self} at {shown_path(self.at)}" if self.at is not None else str(self)


@dataclass(frozen=True, slots=True)
class Change:
    """A call with another argument now: `what` was `before`, and is `now`, at the `file:line` `at`."""

    call: Call
    what: str
    before: str
    now: str
    at: str | None = None

    def __str__(self) -> str:
        at = f" at {shown_path(self.at)}" if self.at is not None else ""
        return f"the {self.what} of {self.call.before} was {self.before}, and is {self.now}{at}"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One divergence of a replay from the journal; `str()` is a sentence that names the steps and their lines.

    `missing` ran before and were not called again. `new` are not in the journal, and began before calls that are; the
    first of these calls is `skipped`, where that is certain. `late` is called after `early` now, and was called before
    it. `changed` are calls with other arguments, `outcomes` what `run()` returned or raised, and what it does now.
    `mixed` are one call as the journal has it, and as another branch makes it now. `abandoned` were cancelled as the
    losers of races are, and have ended since: the rest follows from that.
    """

    missing: tuple[Call, ...] = ()
    new: tuple[Call, ...] = ()
    skipped: Call | None = None
    late: Call | None = None
    early: Call | None = None
    changed: tuple[Change, ...] = ()
    outcomes: tuple[str, str] | None = None
    mixed: tuple[Call, Call] | None = None
    abandoned: tuple[Call, ...] = ()

    @property
    def is_of_order(self) -> bool:
        """Whether time decides what `run()` does: which branch comes first, or what wins a race."""
        return self.mixed is not None or bool(self.abandoned)

    @property
    def renamed(self) -> Call | None:
        """The call whose place a new one of its kind has taken: it may be the same under another name."""
        return self.skipped if self.skipped is not None and self.skipped.kind == self.new[0].kind else None

    def __str__(self) -> str:
        parts = []
        if self.mixed is not None:
            ran, now = self.mixed
            parts.append(
                f"{ran.before} is called by another branch{f' at {shown_path(now.at)}' if now.at is not None else ''}. "
                f'Time decides which of the branches calls {_NOUNS[ran.kind]} "{ran.name}" first, so that one gets the '
                f'result of another; give the branches names of their own, such as f"{ran.name} {{i}}"'
            )
        if self.abandoned:
            parts.append(
                f"{_listed([call.before for call in self.abandoned])} {_were(self.abandoned)} cancelled, as the loser "
                "of a race is, but went on, and now that it has ended run() goes another way; have a step keep "
                'who won, such as winner = await step.do("winner", lambda: winner)'
            )
        if self.late is not None and self.early is not None:
            parts.append(f"{self.late.before} is called after {self.early.before}, and was called before it")
        if self.missing:
            parts.append(f"{_listed([call.before for call in self.missing])} {_were(self.missing)} not called again")
        if (renamed := self.renamed) is not None:
            parts.append(
                f"{self.new[0].now} is new, where {renamed.before} came next: if it was renamed, call it "
                f'"{renamed.name}" again, or it is done once more'
            )
        elif self.skipped is not None:
            parts.append(f"{self.skipped.before} was not called before {self.new[0].now}, which is new")
        elif self.new:
            parts.append(f"{_listed([call.now for call in self.new])} {'is' if len(self.new) == 1 else 'are'} new")
        parts += [str(change) for change in self.changed[:_LISTED]]
        if self.outcomes is not None:
            parts.append(f"run() {self.outcomes[0]}, and {self.outcomes[1]} now")
        what = "run() does not" if self.is_of_order else "the code changed, or does not"
        return f"{what} do the same each time: {'; '.join(parts)}"

    def as_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Diagnosis":
        several = {name: tuple(Call(**call) for call in data.get(name, ())) for name in ("missing", "new", "abandoned")}
        one = {name: Call(**data[name]) for name in ("skipped", "late", "early") if name in data}
        changed = tuple(Change(**{**change, "call": Call(**change["call"])}) for change in data.get("changed", ()))
        outcomes = tuple(data["outcomes"]) if "outcomes" in data else None
        mixed = tuple(Call(**call) for call in data["mixed"]) if "mixed" in data else None
        return cls(**several, **one, changed=changed, outcomes=outcomes, mixed=mixed)  # type: ignore[arg-type]  # as in the fields


def _listed(calls: Sequence[str]) -> str:
    more = [f"{len(calls) - _LISTED} more"] if len(calls) > _LISTED else []
    *first, last = [*calls[:_LISTED], *more]
    return f"{', '.join(first)} and {last}" if first else last


def _were(calls: Sequence[Call]) -> str:
    return "was" if len(calls) == 1 else "were"
