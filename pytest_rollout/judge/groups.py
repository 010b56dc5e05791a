"""A criterion that is made of others: all of them, any of them, or a score."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from pytest_rollout.judge import words
from pytest_rollout.judge.assess import band
from pytest_rollout.judge.numbers import decimal
from pytest_rollout.model.decision import Finding, Part
from pytest_rollout.model.plan import Criterion
from pytest_rollout.model.rule import Group, Need
from pytest_rollout.model.verdict import Verdict, worst

_UNKNOWN = (Verdict.ERROR, Verdict.MISSING, Verdict.INCONCLUSIVE)
# What a member earns of its weight; half between target and breach, as Keptn has it.
_EARNED = {Verdict.PASS: Fraction(1), Verdict.WARN: Fraction(1), Verdict.HOLD: Fraction(1, 2)}


def judge_group(criterion: Criterion, full: str, members: Mapping[str, Finding]) -> Finding:
    """The finding of a group from those of its members, which a plan names by their slugs."""
    group = criterion.of
    assert group is not None
    parts = tuple(
        Part(name, members[name].verdict, members[name].because) for name, _ in group.members
    )
    applied = [part for part in parts if part.verdict is not Verdict.NOT_APPLICABLE]
    verdict, because = _verdict(group, applied)
    return Finding(
        id=full,
        verdict=verdict,
        because=because,
        says=criterion.says,
        severity=criterion.severity.value,
        kind=criterion.kind.value,
        allowed=_allowed(group),
        parts=parts,
    )


def _allowed(group: Group) -> str:
    return words.allowed(group.bands) if group.bands else f"{group.need.value} of its members"


def _verdict(group: Group, parts: list[Part]) -> tuple[Verdict, str]:
    if not parts:
        return Verdict.NOT_APPLICABLE, "none of its members applies"
    if group.need is Need.SCORE:
        return _score(group, parts)
    if group.need is Need.ANY:
        verdict = max((part.verdict for part in parts), key=lambda one: one.rank)
    else:
        verdict = worst(part.verdict for part in parts)
    telling = [part for part in parts if part.verdict is verdict]
    return verdict, words.joined([f"{part.name}: {part.because}" for part in telling])


def _score(group: Group, parts: list[Part]) -> tuple[Verdict, str]:
    """Failing key members fail it; what is not known of one is not known of the score."""
    assert group.bands is not None
    weights = dict(group.members)
    total = sum(weights[part.name] for part in parts)
    earned = sum(weights[part.name] * _EARNED.get(part.verdict, Fraction(0)) for part in parts)
    score = 100 * Fraction(earned) / total
    lost = [part.name for part in parts if _EARNED.get(part.verdict) != 1]
    text = f"the score is {decimal(score)} of 100, allowed {group.bands.passes.text}"
    text += f"; not earned in full: {', '.join(lost)}" if lost else ""
    keys = [one for one in parts if one.name in group.key and one.verdict is Verdict.FAIL]
    if keys:
        return Verdict.FAIL, f"key member {keys[0].name} fails; {text}"
    best = earned + sum(weights[part.name] for part in parts if part.verdict in _UNKNOWN)
    verdict = band(group.bands, 100 * Fraction(best) / total)
    unknown = [part for part in parts if part.verdict in _UNKNOWN]
    if unknown and verdict is not Verdict.FAIL:
        verdict = worst(part.verdict for part in unknown)
        return verdict, f"{unknown[0].name}: {unknown[0].because}; {text}"
    return verdict, text
