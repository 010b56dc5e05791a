"""The finding of one rule over the observations of a world: a part for each group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pytest_rollout.judge import endpoints, kayenta, nights, reasons
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.compare import NO_RATIO, compare
from pytest_rollout.judge.domain import admitted
from pytest_rollout.judge.intervals import Interval, band, banded
from pytest_rollout.judge.looks import Look, in_scope, long_enough, looks_of
from pytest_rollout.judge.series import (
    Absent,
    Groups,
    Sides,
    absences,
    aged,
    expected,
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
from pytest_rollout.model.finding import Labels, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.rule import Rule, ScopeKind, Streak, Take
from pytest_rollout.model.verdict import Verdict, worst

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
        parts, absent = _fold(rule, groups, reach, terms)
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


def subject_of(group: Labels) -> Subject:
    """Return the subject of a group of a rule."""
    return Subject(SubjectKind.GROUP, labels=group)


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


def _fold(
    rule: Rule, groups: Groups, reach: Reach, terms: Terms
) -> tuple[list[Part], list[Absent]]:
    """The part of each group from its looks, and the counts of groups that fall short."""
    listed = expected(rule.each)
    present = {g: sides for g, sides in groups.items() if sides.own.items or g in listed}
    parts = [_folded(rule, group, sides, reach, terms) for group, sides in present.items()]
    return parts, absences(rule.each, list(present))


def _folded(rule: Rule, group: Labels, sides: Sides, reach: Reach, terms: Terms) -> Part:
    looks: Iterable[Look] = looks_of(rule, group, sides, reach, newest_first=True)
    if rule.per is None:
        assert rule.streak is not None
        return _row(rule, rule.streak, group, looks, reach, terms)
    chosen, need = in_scope(rule, list(looks)[::-1], reach)
    if rule.streak is not None:
        return _row(rule, rule.streak, group, reversed(chosen), reach, terms)
    parts = [judge_slice(rule, look.slice_, terms) for look in chosen]
    if len(parts) < need:
        verdict = Verdict.INCONCLUSIVE if parts else Verdict.MISSING
        return Part(subject_of(group), verdict, reasons.few_buckets(rule, len(parts), need))
    verdict = worst(part.verdict for part in parts)
    telling = [pair for pair in zip(chosen, parts, strict=True) if pair[1].verdict is verdict]
    look, part = telling[-1]
    reason = reasons.bucket(rule, look.at_us, part.reason, len(telling), len(parts), terms)
    return Part(subject_of(group), verdict, reason, part.estimate)


def _row(
    rule: Rule,
    streak: Streak,
    group: Labels,
    newest_first: Iterable[Look],
    reach: Reach,
    terms: Terms,
) -> Part:
    """Good looks from the newest back; the first that is not good ends the row."""
    good: list[Part] = []
    first_us, ended = reach.at_us, None
    for look in newest_first:
        if not streak.n and first_us - look.at_us > streak.gap_us:
            ended = reasons.gap(look.at_us, first_us, terms)
            break
        if streak.skip and look.few:
            continue
        part = judge_slice(rule, look.slice_, terms)
        if part.verdict not in _GOOD:
            if not good:
                return part
            ended = part.reason
            break
        good.append(part)
        first_us = look.at_us
        if long_enough(streak, len(good), reach.at_us - first_us):
            break
    if not good:
        return Part(subject_of(group), Verdict.MISSING, ended or reasons.no_look(rule))
    lasted_us = reach.at_us - first_us
    done = long_enough(streak, len(good), lasted_us)
    reason = reasons.row(streak, len(good), lasted_us, ended, good[0].reason)
    verdict = worst(part.verdict for part in good) if done else Verdict.INCONCLUSIVE
    return Part(subject_of(group), verdict, reason, good[0].estimate)


def absent_part(rule: Rule, absent: Absent) -> Part:
    """Return the part of expected groups that nothing was seen of."""
    subject = Subject(SubjectKind.GROUP, absent.label, absent.within)
    return Part(subject, Verdict.MISSING, reasons.absent(rule, absent))
