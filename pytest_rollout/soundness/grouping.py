"""Remarks on criteria that are made of others, and on when conditions are due."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pytest_rollout.model.plan import Criterion, Gate, Phase, Plan
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.soundness import extremes
from pytest_rollout.soundness.extremes import GOOD
from pytest_rollout.soundness.sample_sets import beyond
from pytest_rollout.soundness.subject import About, Remark
from pytest_rollout.soundness.words import told

_SCORE = "state a score between 0 and 100 that depends on the members"


def of_group(about: About) -> Iterator[Remark]:
    """Yield a remark on a group that no members can fail, or that none can make pass."""
    names = _members(about)
    best = extremes.of_group(about, dict.fromkeys(names, Verdict.PASS))
    worst = extremes.of_group(about, dict.fromkeys(names, Verdict.FAIL))
    if best.verdict not in GOOD:
        yield about.remark(f"can never pass: with all members passing {told(best.reason)}", _SCORE)
    if worst.verdict is not Verdict.FAIL:
        yield about.remark(f"can never fail: with all members failing {told(worst.reason)}", _SCORE)
        return
    sure = [name for name in names if _never_fails(about, name)]
    rest = {name: Verdict.PASS if name in sure else Verdict.FAIL for name in names}
    if extremes.of_group(about, rest).verdict in GOOD:
        which, fix = (
            ("which never fails, makes", "have it able to fail, or leave it out")
            if len(sure) == 1
            else ("which never fail, make", "have them able to fail, or leave them out")
        )
        remark = f"can never fail: {' and '.join(sure)}, {which} it pass whatever others do"
        yield about.remark(remark, fix)


def _members(about: About) -> tuple[str, ...]:
    group = about.stated.of if isinstance(about.stated, Criterion) else None
    return tuple(name for name, _ in group.members) if group else ()


def _never_fails(about: About, name: str) -> bool:
    """Whether a member passes at worst: by its rule in each scope, or by its own members."""
    stated = next(stated for stated in about.phase.criteria if stated.id == name)
    member = replace(about, stated=stated)
    if stated.rule is not None and beyond(stated.rule):
        return False
    if stated.rule is not None:
        ends = extremes.of_rule(member.ageless, stated.rule)
        return all(end.worst.verdict in GOOD for end in ends)
    names = _members(member)
    worst = {
        inner: Verdict.PASS if _never_fails(member, inner) else Verdict.FAIL for inner in names
    }
    return bool(names) and extremes.of_group(member, worst).verdict in GOOD


def due(about: About) -> Iterator[Remark]:
    """Yield a remark on a condition of a GO that falls due no later than the GO itself."""
    stated, plan, phase = about.stated, about.plan, about.phase
    address = stated.due_gate if isinstance(stated, Criterion) else None
    if not isinstance(stated, Criterion) or address is None or address.plan != plan.id:
        return
    same = address.phase == phase.id
    later = same and stated.gate is Gate.ENTRY and address.gate is Gate.EXIT
    if (same and not later) or address.phase in _before(plan, phase):
        own = str(plan.address(phase.id, stated.gate))
        remark = f"is due at {address}, which is decided no later than its own gate, {own}"
        yield about.remark(f"{remark}: a circle", "name a gate that comes after")


def _before(plan: Plan, phase: Phase) -> set[str]:
    """The phases that are required by one, through others too."""
    before: set[str] = set()
    todo = list(phase.requires)
    while todo:
        name = todo.pop()
        earlier = plan.phase(name)
        if name not in before and earlier is not None:
            todo += earlier.requires
        before.add(name)
    return before
