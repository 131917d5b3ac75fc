"""`crash_everywhere`: the process dies at every point there is, and the workflow must end the same each time."""

import logging
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cfworkflows_emulator.engine.journal.entries import EntryType
from cfworkflows_emulator.testing.blueprint import Blueprint, Target
from cfworkflows_emulator.testing.divergences import assert_deterministic
from cfworkflows_emulator.testing.points import Point
from cfworkflows_emulator.testing.records import running
from cfworkflows_emulator.testing.stories import story
from cfworkflows_emulator.testing.trial import Events, Outcome, Plan, Trial
from cfworkflows_emulator.testing.waiting import StalledError
from cfworkflows_emulator.tracebacks import shown_path

MAX_POINTS = 1_000
_ENGINE_LOG = "cfworkflows.engine"


@dataclass(frozen=True, slots=True)
class RepeatedEffect:
    """A callback that ran again, because the process died before its result was stored; `str()` tells of it.

    `step` is the name of the step, `workflow` that of its workflow. It ran `times` in all where it should have run
    once, when the process died at `point`. `at` is the `file:line` of the step. With `undoes` it is the step's rollback
    handler that ran.
    """

    step: str
    workflow: str
    times: int
    point: Point
    at: str | None
    undoes: bool = False

    def __str__(self) -> str:
        what = f'the rollback handler of "{self.step}"' if self.undoes else f'"{self.step}"'
        own = self.point.kind == "after" and self.point.step is not None and self.point.undoes == self.undoes
        if own and str(self.point.step).rpartition("-")[0] == self.step:
            when = "after its callback and before its result was stored"
        else:
            when = f"while its callback ran, {self.point}"
        at = f"; {shown_path(self.at)}" if self.at is not None else ""
        return f"{what} ran {self.times}× when the process died {when}{at}"  # noqa: RUF001 - that sign is meant


@dataclass(frozen=True, slots=True)
class CrashReport:
    """What `crash_everywhere` found; `str()` is what pytest prints.

    The process died at each of `points`; `missed` are those that a second run did not come to again. `total` is how
    many there were. `repeated` are the effects that can happen twice, each step once, without those said to be
    idempotent.
    """

    workflow: str
    outcome: Outcome
    total: int
    points: list[Point] = field(default_factory=list)
    missed: list[Point] = field(default_factory=list)
    repeated: list[RepeatedEffect] = field(default_factory=list)

    def __str__(self) -> str:
        some = f" of {self.total:,}" if len(self.points) + len(self.missed) < self.total else ""
        lines = [f"The process died at {len(self.points):,}{some} points, and each time the end was the same: it is"]
        lines[0] += f" {self.outcome.status}."
        if self.missed:
            lines.append("Points that a second run did not come to again:")
            lines += [f"- {point}" for point in self.missed]
        if self.repeated:
            lines.append("Effects that can happen twice. Make them idempotent, and name them in `idempotent`:")
            lines += [f"- {effect}" for effect in self.repeated]
        else:
            lines.append("No effect can happen twice, but for those said to be idempotent.")
        return "\n".join(lines)


async def crash_everywhere(
    workflow: Target,
    params: Any = None,
    *,
    id: str = "crash",
    events: Events | None = None,
    env: Mapping[str, Any] | None = None,
    idempotent: Collection[str] = (),
    reset: Callable[[], object] | None = None,
    check_determinism: bool = True,
    max_points: int = MAX_POINTS,
) -> CrashReport:
    """Let the process die at every point of a workflow's run, and check that it ends as it does undisturbed.

        report = await crash_everywhere(OrderWorkflow, {"amount": 5}, events={"approval": {"approved": True}})

    The workflow runs once undisturbed; then once for each commit of the journal, for each callback before it starts,
    and for each after it ended and before its result is stored. There the engine is stopped, nothing more is written,
    and another one goes on over the same store. The time is virtual. All of it is apart from the test's own `env`.

    `workflow` is a class, `FakeEnv.workflow(cls, …)` or a binding of the test kit (`env.ORDERS`), which brings its
    environment; else `env` has the other bindings, as for FakeEnv. `events` has a payload for each type that is to be
    answered, whenever something waits for it; or is a coroutine function `drive(instance)`, called when the instance
    waits for events, once for each set of waits in the life of a process. `reset()`, which may be a coroutine function,
    puts the outside world back before each run. `idempotent` names steps that may run twice. `params` is an empty
    object by default. Of more than `max_points` points as many are taken, evenly spread.

    Raises AssertionError if the end is another one, with the point and both timelines, or if a replay differs
    (`check_determinism`); StalledError if the workflow does not end undisturbed; ValueError for an event or a step
    that did not come up; and what the workflow's own assertions raise.
    """
    __tracebackhide__ = True
    blueprint = Blueprint.of(workflow, env)
    plan = Plan(blueprint, id, {} if params is None else params, {} if events is None else events, reset)
    undisturbed = Trial(plan)
    differences = await undisturbed.run(check_determinism=check_determinism)
    assert_deterministic(differences)
    _check_events(plan, undisturbed)
    if undisturbed.outcome is None:
        raise RuntimeError("The undisturbed run has no outcome.")
    points = list(dict.fromkeys(undisturbed.points))
    report = CrashReport(blueprint.name, undisturbed.outcome, len(points))
    effects: dict[tuple[str, str, bool], RepeatedEffect] = {}
    with _quiet():
        for point in _spread(points, max_points):
            trial = Trial(plan, point)
            await _compare(trial, undisturbed)
            (report.points if trial.died else report.missed).append(point)
            for effect in _effects(trial, undisturbed):
                key = (effect.workflow, effect.step, effect.undoes)
                if key not in effects or _worse(effect, effects[key]):
                    effects[key] = effect
    _check_idempotent(idempotent, undisturbed)
    report.repeated.extend(effect for effect in effects.values() if effect.step not in idempotent)
    running().sections.append((f"crash_everywhere {blueprint.name}", str(report)))
    return report


async def _compare(trial: Trial, undisturbed: Trial) -> None:
    __tracebackhide__ = True
    try:
        await trial.run()
        what = f"it was {trial.outcome}"
    except StalledError as error:
        what = f"it did not end: {error}"
    except BaseException as error:
        error.add_note(f"It came when the process had died {trial.point}." if trial.died else "No process had died.")
        raise
    if trial.outcome != undisturbed.outcome:
        died = f"the process died {trial.point}" if trial.died else f"no process died (it never came to {trial.point})"
        raise AssertionError(
            f"When {died}, {what}.\nUndisturbed it was {undisturbed.outcome}.\n\n"
            f"With the death:\n{_story(trial)}\n\nUndisturbed:\n{_story(undisturbed)}"
        )


def _effects(trial: Trial, undisturbed: Trial) -> Iterator[RepeatedEffect]:
    if trial.point is None:
        return
    for callback in sorted(trial.repeated):
        instance, step, undoes = callback
        workflow, at = trial.workflows[instance], trial.places.get((instance, step))
        times = trial.calls[callback] - max(undisturbed.calls[callback], 1) + 1
        yield RepeatedEffect(step.rpartition("-")[0], workflow, max(times, 2), trial.point, at, undoes)


def _worse(one: RepeatedEffect, other: RepeatedEffect) -> bool:
    """Whether `one` is the better example: it ran more often, or the point is its own."""

    def own(effect: RepeatedEffect) -> bool:
        return effect.point.kind == "after" and str(effect.point.step).rpartition("-")[0] == effect.step

    return (one.times, own(one)) > (other.times, own(other))


def _story(trial: Trial) -> str:
    stories = [(f"{workflow}/{id}", entries) for _, (workflow, id, entries) in sorted(trial.journals.items())]
    if len(stories) == 1:
        return story(stories[0][1])
    return "\n".join(f"{title}\n{story(entries)}" for title, entries in stories) or "(nothing is known)"


def _check_events(plan: Plan, undisturbed: Trial) -> None:
    if isinstance(plan.events, Mapping) and (unused := sorted(plan.events.keys() - undisturbed.answered)):
        raise ValueError(f'Nothing waited for the event "{unused[0]}". {_waits(undisturbed)}')


def _waits(trial: Trial) -> str:
    types = {
        str(entry.data["eventType"])
        for _, _, entries in trial.journals.values()
        for entry in entries
        if entry.type == EntryType.WAIT_STARTED
    }
    return f"What was waited for: {', '.join(sorted(types)) or 'nothing'}."


def _check_idempotent(idempotent: Collection[str], undisturbed: Trial) -> None:
    if isinstance(idempotent, str):
        raise TypeError(f"idempotent is a list of step names: [{idempotent!r}].")
    ran = {step.rpartition("-")[0] for _, step, _ in undisturbed.calls}
    if unknown := [name for name in idempotent if name not in ran]:
        raise ValueError(
            f'No step called "{unknown[0]}" ran, so it cannot be idempotent: {", ".join(sorted(ran))} did.'
        )


def _spread(points: Sequence[Point], most: int) -> Sequence[Point]:
    return points if len(points) <= most else [points[index * len(points) // most] for index in range(most)]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without the engine's log: what it says of the undisturbed run would come again for each point."""
    log = logging.getLogger(_ENGINE_LOG)

    def refuse(record: logging.LogRecord) -> bool:
        return False

    log.addFilter(refuse)
    try:
        yield
    finally:
        log.removeFilter(refuse)
