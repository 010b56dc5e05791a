"""Nights against the first nights of a pinned release: which runs count, and what they say."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pytest_rollout import calendar
from pytest_rollout.judge import reasons
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.compare import NO_RATIO
from pytest_rollout.judge.intervals import outward
from pytest_rollout.judge.nightly import (
    Baseline,
    Tonight,
    baseline_of,
    findable,
    weigh,
)
from pytest_rollout.judge.series import Absent, Groups, Series, Sides, absences, expected
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.takes import tallied
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Estimate, Fact, Labels, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.numbers import decimal, exact_text
from pytest_rollout.model.rule import Nightly, Rule
from pytest_rollout.model.units import base_unit
from pytest_rollout.model.verdict import Verdict

METHOD = "Student's t prediction bound"
_LOST = -math.inf  # the best that a lost run can have been


@dataclass(frozen=True, slots=True)
class _Ran:
    """What one run saw of a group."""

    night: int
    items: tuple[Seen, ...]
    run: str

    @property
    def holes(self) -> tuple[Hole, ...]:
        return tuple(seen.value for seen in self.items if isinstance(seen.value, Hole))


def of_nights(rule: Rule, groups: Groups, case: Case) -> tuple[list[Part], list[Absent]]:
    """Return the part of each group that the deciding run saw, and the groups that fall short."""
    run, listed = case.world.run.id, expected(rule.each)
    present = {
        group: sides
        for group, sides in groups.items()
        if group in listed or sides.own.of_run(run).items
    }
    parts = [_of_group(rule, group, sides, case) for group, sides in present.items()]
    return parts, absences(rule.each, list(present))


def _of_group(rule: Rule, group: Labels, sides: Sides, case: Case) -> Part:
    """The deciding run needs enough samples, the pinned release enough nights."""
    nightly, subject = rule.nightly, Subject(SubjectKind.GROUP, labels=group)
    assert nightly is not None
    own = tuple(sides.own.of_run(case.world.run.id).items)
    slice_ = Slice(group, own, rule.scopes[0], rule.need)
    if slice_.n < rule.need:
        verdict = Verdict.INCONCLUSIVE if slice_.n else Verdict.MISSING
        return Part(subject, verdict, reasons.few(rule, slice_))
    pinned = _pinned(rule, sides.other, case)
    if isinstance(pinned, Reason):
        none = pinned.facts.get("n") == 0
        return Part(subject, Verdict.MISSING if none else Verdict.INCONCLUSIVE, pinned)
    tonight = calendar.night_of(nightly.per, case.plan.timezone, own[0].slot.t_us)
    nights = _latest(rule, sides.own, tonight, case)
    return _judged(rule, subject, _Known(rule, nightly, pinned, nights, case))


def _runs(rule: Rule, series: Series, case: Case) -> list[_Ran]:
    """The runs with enough samples, in the order in which they first recorded."""
    assert rule.nightly is not None
    zone, ran = case.plan.timezone, []
    for run, seen in series.by_run.items():
        items = tuple(seen.items)
        if Slice((), items, rule.scopes[0], 1).n >= rule.need or _unknown(items):
            ran.append(
                _Ran(calendar.night_of(rule.nightly.per, zone, items[0].slot.t_us), items, run)
            )
    return sorted(ran, key=lambda one: (min(seen.seen_us for seen in one.items), one.run))


def _unknown(items: Iterable[Seen]) -> bool:
    return any(isinstance(seen.value, Hole) and seen.value.n is None for seen in items)


def _latest(rule: Rule, own: Series, tonight: int, case: Case) -> list[list[_Ran]]:
    """The runs that count of tonight and of the nights before, each night's first ones."""
    nightly = rule.nightly
    assert nightly is not None
    nights: list[list[_Ran]] = [[] for _ in range(nightly.latest)]
    for ran in _runs(rule, own, case):
        ago = tonight - ran.night
        if 0 <= ago < nightly.latest and len(nights[ago]) <= nightly.confirm:
            nights[ago].append(ran)
    return nights


def _pinned(rule: Rule, other: Series, case: Case) -> Baseline | Reason:
    """What the first nights of the pinned release say, or why they say nothing yet."""
    nightly, versus = rule.nightly, rule.versus
    assert nightly is not None
    assert versus is not None
    nights: dict[int, list[_Ran]] = {}
    for ran in _runs(rule, other, case):
        nights.setdefault(ran.night, []).append(ran)
    first = [nights[name][: 1 + nightly.confirm] for name in sorted(nights)][: nightly.baseline]
    holes = [hole for night in first for ran in night for hole in ran.holes]
    if holes:
        own = Slice((), (), rule.scopes[0], 1, tuple(s for n in first for r in n for s in r.items))
        return reasons.other_holes(rule, own)
    if len(first) < nightly.baseline:
        facts: dict[str, Fact] = {"n": len(first), "need": nightly.baseline}
        facts |= {"metric": rule.metric, "other_release": versus.release}
        facts |= {"same": case.release == versus.release, "per": nightly.per.plural}
        return Reason("nightly.few", facts)
    values = [[_worse(rule, ran, case) for ran in night] for night in first]
    if any(math.isinf(one) for night in values for one in night):
        return NO_RATIO
    return baseline_of(values)


def _value(rule: Rule, ran: _Ran, case: Case) -> Fraction | None:
    """What is taken of one run; None where something of it is lost."""
    if ran.holes:
        return None
    point = tallied(rule, ran.items, rule.scopes[0], Terms(case.plan.timezone)).point()
    return point.value if point else None


def _worse(rule: Rule, ran: _Ran, case: Case) -> float:
    """The logarithm of what one run took, with the sign that makes more of it worse."""
    value, upward = _value(rule, ran, case), rule.bands.passes.upward
    if value is None:
        return _LOST
    if value <= 0:
        return math.inf if upward else -math.inf
    size = math.log(value.numerator) - math.log(value.denominator)
    return -size if upward else size


@dataclass(frozen=True)
class _Known:
    """The nights that one group is judged by."""

    rule: Rule
    nightly: Nightly
    base: Baseline
    nights: Sequence[Sequence[_Ran]]
    case: Case

    @property
    def lost(self) -> tuple[Hole, ...]:
        return tuple(hole for night in self.nights for ran in night for hole in ran.holes)

    @property
    def level(self) -> float:
        """Of tonight's bound: each run of the night is a look of its own."""
        assert self.rule.confidence is not None
        return float(self.rule.confidence.level) / (1 + self.nightly.confirm)

    @property
    def whole(self) -> bool:
        """Whether the night had every run that it may have."""
        return len(self.nights[0]) > self.nightly.confirm

    def weighed(self) -> Tonight:
        """What the nights say, a lost run being as good as can be."""
        values = [[_worse(self.rule, ran, self.case) for ran in night] for night in self.nights]
        return weigh(self.nightly, self.base, values, self.level)


def _judged(rule: Rule, subject: Subject, known: _Known) -> Part:
    """Worse where an alarm is confirmed, good inside the margin, else open.

    A suspicious night is open until it had its confirming runs: no first run alarms alone.
    """
    tonight = known.weighed()
    if known.whole and tonight.alarm:
        return _part(rule, subject, known, tonight, Verdict.FAIL, "nightly.worse")
    if known.lost:
        lost = tuple(seen for night in known.nights for ran in night for seen in ran.items)
        slice_ = Slice((), lost, rule.scopes[0], 1)
        return Part(subject, Verdict.INCONCLUSIVE, reasons.holes(rule, slice_))
    inside = rule.bands.passes.holds(_bound(rule, tonight.high))
    if inside and (known.whole or not tonight.suspicious):
        return _part(rule, subject, known, tonight, Verdict.PASS, "nightly.alike")
    code = "nightly.open" if known.whole else "nightly.ask"
    return _part(rule, subject, known, tonight, Verdict.INCONCLUSIVE, code)


def _bound(rule: Rule, worse: float) -> Fraction:
    """The ratio at the harmful end, in six digits that are no better."""
    upward = rule.bands.passes.upward
    return _ratio(-worse if upward else worse, up=not upward)


def _ratio(shift: float, *, up: bool) -> Fraction:
    return outward(math.exp(max(-700.0, min(700.0, shift))), up=up)


def _part(
    rule: Rule, subject: Subject, known: _Known, tonight: Tonight, verdict: Verdict, code: str
) -> Part:
    sign = -1 if rule.bands.passes.upward else 1
    ends = sorted((sign * tonight.low, sign * tonight.high))
    size = Fraction(f"{math.exp(max(-700.0, min(700.0, sign * tonight.shift))):.6g}")
    bound, level = _bound(rule, tonight.high), _percent(1 - known.level)
    runs = len(known.nights[0])
    facts = _facts(rule, known) | {
        "ratio": exact_text(size),
        "bound": exact_text(bound),
        "confidence": level,
        "runs": runs,
        "extra": known.case.world.run.id not in {ran.run for ran in known.nights[0]},
        "left": 1 + known.nightly.confirm - runs,
        "nights": sum(bool(night) for night in known.nights),
    }
    low, high = _ratio(ends[0], up=False), _ratio(ends[1], up=True)
    estimate = Estimate(
        value=exact_text(size),
        n=runs,
        low=exact_text(low),
        high=exact_text(high),
        method=METHOD,
        confidence=level,
    )
    return Part(subject, verdict, Reason(code, facts), estimate)


def _facts(rule: Rule, known: _Known) -> dict[str, Fact]:
    """What is compared, the noise of the pinned nights, and the errors of the rule."""
    bands, versus, nightly, base = rule.bands, rule.versus, known.nightly, known.base
    assert versus is not None
    values = [_value(rule, ran, known.case) for ran in known.nights[0]]
    newest = next((value for value in reversed(values) if value is not None), None)
    return {
        "metric": rule.metric,
        "take": rule.take.text,
        "unit": base_unit(rule.unit, ""),
        "shown": rule.unit,
        "value": None if newest is None else exact_text(newest),
        "pass": bands.passes.text,
        "other_release": versus.release,
        "per": nightly.per.words,
        "baseline": base.n,
        "latest": nightly.latest,
        "noise": _share(base.noise),
        "common": None if base.shared is None else _percent(base.shared),
        "findable": _share(findable(nightly, base)),
        "alarms": exact_text(nightly.alarms),
    }


def _share(shift: float) -> str:
    """A shift as so many percent worse, rounded up to one decimal."""
    return f"{decimal(Fraction(math.ceil(1000 * math.expm1(min(shift, 700.0))), 10))} %"


def _percent(share: float) -> str:
    return f"{decimal(Fraction(round(1000 * share), 10))} %"
