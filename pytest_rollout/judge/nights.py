"""Nights against the first nights of a pinned release: which runs count, and what they say."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction

from pytest_rollout.judge import night_runs, reasons
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.compare import NO_RATIO
from pytest_rollout.judge.intervals import outward
from pytest_rollout.judge.night_runs import Ran, Says, value_of, worse_of
from pytest_rollout.judge.nightly import (
    Baseline,
    Tonight,
    baseline_of,
    findable,
    lone_of,
    weigh,
)
from pytest_rollout.judge.series import Absent, Groups, Sides, absences, expected
from pytest_rollout.judge.slices import Slice
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Estimate, Fact, Labels, Part, Reason, Subject, SubjectKind
from pytest_rollout.model.numbers import decimal, exact_text
from pytest_rollout.model.rule import Nightly, Rule
from pytest_rollout.model.units import base_unit
from pytest_rollout.model.verdict import Verdict

METHOD = "Student's t prediction bound"
_FEW = "nightly.few"


def of_nights(rule: Rule, groups: Groups, case: Case) -> tuple[list[Part], list[Absent]]:
    """Return the part of each group that the deciding run saw, and the groups that fall short.

    A group that the pinned nights have and this run has not is missing.
    """
    run, listed = case.world.run.id, expected(rule.each)
    present = {
        group: sides
        for group, sides in groups.items()
        if group in listed or sides.own.of_run(run).items
    }
    runs = night_runs.whens(rule, groups, case)
    parts = [_of_group(rule, group, sides, runs, case) for group, sides in present.items()]
    gone = (
        _gone(rule, group, sides, case) for group, sides in groups.items() if group not in present
    )
    return [*parts, *(part for part in gone if part)], absences(rule.each, list(present))


def _gone(rule: Rule, group: Labels, sides: Sides, case: Case) -> Part | None:
    """That a group of the pinned nights was not seen; None while these are collected."""
    versus = rule.versus
    assert versus is not None
    if not night_runs.enough(rule, sides.other, case):
        return None
    pinned = _pinned(rule, sides, case)
    collecting = isinstance(pinned, Reason) and pinned.code == _FEW
    if collecting and case.release == versus.release:
        return None
    facts: dict[str, Fact] = {"metric": rule.metric, "other_release": versus.release}
    facts |= {"per": rule.nightly.per.plural} if rule.nightly else {}
    subject = Subject(SubjectKind.GROUP, labels=group)
    return Part(subject, Verdict.MISSING, Reason("nightly.gone", facts))


def _of_group(
    rule: Rule, group: Labels, sides: Sides, runs: Mapping[str, night_runs.When], case: Case
) -> Part:
    """The deciding run needs enough samples, the pinned release enough nights of the same load."""
    nightly, subject = rule.nightly, Subject(SubjectKind.GROUP, labels=group)
    assert nightly is not None
    own = tuple(sides.own.of_run(case.world.run.id).items)
    slice_ = Slice(group, own, rule.scopes[0], rule.need)
    if slice_.n < rule.need:
        verdict = Verdict.INCONCLUSIVE if slice_.n else Verdict.MISSING
        return Part(subject, verdict, reasons.few(rule, slice_))
    pinned = _pinned(rule, sides, case)
    if isinstance(pinned, Reason):
        none = pinned.facts.get("n") == 0 or pinned.code == "nightly.other-load"
        return Part(subject, Verdict.MISSING if none else Verdict.INCONCLUSIVE, pinned)
    tonight = night_runs.night_of(nightly, case, own[0].slot.t_us)
    nights = night_runs.latest(rule, sides.own, runs, tonight, case)
    return _judged(rule, subject, _Known(rule, nightly, pinned, own, nights, case))


@dataclass(frozen=True, slots=True)
class _Pinned:
    """What the pinned nights say, and what people should know of them."""

    base: Baseline
    told: Mapping[str, Fact]


def _pinned(rule: Rule, sides: Sides, case: Case) -> _Pinned | Reason:
    """What the first nights of the pinned release say, or why they say nothing yet."""
    nightly, versus = rule.nightly, rule.versus
    assert nightly is not None
    assert versus is not None
    nights: dict[int, list[Ran]] = {}
    for ran in night_runs.enough(rule, sides.other, case):
        nights.setdefault(ran.night, []).append(ran)
    known = [nights[name][: 1 + nightly.confirm] for name in sorted(nights)]
    sound = [night for night in known if not _stood_still(rule, night, case)]
    first = sound[: nightly.baseline]
    own = sides.own.of_run(case.world.run.id).items
    other = sum(not all(night_runs.same_load(ran, own) for ran in night) for night in first)
    facts: dict[str, Fact] = {"metric": rule.metric, "other_release": versus.release}
    if other:
        facts |= {"other": other, "of": len(first), "per": nightly.per.words}
        return Reason("nightly.other-load", facts)
    holes = [hole for night in first for ran in night for hole in ran.holes]
    if holes:
        lost = tuple(s for night in first for ran in night for s in ran.items)
        return reasons.other_holes(rule, Slice((), (), rule.scopes[0], 1, lost))
    if len(first) < nightly.baseline:
        facts |= {"n": len(first), "need": nightly.baseline, "per": nightly.per.plural}
        return Reason(_FEW, facts | {"same": case.release == versus.release})
    return _compared(rule, first, len(known) - len(sound), case)


def _stood_still(rule: Rule, night: Sequence[Ran], case: Case) -> bool:
    """Whether a night took nothing of what is better the more it is: no other has a ratio to it.

    Without it the pinned nights are only better, so that no worse night passes for it.
    """
    upward = rule.bands.passes.upward
    return upward and any(worse_of(rule, ran, case) == math.inf for ran in night)


def _compared(
    rule: Rule, nights: Sequence[Sequence[Ran]], still: int, case: Case
) -> _Pinned | Reason:
    logs = [[worse_of(rule, ran, case) for ran in night] for night in nights]
    if any(math.isinf(log) for night in logs for log in night):
        return NO_RATIO
    values = [value for night in nights if (value := value_of(rule, night[0], case)) is not None]
    base = baseline_of(logs, night_runs.rounding(rule, values))
    facts: dict[str, Fact] = {"still": still, "lone": None, "without": None}
    lone = lone_of([night[0] for night in logs])
    if lone is not None:
        at, without = nights[lone][0].items[0].slot.t_us, [*logs[:lone], *logs[lone + 1 :]]
        facts |= {"lone": case.instant(at)[:10], "without": _share(baseline_of(without).noise)}
    return _Pinned(base, facts)


@dataclass(frozen=True)
class _Known:
    """The nights that one group is judged by."""

    rule: Rule
    nightly: Nightly
    pinned: _Pinned
    own: tuple[Seen, ...]  # of the deciding run
    nights: Sequence[Sequence[Ran]]
    case: Case

    @property
    def base(self) -> Baseline:
        """What the pinned nights say."""
        return self.pinned.base

    @property
    def extra(self) -> str | None:
        """What the deciding run took, where it is beyond those that the plan allows; else None."""
        run = self.case.world.run.id
        if run in {ran.run for ran in self.nights[0]}:
            return None
        value = value_of(self.rule, Ran(0, self.own, run), self.case)
        return None if value is None else exact_text(value)

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
        values = [[worse_of(self.rule, ran, self.case) for ran in night] for night in self.nights]
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
    if any(ran.says is not Says.ENOUGH for ran in known.nights[0]):
        return Part(subject, Verdict.INCONCLUSIVE, _unknown(rule, known))
    if any(night_runs.is_nothing(rule, ran, known.case) for night in known.nights for ran in night):
        return Part(subject, Verdict.INCONCLUSIVE, NO_RATIO)
    inside = rule.bands.passes.holds(_bound(rule, tonight.high))
    if inside and (known.whole or not tonight.suspicious):
        return _part(rule, subject, known, tonight, Verdict.PASS, "nightly.alike")
    code = "nightly.open" if known.whole else "nightly.ask"
    return _part(rule, subject, known, tonight, Verdict.INCONCLUSIVE, code)


def _unknown(rule: Rule, known: _Known) -> Reason:
    """Which runs of the night say nothing to compare: each may have been a bad one."""
    says = [ran.says for ran in known.nights[0]]
    facts: dict[str, Fact] = {"metric": rule.metric, "need": rule.need, "runs": len(says)}
    facts |= {"per": known.nightly.per.words}
    facts |= {kind.value: says.count(kind) for kind in Says if kind is not Says.ENOUGH}
    return Reason("nightly.unknown", facts)


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
        "extra": known.extra,
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
    values = [value_of(rule, ran, known.case) for ran in known.nights[0]]
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
        **known.pinned.told,
    }


def _share(shift: float) -> str:
    """A shift as so many percent worse, rounded up to one decimal."""
    return f"{decimal(Fraction(math.ceil(1000 * math.expm1(min(shift, 700.0))), 10))} %"


def _percent(share: float) -> str:
    return f"{decimal(Fraction(round(1000 * share), 10))} %"
