"""What a waiver does to a criterion that does not hold.

A limit is another cut on the same estimate, so the rule is judged once more with that cut
alone: what passes then, and failed or held before, is waived. Without a limit the cut admits
every value; holes and too few samples still do not pass it, so no waiver stands for evidence.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pytest_rollout import calendar
from pytest_rollout.judge.criteria import summed
from pytest_rollout.judge.demands import release_of
from pytest_rollout.judge.rules import judge
from pytest_rollout.model.decision import Finding, Part
from pytest_rollout.model.evidence import World
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.model.rule import Bands, Cut, Rule
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.model.waiver import Use, Waived, Waiver, Waives

_BAD = (Verdict.FAIL, Verdict.HOLD)
_BEYOND_ALL = Fraction(10**6000)  # more than anything that can be stored adds up to


def waive(
    plan: Plan, phase: Phase, criterion: Criterion, finding: Finding, world: World, at_us: int
) -> tuple[Finding, tuple[Waived, ...]]:
    """The finding with its waiver, if one is in force, and what became of each waiver of it."""
    uses = []
    for waiver in plan.waivers_of(Waives.CRITERION, phase.id, criterion.id):
        finding, use = _used(plan, criterion, finding, waiver, world, at_us)
        uses.append(waiver.kept(finding.id, use))
    return finding, tuple(uses)


def _used(
    plan: Plan, criterion: Criterion, finding: Finding, waiver: Waiver, world: World, at_us: int
) -> tuple[Finding, Use]:
    if not finding.verdict.holds_back:
        return finding, Use.UNNEEDED
    if waiver.release is not None and waiver.release != release_of(world.run):
        return _noted(finding, f"a waiver of release {waiver.release} does not apply"), Use.OTHER
    if calendar.end_of_day(waiver.until, plan.timezone) <= world.run.ended_us:
        return _noted(finding, f"its waiver expired at the end of {waiver.until}"), Use.EXPIRED
    within = _within(plan, criterion.rule, waiver, world, at_us)
    changed = summed(finding, tuple(_part(part, waiver, within) for part in finding.parts))
    if changed.verdict is Verdict.WAIVED:
        return _noted(changed, f"waived {waiver.terms}"), Use.APPLIED
    return _noted(changed, "its waiver does not cover this"), Use.SHORT


def _noted(finding: Finding, note: str) -> Finding:
    return replace(finding, because=f"{finding.because}; {note}")


def _within(
    plan: Plan, rule: Rule | None, waiver: Waiver, world: World, at_us: int
) -> frozenset[str]:
    """The groups whose estimate satisfies what is waived."""
    if rule is None:
        return frozenset()
    lax = replace(rule, bands=Bands(passes=waiver.limit or _any(rule.bands.passes)))
    parts = judge(lax, world, at_us, plan)
    return frozenset(part.name for part in parts if part.verdict is Verdict.PASS)


def _any(passes: Cut) -> Cut:
    """A cut that faces as another one does and admits every value."""
    limit = -_BEYOND_ALL if passes.upward else _BEYOND_ALL
    return Cut(">=" if passes.upward else "<=", limit, "any value")


def _part(part: Part, waiver: Waiver, within: frozenset[str]) -> Part:
    """A part that is bad, if the waiver covers it; a check has no estimate to be limited."""
    open_ = part.verdict is Verdict.INCONCLUSIVE and part.estimate and part.name in within
    if part.verdict not in _BAD and not open_:  # what a bound or a row leaves open is no worse
        return part
    limit = waiver.limit
    covered = part.name in within if part.estimate else limit is None
    because = f"{part.because}, with its waiver {limit.text}" if limit else part.because
    return replace(part, verdict=Verdict.WAIVED if covered else part.verdict, because=because)
