"""The finding of one rule over the observations of a world: a part for each group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from pytest_rollout.judge import endpoints, kayenta, nights, reasons
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.compare import NO_RATIO, compare
from pytest_rollout.judge.domain import admitted
from pytest_rollout.judge.folds import absent_part, fold, subject_of
from pytest_rollout.judge.intervals import Interval, band, banded
from pytest_rollout.judge.series import (
    Groups,
    Sides,
    aged,
    grouped,
    once,
    opportunities,
    other_side,
    own_side,
    resolved,
)
from pytest_rollout.judge.slices import Reach, Slice, slices
from pytest_rollout.judge.takes import tallied, weighted
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.model.finding import Part, Reason
from pytest_rollout.model.rule import Rule, ScopeKind, Take
from pytest_rollout.model.verdict import Verdict

_GOOD = (Verdict.PASS, Verdict.WARN)


def judge(stated: Rule, case: Case, max_age_us: int | None = None) -> tuple[Part, ...]:
    """Return one part for each group of the rule, never none.

    ``max_age_us`` is the criterion's own limit on the age of evidence.
    """
    rule = resolved(stated, case)
    terms = terms_of(rule, case)
    groups = sides_of(rule, case, case.oldest_us(max_age_us))
    reach = Reach.of(case)
    if rule.nightly is not None:
        parts, absent = nights.of_nights(rule, groups, case)
    elif rule.per is None and rule.streak is None:
        judged, absent = slices(rule, groups, reach)
        parts = [judge_slice(rule, slice_, terms) for slice_ in judged]
    else:
        parts, absent = fold(rule, groups, reach, terms, partial(judge_slice, rule, terms=terms))
    parts = [_plain(_capped(part, rule, groups, case)) for part in parts]
    parts = [endpoints.named(part, rule, case) for part in parts]
    parts += _only_strays(rule, groups, parts, case)
    parts += [absent_part(rule, item) for item in absent]
    if rule.in_theorem:
        return tuple(parts)
    return tuple(replace(p, reason=Reason("outside-theorem", {"reason": p.reason})) for p in parts)


def terms_of(rule: Rule, case: Case) -> Terms:
    """Return what a criterion's rule is judged under."""
    level = level_of(rule, case.looks)
    return Terms(case.plan.timezone, level, looks=case.looks, again=not case.embedded)


def level_of(rule: Rule, looks: int) -> float:
    """Return the level of the k-th look: halved with each, so that looking again buys nothing."""
    return float(rule.confidence.level) * 2.0 ** -(looks - 1) if rule.confidence else 0.0


def sides_of(rule: Rule, case: Case, oldest_us: int = 0) -> Groups:
    """Return what was seen of each group, on both sides; what the rule cannot take is a hole."""
    own, other = own_side(rule, case), other_side(rule, case)
    run = case.world.run.id
    if rule.nightly is not None:  # what earlier nights saw only speaks against this one
        if oldest_us:
            mine = aged(once(seen for seen in own if seen.run == run), oldest_us, by_record=False)
            own = [*mine, *(seen for seen in own if seen.run != run)]
    elif rule.per is None and all(scope.kind is ScopeKind.RUN for scope in rule.scopes):
        own = [seen for seen in own if seen.run == run]
    if oldest_us and rule.nightly is None:
        matured = any(scope.kind is ScopeKind.AGE for scope in rule.scopes)  # old on purpose
        by_record = case.embedded or matured
        own = list(aged(once(own), oldest_us, by_record=by_record))
        fixed = rule.versus is not None and rule.versus.fixed
        if not fixed:
            other = list(aged(once(other), oldest_us, by_record=by_record))
    taken = admitted(rule, own), admitted(rule, other, other=True)
    return grouped(rule, *taken, case.at_us)


def _capped(part: Part, rule: Rule, groups: Groups, case: Case) -> Part:
    """At best inconclusive where samples may belong to any look, or to none."""
    sides = groups.get(part.subject.labels, Sides())
    if not sides.unplaced or part.verdict in (Verdict.FAIL, Verdict.ERROR):
        return part
    reason = reasons.unplaced(rule, sides, case)
    return replace(part, verdict=Verdict.INCONCLUSIVE, reason=reason)


def _plain(part: Part) -> Part:
    """A part whose estimate says only of a pass what it would have caught."""
    if part.estimate is None or part.verdict in _GOOD:
        return part
    more = part.estimate.more if part.reason.code == "open" else None
    return replace(part, estimate=replace(part.estimate, catches=None, more=more))


def _only_strays(rule: Rule, groups: Groups, parts: Sequence[Part], case: Case) -> Iterator[Part]:
    """The parts of groups of which nothing is known but samples that may belong to any look."""
    judged = {part.subject.labels for part in parts}
    for group, sides in groups.items():
        if sides.unplaced and group not in judged:
            reason = reasons.unplaced(rule, sides, case)
            yield Part(subject_of(group), Verdict.INCONCLUSIVE, reason)


def assess(
    rule: Rule, slice_: Slice, terms: Terms, *, harmful: bool | None = None
) -> Assessed | Reason:
    """Return the verdict on the values of a slice, or why they have none.

    Holes are left out, or filled with what harms or helps most.
    """
    if rule.versus is not None:
        return _compared(rule, slice_, terms, harmful=harmful)
    tally = tallied(rule, slice_.own, slice_.scope, terms, harmful=harmful)
    point = tally.point()
    if point is None:
        return Reason("nothing")
    if rule.tolerate is not None or (rule.confidence is not None and terms.watched):
        return Assessed(Verdict.FAIL if tally.fails() else Verdict.PASS, point)
    if rule.confidence is None:
        return Assessed(band(rule.bands, point.value), point)
    bound = tally.interval()
    return Reason("nothing") if bound is None else Assessed(banded(rule.bands, bound), point, bound)


def _compared(
    rule: Rule, slice_: Slice, terms: Terms, *, harmful: bool | None
) -> Assessed | Reason:
    assert rule.versus is not None
    if rule.versus.kayenta:
        return _by_kayenta(rule, slice_, terms)
    gap = compare(rule, slice_, terms, harmful=harmful)
    if isinstance(gap, Reason):
        return gap
    if gap.bound is None:
        return Assessed(band(rule.bands, gap.difference), gap.point, None, gap.difference)
    return Assessed(banded(rule.bands, gap.bound), gap.point, gap.bound, gap.difference)


def _by_kayenta(rule: Rule, slice_: Slice, terms: Terms) -> Assessed | Reason:
    """Failed where the test finds a harmful shift, unless the ratio of means is allowed."""
    values, others = weighted(slice_.own), weighted(slice_.other)
    point = tallied(rule, slice_.own, slice_.scope, terms).point()
    if point is None or not others:
        return Reason("nothing", {"other": point is not None})
    classified = kayenta.classify(values, others)
    shifted = classified.low if rule.bands.passes.upward else classified.high
    allowed = classified.effect is not None and rule.bands.passes.holds(classified.effect)
    verdict = Verdict.FAIL if shifted and not allowed else Verdict.PASS
    return Assessed(verdict, point, Interval(None, None, kayenta.METHOD), classified.effect)


def judge_slice(rule: Rule, slice_: Slice, terms: Terms) -> Part:
    """Return the part of one group; a hole caps it at inconclusive, unless it fails anyway."""
    subject = subject_of(slice_.group)
    if slice_.n < slice_.need:
        verdict = Verdict.INCONCLUSIVE if slice_.n else Verdict.MISSING
        return Part(subject, verdict, reasons.few(rule, slice_))
    if lacking := _other_lacks(rule, slice_):
        return Part(subject, *lacking)
    assessed = assess(rule, slice_, terms)
    if isinstance(assessed, Reason):
        if slice_.holes:
            return Part(subject, Verdict.INCONCLUSIVE, reasons.holes(rule, slice_))
        verdict = Verdict.INCONCLUSIVE if assessed == NO_RATIO else Verdict.ERROR
        return Part(subject, verdict, assessed)
    estimate = reasons.estimated(rule, assessed, terms)
    if slice_.holes and not fails_anyway(rule, slice_, terms):
        return Part(subject, Verdict.INCONCLUSIVE, reasons.holes(rule, slice_), estimate)
    if slice_.holes:
        assessed = replace(assessed, verdict=Verdict.FAIL)
    return Part(
        subject, assessed.verdict, reasons.measured(rule, slice_, assessed, terms), estimate
    )


def fails(rule: Rule, slice_: Slice, terms: Terms) -> bool:
    """Return whether the part of a group is a failure, without saying why."""
    if slice_.n < slice_.need or _other_lacks(rule, slice_):
        return False
    assessed = assess(rule, slice_, terms)
    if isinstance(assessed, Reason):
        return False
    return fails_anyway(rule, slice_, terms) if slice_.holes else assessed.verdict is Verdict.FAIL


def _other_lacks(rule: Rule, slice_: Slice) -> tuple[Verdict, Reason] | None:
    """What keeps the other side from being compared with."""
    if rule.versus is None:
        return None
    if slice_.other_holes:
        return Verdict.INCONCLUSIVE, reasons.other_holes(rule, slice_)
    n = sum(opportunities(seen) or 0 for seen in slice_.other)
    if n >= slice_.need:
        return None
    return (Verdict.INCONCLUSIVE if n else Verdict.MISSING), reasons.other_few(rule, slice_, n)


def fails_anyway(rule: Rule, slice_: Slice, terms: Terms) -> bool:
    """Return whether it fails however its holes are filled."""
    if slice_.unknown and rule.take.take not in (Take.MIN, Take.MAX):
        return False
    if slice_.other_holes or not rule.in_theorem:  # no extreme is worst for it
        return False
    return _fails(rule, slice_, terms, harmful=False)


def could_fail(rule: Rule, slice_: Slice, terms: Terms) -> bool:
    """Return whether something is lost, or cannot be compared, that could have made it fail."""
    if rule.versus is not None and (slice_.other_holes or _undefined(rule, slice_, terms)):
        return bool(slice_.n)
    if not slice_.holes:
        return False
    if slice_.unknown:
        return True
    return slice_.n >= slice_.need and _fails(rule, slice_, terms, harmful=True)


def _undefined(rule: Rule, slice_: Slice, terms: Terms) -> bool:
    assert rule.versus is not None
    if not rule.versus.ratio or slice_.n < slice_.need or _other_lacks(rule, slice_):
        return False
    return compare(rule, slice_, terms, harmful=True) == NO_RATIO


def _fails(rule: Rule, slice_: Slice, terms: Terms, *, harmful: bool) -> bool:
    assessed = assess(rule, slice_, terms, harmful=harmful)
    return harmful if isinstance(assessed, Reason) else assessed.verdict is Verdict.FAIL
