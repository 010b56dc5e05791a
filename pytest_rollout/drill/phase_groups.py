"""Which phases must be rehearsed together, because criteria read what others of them found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_rollout.model.plan import Criterion, Phase, Plan


def reach(plan: Plan, phase: Phase, names: Iterable[str]) -> tuple[Phase, ...]:
    """The phase with all that some of its criteria roll up, through all levels, in plan order."""
    wanted = set(names)
    reached = {phase.id}
    todo = [(phase, criterion) for criterion in phase.criteria if criterion.id in wanted]
    done: set[tuple[str, str]] = set()
    while todo:
        where, criterion = todo.pop()
        if (where.id, criterion.id) in done:
            continue
        done.add((where.id, criterion.id))
        further = list(_read(plan, where, criterion))
        reached |= {further_phase.id for further_phase, _ in further}
        todo += further
    return tuple(stated for stated in plan.phases if stated.id in reached)


def judged(plan: Plan, phase: Phase, rehearsed: Iterable[Phase]) -> frozenset[str]:
    """The criteria and guardrails of a phase that such a rehearsal can judge, by id."""
    ids = {stated.id for stated in rehearsed}
    whole = (
        criterion.id
        for criterion in phase.criteria
        if {needed.id for needed in reach(plan, phase, [criterion.id])} <= ids
    )
    return frozenset((*whole, *(guardrail.id for guardrail in phase.guardrails)))


def _read(plan: Plan, phase: Phase, criterion: Criterion) -> Iterator[tuple[Phase, Criterion]]:
    """The criteria whose findings one reads: members of its group, and what it rolls up."""
    members = {name for name, _ in criterion.of.members} if criterion.of else set()
    yield from ((phase, stated) for stated in phase.criteria if stated.id in members)
    for led in criterion.rolls_up:
        led_phase = next(stated for stated in plan.phases if stated.id == led.phase)
        for led_criterion in led_phase.of(led.gate):
            if led.criterion in (None, led_criterion.id):
                yield led_phase, led_criterion
