"""What a waiver does to a criterion that does not hold.

A limit is another cut on the same estimate, so the rule is judged once more with that cut
alone: what passes then, and failed or held before, is waived. Without a limit the cut admits
every value; holes and too few samples still do not pass it, so no waiver stands for evidence.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.criteria import summed
from pytest_rollout.judge.rules import judge
from pytest_rollout.model.finding import Fact, Finding, Part, Reason, Subject
from pytest_rollout.model.plan import Criterion
from pytest_rollout.model.rule import Bands, Cut
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.model.waiver import Waived, Waiver, WaiverUse, Waives

_BAD = (Verdict.FAIL, Verdict.HOLD)
_BEYOND_ALL = Fraction(10**6001)  # more than anything that can be stored adds up to


def waive(case: Case, criterion: Criterion, finding: Finding) -> tuple[Finding, tuple[Waived, ...]]:
    """Return the finding with its waiver, if one is in force, and what became of each waiver."""
    uses = []
    for waiver in case.plan.waivers_of(Waives.CRITERION, case.phase.id, criterion.id):
        finding, use = _used(case, criterion, finding, waiver)
        uses.append(waiver.kept(finding.id, use))
    return finding, tuple(uses)


def _used(
    case: Case, criterion: Criterion, finding: Finding, waiver: Waiver
) -> tuple[Finding, WaiverUse]:
    if not finding.verdict.holds_back:
        return finding, WaiverUse.UNNEEDED
    if waiver.release is not None and waiver.release != case.release:
        return _noted(finding, "waiver.other-release", release=waiver.release), WaiverUse.OTHER
    if calendar.end_of_day(waiver.until, case.plan.timezone) <= case.world.run.ended_us:
        return _noted(finding, "waiver.expired", until=waiver.until.isoformat()), WaiverUse.EXPIRED
    within = _within(case, criterion, waiver)
    changed = summed(finding, tuple(_part(part, waiver, within) for part in finding.parts))
    if changed.verdict is not Verdict.WAIVED:
        return _noted(changed, "waiver.short"), WaiverUse.SHORT
    terms: dict[str, Fact] = {
        "until": waiver.until.isoformat(),
        "approver": waiver.approver,
        "why": waiver.reason,
    }
    return _noted(changed, "waived", **terms), WaiverUse.APPLIED


def _noted(finding: Finding, code: str, **facts: Fact) -> Finding:
    return replace(finding, reason=Reason(code, {"reason": finding.reason, **facts}))


def _within(case: Case, criterion: Criterion, waiver: Waiver) -> list[Subject]:
    """The groups whose estimate satisfies what is waived."""
    rule = criterion.rule
    if rule is None:
        return []
    lax = replace(rule, bands=Bands(passes=waiver.limit or _any(rule.bands.passes)))
    parts = judge(lax, case, criterion.max_age_us)
    return [part.subject for part in parts if part.verdict is Verdict.PASS]


def _any(passes: Cut) -> Cut:
    """A cut that faces as another one does and admits every value."""
    limit = -_BEYOND_ALL if passes.upward else _BEYOND_ALL
    return Cut(">=" if passes.upward else "<=", limit, "any value")


def _part(part: Part, waiver: Waiver, within: list[Subject]) -> Part:
    """A part that is bad, if the waiver covers it; a check has no estimate to be limited."""
    inside, limit = part.subject in within, waiver.limit
    open_ = part.verdict is Verdict.INCONCLUSIVE and part.estimate and inside
    if part.verdict not in _BAD and not open_:  # what a bound or a row leaves open is no worse
        return part
    covered = inside if part.estimate else limit is None
    verdict = Verdict.WAIVED if covered else part.verdict
    if limit is None:
        return replace(part, verdict=verdict)
    reason = Reason("waiver.limit", {"reason": part.reason, "limit": limit.text})
    return replace(part, verdict=verdict, reason=reason)
