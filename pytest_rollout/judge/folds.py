"""What the looks at a group come to: the worst of some buckets, or good ones in a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import islice

from pytest_rollout.judge import reasons
from pytest_rollout.judge.looks import Look, in_scope, long_enough, looks_of, moments_of
from pytest_rollout.judge.series import Absent, Groups, Sides, absences, expected
from pytest_rollout.judge.slices import Reach, Slice, slice_of
from pytest_rollout.judge.tally import Terms
from pytest_rollout.judge.trip_candidates import endings, ends_in_one_pass
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.finding import Labels, Part, Subject, SubjectKind
from pytest_rollout.model.rule import Rule, Streak
from pytest_rollout.model.verdict import Verdict, worst

_GOOD = (Verdict.PASS, Verdict.WARN)
ALONE = 64  # newest looks that are judged before all the others are, in one pass
Judged = Callable[[Slice], Part]


@dataclass(frozen=True, slots=True)
class _Looked:
    """One look of a row, how it ends, and its part for who asks for it."""

    at_us: int
    verdict: Verdict
    few: bool
    part: Callable[[], Part]


def fold(
    rule: Rule, groups: Groups, reach: Reach, terms: Terms, judged: Judged
) -> tuple[list[Part], list[Absent]]:
    """Return the part of each group from its looks, and the counts of groups that fall short."""
    listed = expected(rule.each)
    present = {g: sides for g, sides in groups.items() if sides.own.items or g in listed}
    parts = [_folded(rule, group, sides, reach, terms, judged) for group, sides in present.items()]
    return parts, absences(rule.each, list(present))


def _folded(
    rule: Rule, group: Labels, sides: Sides, reach: Reach, terms: Terms, judged: Judged
) -> Part:
    if rule.per is None:
        assert rule.streak is not None
        looked = _newest_first(rule, group, sides, reach, terms, judged)
        return _row(rule, rule.streak, group, looked, reach, terms)
    looks = looks_of(rule, group, sides, reach)
    chosen, need = in_scope(rule, list(looks), reach)
    if rule.streak is not None:
        looked = (_looked(look, judged) for look in reversed(chosen))
        return _row(rule, rule.streak, group, looked, reach, terms)
    parts = [judged(look.slice_) for look in chosen]
    if len(parts) < need:
        verdict = Verdict.INCONCLUSIVE if parts else Verdict.MISSING
        return Part(subject_of(group), verdict, reasons.few_buckets(rule, len(parts), need))
    verdict = worst(part.verdict for part in parts)
    telling = [pair for pair in zip(chosen, parts, strict=True) if pair[1].verdict is verdict]
    look, part = telling[-1]
    reason = reasons.bucket(rule, look.at_us, part.reason, len(telling), len(parts), terms)
    return Part(subject_of(group), verdict, reason, part.estimate)


def _looked(look: Look, judged: Judged) -> _Looked:
    part = judged(look.slice_)
    return _Looked(look.at_us, part.verdict, look.few, lambda: part)


def _newest_first(
    rule: Rule, group: Labels, sides: Sides, reach: Reach, terms: Terms, judged: Judged
) -> Iterator[_Looked]:
    """The looks at each slot: some of the newest by themselves, the rest as one pass finds them."""
    looks = looks_of(rule, group, sides, reach, newest_first=True)
    alone = ALONE if ends_in_one_pass(rule) else None
    yield from (_looked(look, judged) for look in islice(looks, alone))
    older = moments_of(rule, sides, reach)[:-ALONE]
    if alone is None or not older:
        return
    found = endings(rule, group, sides, older, reach, terms)
    for at_us, verdict in zip(reversed(older), reversed(found), strict=True):
        part = partial(_part_at, rule, group, sides, replace(reach, at_us=at_us), judged)
        yield _Looked(at_us, verdict or Verdict.MISSING, verdict is None, part)


def _part_at(rule: Rule, group: Labels, sides: Sides, reach: Reach, judged: Judged) -> Part:
    return judged(slice_of(rule, group, sides, reach))


def _row(
    rule: Rule,
    streak: Streak,
    group: Labels,
    newest_first: Iterator[_Looked],
    reach: Reach,
    terms: Terms,
) -> Part:
    """Good looks from the newest back; the first that is not good ends the row."""
    newest: Part | None = None
    verdict, n = Verdict.PASS, 0
    first_us, ended = reach.at_us, None
    for look in newest_first:
        if not streak.n and first_us - look.at_us > streak.gap_us:
            ended = reasons.gap(look.at_us, first_us, terms)
            break
        if streak.skip and look.few:
            continue
        if look.verdict not in _GOOD:
            part = look.part()
            if newest is None:
                return part
            ended = part.reason
            break
        newest = newest or look.part()
        verdict, n = worst((verdict, look.verdict)), n + 1
        first_us = look.at_us
        if long_enough(streak, n, reach.at_us - first_us):
            break
    if newest is None:
        return Part(subject_of(group), Verdict.MISSING, ended or reasons.no_look(rule))
    lasted_us = reach.at_us - first_us
    done = long_enough(streak, n, lasted_us)
    reason = reasons.row(streak, n, lasted_us, ended, newest.reason)
    verdict = verdict if done else Verdict.INCONCLUSIVE
    return Part(subject_of(group), verdict, reason, newest.estimate)


def subject_of(group: Labels) -> Subject:
    """Return the subject of a group of a rule."""
    return Subject(SubjectKind.GROUP, labels=group)


def absent_part(rule: Rule, absent: Absent) -> Part:
    """Return the part of expected groups that nothing was seen of."""
    subject = Subject(SubjectKind.GROUP, absent.label, absent.within)
    return Part(subject, Verdict.MISSING, reasons.absent(rule, absent))
