"""Which phases must be rehearsed together, because criteria read what others of them found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pytest_rollout.model.plan import Criterion, Phase, Plan


def reach(plan: Plan, phase: Phase, names: Iterable[str]) -> tuple[Phase, ...]:
    """The phase with all that some of its criteria roll up, through all levels, in plan order."""
    wanted = set(names)
    found = {phase.id}
    todo = [(phase, one) for one in phase.criteria if one.id in wanted]
    done: set[tuple[str, str]] = set()
    while todo:
        where, criterion = todo.pop()
        if (where.id, criterion.id) in done:
            continue
        done.add((where.id, criterion.id))
        further = list(_read(plan, where, criterion))
        found |= {other.id for other, _ in further}
        todo += further
    return tuple(one for one in plan.phases if one.id in found)


def judged(plan: Plan, phase: Phase, rehearsed: Iterable[Phase]) -> frozenset[str]:
    """The criteria and guardrails of a phase that such a rehearsal can judge, by id."""
    ids = {one.id for one in rehearsed}
    whole = (
        criterion.id
        for criterion in phase.criteria
        if {needed.id for needed in reach(plan, phase, [criterion.id])} <= ids
    )
    return frozenset((*whole, *(guardrail.id for guardrail in phase.guardrails)))


def _read(plan: Plan, phase: Phase, criterion: Criterion) -> Iterator[tuple[Phase, Criterion]]:
    """The criteria whose findings one reads: members of its group, and what it rolls up."""
    members = {name for name, _ in criterion.of.members} if criterion.of else set()
    yield from ((phase, one) for one in phase.criteria if one.id in members)
    for led in criterion.rolls_up:
        other = next(one for one in plan.phases if one.id == led.phase)
        for one in other.of(led.gate):
            if led.criterion in (None, one.id):
                yield other, one
