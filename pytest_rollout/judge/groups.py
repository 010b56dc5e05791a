"""A criterion that is made of others: all of them, any of them, or a score."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from pytest_rollout.judge import reasons
from pytest_rollout.judge.intervals import band
from pytest_rollout.judge.telling import several
from pytest_rollout.model.finding import Fact, Finding, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.numbers import exact_text
from pytest_rollout.model.plan import Criterion
from pytest_rollout.model.rule import Group, Need
from pytest_rollout.model.verdict import Verdict, worst

_UNKNOWN = (Verdict.ERROR, Verdict.MISSING, Verdict.INCONCLUSIVE)
# What a member earns of its weight; half between target and breach, as Keptn has it.
_EARNED = {Verdict.PASS: Fraction(1), Verdict.WARN: Fraction(1), Verdict.HOLD: Fraction(1, 2)}


def judge_group(criterion: Criterion, full: str, members: Mapping[str, Finding]) -> Finding:
    """Judge a group from the findings of its members, which a plan names by their slugs."""
    group = criterion.of
    assert group is not None
    parts = tuple(
        Part(Subject(SubjectKind.MEMBER, name), members[name].verdict, members[name].reason)
        for name, _ in group.members
    )
    applied = [part for part in parts if part.verdict is not Verdict.NOT_APPLICABLE]
    verdict, reason = _verdict(group, applied)
    return Finding(
        id=full,
        verdict=verdict,
        reason=reason,
        says=criterion.says,
        severity=criterion.severity.value,
        kind=criterion.kind.value,
        allowed=reasons.allowed(group.bands)
        if group.bands
        else f"{group.need.value} of its members",
        parts=parts,
    )


def in_order(stated: Sequence[Criterion]) -> list[Criterion]:
    """Return criteria with the members of each group before it; each at most once."""
    ordered: dict[str, Criterion] = {}
    for _ in stated:  # at least one becomes ready each time, where there is no circle
        for criterion in stated:
            members = criterion.of.members if criterion.of else ()
            if criterion.id not in ordered and all(name in ordered for name, _ in members):
                ordered[criterion.id] = criterion
        if len(ordered) == len(stated):
            break
    return list(ordered.values())


def _verdict(group: Group, parts: list[Part]) -> tuple[Verdict, Reason]:
    if not parts:
        return Verdict.NOT_APPLICABLE, Reason("group.none-applies")
    if group.need is Need.SCORE:
        return _score(group, parts)
    if group.need is Need.ANY:
        verdict = max((part.verdict for part in parts), key=lambda verdict: verdict.rank)
    else:
        verdict = worst(part.verdict for part in parts)
    return verdict, several([part for part in parts if part.verdict is verdict])


def _score(group: Group, parts: list[Part]) -> tuple[Verdict, Reason]:
    """Failing key members fail it; what is not known of one is not known of the score."""
    assert group.bands is not None
    weights = dict(group.members)
    total = sum(weights[part.subject.ref] for part in parts)
    earned = sum(
        weights[part.subject.ref] * _EARNED.get(part.verdict, Fraction(0)) for part in parts
    )
    score: dict[str, Fact] = {
        "score": exact_text(100 * Fraction(earned) / total),
        "pass": group.bands.passes.text,
        "lost": tuple(part.subject.ref for part in parts if _EARNED.get(part.verdict) != 1),
    }
    keys = [p for p in parts if p.subject.ref in group.key and p.verdict is Verdict.FAIL]
    if keys:
        return Verdict.FAIL, Reason("score.key", score | {"key": keys[0].subject.ref})
    best = earned + sum(weights[p.subject.ref] for p in parts if p.verdict in _UNKNOWN)
    verdict = band(group.bands, 100 * Fraction(best) / total)
    unknown = [part for part in parts if part.verdict in _UNKNOWN]
    if unknown and verdict is not Verdict.FAIL:
        facts_ = score | {"member": unknown[0].subject.ref, "reason": unknown[0].reason}
        return worst(part.verdict for part in unknown), Reason("score.unknown", facts_)
    return verdict, Reason("score", score)
