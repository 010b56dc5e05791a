"""The codes and facts of what rules find: exact numbers, instants, units and limits.

:mod:`pytest_rollout.report.sentences` has the sentence of each code.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from math import ceil

from pytest_rollout.judge import kernels
from pytest_rollout.judge.case import Case, instant
from pytest_rollout.judge.intervals import least, outward
from pytest_rollout.judge.outcomes import share_passes
from pytest_rollout.judge.series import Absent, Sides
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.takes import kind_of
from pytest_rollout.judge.tally import Assessed, Terms
from pytest_rollout.model.evidence import Hole
from pytest_rollout.model.finding import Estimate, Fact, Reason
from pytest_rollout.model.load import OFFER
from pytest_rollout.model.numbers import decimal, exact_text
from pytest_rollout.model.rule import Bands, Rule, ScopeKind, Streak, Take, Versus
from pytest_rollout.model.units import base_unit
from pytest_rollout.model.verdict import Verdict

Facts = dict[str, Fact]
_MOST_WHYS = 3
_CODES = {
    Verdict.PASS: "within",
    Verdict.WARN: "warned",
    Verdict.HOLD: "between",
    Verdict.FAIL: "beyond",
    Verdict.INCONCLUSIVE: "open",
}


def allowed(bands: Bands) -> str:
    """Return the cuts of a rule as the plan states them."""
    stated = [bands.passes.text]
    stated += [f"warns {bands.warn.text}"] if bands.warn else []
    stated += [f"fails {bands.fail.text}"] if bands.fail else []
    return ", ".join(stated)


def measured(rule: Rule, slice_: Slice, assessed: Assessed, terms: Terms) -> Reason:
    """Return what was taken, and what was allowed."""
    point = assessed.point
    facts = _rule(rule) | _scope(rule, slice_) | {"value": exact_text(point.value), "n": point.n}
    facts |= _decided(rule, slice_, assessed, terms)
    if rule.tolerate is not None:
        facts["failures"], facts["in_a_row"] = rule.tolerate.failures, rule.tolerate.in_a_row
        return Reason("tolerated", facts)
    if rule.versus is not None:
        facts |= _other(rule.versus)
        difference = assessed.difference
        facts["difference"] = None if difference is None else exact_text(difference)
    if not rule.in_theorem:
        return Reason("ranks.shifted" if assessed.verdict is Verdict.FAIL else "ranks.alike", facts)
    if rule.confidence is not None and assessed.bound is not None:
        low = rule.bands.passes.upward is not (assessed.verdict is Verdict.FAIL)
        end = assessed.bound.low if low else assessed.bound.high  # the one that decides
        facts["bound"] = None if end is None else exact_text(end)
        facts["side"] = "low" if low else "high"
        facts |= _level(rule, terms)
    return Reason(_CODES[assessed.verdict], facts)


def _rule(rule: Rule) -> Facts:
    """The series, the take and the cuts."""
    bands = rule.bands
    return {
        "metric": rule.metric,
        "take": rule.take.text,
        "unit": base_unit(rule.unit, bands.passes.unit),
        "shown": bands.passes.unit or rule.unit,
        "pass": bands.passes.text,
        "warn": bands.warn.text if bands.warn else None,
        "fail": bands.fail.text if bands.fail else None,
    }


def _scope(rule: Rule, slice_: Slice) -> Facts:
    """Where the samples of a slice lie."""
    scope = slice_.scope
    per = rule.per.words if rule.per else None
    facts: Facts = {"scope": scope.kind.value, "span_us": scope.span_us, "last": scope.last}
    facts["per"] = per
    if scope.unbegun:
        facts["unbegun"] = True
    if scope.file:
        facts["file"] = True
    return facts


def _other(versus: Versus) -> Facts:
    """What is compared with."""
    where = ", ".join(f"{label} {value}" for label, value in versus.where.items())
    return {
        "other": versus.metric,
        "other_where": where,
        "other_release": versus.release,
        "frozen": versus.frozen,
        "ratio": versus.ratio or versus.kayenta,
    }


def _level(rule: Rule, terms: Terms) -> Facts:
    """The confidence of this look, and the stated one where looks have halved the level."""
    assert rule.confidence is not None
    return {
        "confidence": confidence(rule, terms.looks),
        "stated": rule.confidence.text,
        "look": terms.looks,
    }


def confidence(rule: Rule, looks: int) -> str:
    """Return the confidence that a look leaves, in percent."""
    assert rule.confidence is not None
    if looks == 1:
        return rule.confidence.text
    level = rule.confidence.level / 2 ** (looks - 1)
    return f"{decimal(100 * (1 - level))} %"


_SUMMED = (Take.RATE, Take.SUM)
# Labels for programs: which function of the suite saw it, and the fingerprint of a load.
_FOR_PROGRAMS = frozenset({"scenario", OFFER})


def _decided(rule: Rule, slice_: Slice, assessed: Assessed, terms: Terms) -> Facts:
    """When the slot was that decided, and its labels beyond those of the rule and the group."""
    at, slot = _when(rule, assessed, terms), assessed.point.slot
    if at is None or slot is None:
        return {"at": at}
    shown = {*_FOR_PROGRAMS, *rule.where, *dict(slice_.group)}
    others = [(label, value) for label, value in slot.labels if value and label not in shown]
    of = ", ".join(f"{label} {value}" for label, value in others)
    return {"at": at, "of": of} if of else {"at": at}


def _when(rule: Rule, assessed: Assessed, terms: Terms) -> str | None:
    """When the slot was that decided, or the first that counted against a rate or a sum."""
    slot = assessed.point.slot
    counted = rule.take.take in _SUMMED and rule.tolerate is None
    if slot is None or (counted and rule.bands.passes.upward):  # the first good one says nothing
        return None
    return instant(slot.t_us, terms.zone)


def few(rule: Rule, slice_: Slice) -> Reason:
    """Return that there are too few samples, or none."""
    if not slice_.begun and slice_.scope.kind is ScopeKind.SINCE:
        return Reason("not-begun", {"metric": rule.metric})
    facts: Facts = {"metric": rule.metric, "n": slice_.n, "need": slice_.need}
    return Reason("few", facts | _scope(rule, slice_))


def holes(rule: Rule, slice_: Slice) -> Reason:
    """Return how many samples cannot be judged, and why."""
    facts: Facts = {"metric": rule.metric, "holes": len(slice_.holes), "n": slice_.n}
    return Reason("holes", facts | {"whys": _whys(slice_.holes)})


def other_holes(rule: Rule, slice_: Slice) -> Reason:
    """Return that the other side of a comparison cannot be judged, and why."""
    assert rule.versus is not None
    n = sum(hole.n or 1 for hole in slice_.other_holes)
    facts = _other(rule.versus) | {"metric": rule.metric, "holes": n}
    return Reason("other.holes", facts | {"whys": _whys(slice_.other_holes)})


def other_few(rule: Rule, slice_: Slice, n: int) -> Reason:
    """Return that the other side of a comparison has too few samples."""
    assert rule.versus is not None
    facts = _other(rule.versus) | {"metric": rule.metric, "n": n, "need": slice_.need}
    return Reason("other.few", facts)


def _whys(holes: Iterable[Hole]) -> tuple[Fact, ...]:
    """The reasons of holes, each once, the most frequent first."""
    reasons = {repr(hole.reason): hole.reason for hole in holes}
    counts = Counter(repr(hole.reason) for hole in holes)
    names = sorted(reasons, key=lambda name: (-counts[name], name))
    return tuple(reasons[name] for name in names[:_MOST_WHYS])


def unplaced(rule: Rule, sides: Sides, case: Case) -> Reason:
    """Return why samples may belong to any look: they lie ahead, and by how much, or are lost."""
    other = rule.versus.metric if rule.versus else rule.metric
    metric = rule.metric if other == rule.metric else f"{rule.metric} and {other}"
    ahead = [seen for seen in sides.unplaced if seen.slot.t_us > case.at_us]
    if not ahead:
        lost = [seen.value for seen in sides.unplaced if isinstance(seen.value, Hole)]
        return Reason("undated", {"metric": metric, "whys": _whys(lost)})
    newest = max(seen.slot.t_us for seen in ahead)
    facts: Facts = {
        "metric": metric,
        "ahead": len(ahead),
        "n": len(sides.unplaced) + len(sides.own.items) + len(sides.other.items),
        "by_us": newest - case.at_us,
        "newest": case.instant(newest),
    }
    return Reason("ahead", facts)


def absent(rule: Rule, absent_: Absent) -> Reason:
    """Return that expected groups were not seen."""
    facts: Facts = {
        "metric": rule.metric,
        "label": absent_.label,
        "found": absent_.found,
        "expected": absent_.expected,
        "within": ", ".join(f"{label} {value}" for label, value in absent_.within),
    }
    return Reason("absent", facts)


def few_buckets(rule: Rule, n: int, need: int) -> Reason:
    """Return that too few days, nights or runs are over."""
    assert rule.per is not None
    facts: Facts = {"metric": rule.metric, "per": rule.per.words, "n": n, "need": need}
    return Reason("few-buckets", facts)


def bucket(rule: Rule, at_us: int, reason: Reason, telling: int, of: int, terms: Terms) -> Reason:
    """Return what one bucket says, and how many say so."""
    assert rule.per is not None
    facts: Facts = {
        "per": rule.per.words,
        "until": instant(at_us, terms.zone),
        "telling": telling,
        "of": of,
        "reason": reason,
    }
    return Reason("bucket", facts)


def gap(from_us: int, to_us: int, terms: Terms) -> Reason:
    """Return the stretch in which nobody looked."""
    since, until = (instant(moment, terms.zone) for moment in (from_us, to_us))
    return Reason("gap", {"since": since, "until": until})


def row(streak: Streak, good: int, lasted_us: int, ended: Reason | None, newest: Reason) -> Reason:
    """Return how long a row of good looks is, what ended it, and the newest of them."""
    facts: Facts = {"good": good, "lasted_us": lasted_us, "ended": ended, "newest": newest}
    return Reason("row", facts | streak_facts(streak))


def streak_facts(streak: Streak) -> Facts:
    """Return how long a row has to be."""
    return {"row_n": streak.n, "row_us": streak.span_us, "gap_us": streak.gap_us}


def no_look(rule: Rule) -> Reason:
    """Return that there is nothing to look at."""
    return Reason("no-look", {"metric": rule.metric})


def estimated(rule: Rule, assessed: Assessed, terms: Terms) -> Estimate:
    """Return what was taken, as the decision keeps it."""
    point, bound = assessed.point, assessed.bound
    passed = assessed.verdict in (Verdict.PASS, Verdict.WARN) and not terms.watched
    bounded = rule.confidence is not None and bound is not None
    return Estimate(
        value=exact_text(assessed.value),
        n=point.n,
        unit=base_unit(rule.unit, rule.bands.passes.unit),
        at=_when(rule, assessed, terms),
        low=_end(bound.low) if bound else None,
        high=_end(bound.high) if bound else None,
        method=bound.method if bound else None,
        confidence=confidence(rule, terms.looks) if bounded else None,
        catches=catches(rule, point.n, terms.level) if passed else None,
        more=more(rule, assessed, terms),
    )


def _end(value: Fraction | None) -> str | None:
    return None if value is None else exact_text(value)


def catches(rule: Rule, n: int, level: float) -> str | None:
    """Return the percent of bad samples that 19 times in 20 would have kept it from passing.

    Of samples that are independent of each other; None where badness is no matter of a share.
    """
    allowed_ = None if rule.versus is not None else kind_of(rule).allowed(rule, n, level)
    if allowed_ is None:
        return None
    share = outward(kernels.missed_share(allowed_, n), up=True)
    return decimal(Fraction(ceil(share * 1000), 10))


def more(rule: Rule, assessed: Assessed, terms: Terms) -> int | None:
    """Return how many more good samples would make it pass at the next look."""
    if assessed.verdict is not Verdict.INCONCLUSIVE or rule.versus is not None or not terms.level:
        return None
    if rule.take.take not in (Take.RATE, Take.SHARE):
        return None
    n, upward = assessed.point.n, rule.bands.passes.upward
    seen = round(assessed.point.value * n)
    bad = n - seen if upward else seen
    level = terms.level / 2 if terms.again else terms.level
    return least(lambda extra: share_passes(rule, bad, n + extra, level))
