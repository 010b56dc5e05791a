"""A criterion's figure over the runs of its phase: rows, pinned nights, marks; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from statistics import fmean

from pytest_rollout import calendar
from pytest_rollout.evidence.figures_by_run import RunFigures
from pytest_rollout.judge.night_runs import rounding
from pytest_rollout.judge.nightly import Baseline, baseline_of
from pytest_rollout.judge.takes import tallied
from pytest_rollout.judge.tally import Terms
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.finding import Labels, Part, SubjectKind, codes
from pytest_rollout.model.plan import Criterion, Plan
from pytest_rollout.model.rule import Rule
from pytest_rollout.model.verdict import Verdict

_WIDE = 2.0  # standard deviations that the band of pinned nights is wide, to either side


@dataclass(frozen=True, slots=True)
class Row:
    """One run: its night, its value if there is one, and what was found."""

    at: str  # the day on which its night began
    night: int
    run: str
    release: str | None
    value: float | None
    verdict: Verdict | None = None
    code: str = ""  # of the nightly rule
    why: str = ""  # why there is no value


@dataclass(frozen=True, slots=True)
class Pinned:
    """The first nights of the release that a nightly rule compares with."""

    base: Baseline  # of logarithms
    pairs: int  # neighbouring nights
    apart: float  # the noise that these pairs show

    @property
    def middle(self) -> float:
        """The geometric mean of the figure."""
        return math.exp(self.base.mean)

    @property
    def band(self) -> tuple[float, float]:
        """Where most of its nights lie."""
        reach = _WIDE * self.base.noise
        return math.exp(self.base.mean - reach), math.exp(self.base.mean + reach)


def rows_of(
    plan: Plan, criterion: Criterion, figures: Iterable[RunFigures]
) -> Mapping[Labels, list[Row]]:
    """Return the rows of each group of a criterion's rule, oldest first."""
    rule = criterion.rule
    assert rule is not None
    rows: dict[Labels, list[Row]] = {}
    for figure in figures:
        groups: dict[Labels, list[Seen]] = {}
        for seen in figure.seen:
            if seen.slot.series == rule.metric and _fits(rule, seen):
                groups.setdefault(_group(rule, seen), []).append(seen)
        for group, items in groups.items():
            rows.setdefault(group, []).append(_row(plan, criterion, rule, figure, group, items))
    return rows


def _fits(rule: Rule, seen: Seen) -> bool:
    return rule.where.items() <= dict(seen.slot.labels).items()


def _group(rule: Rule, seen: Seen) -> Labels:
    labels = dict(seen.slot.labels)
    return tuple(sorted((each.label, labels.get(each.label, "?")) for each in rule.each))


def _row(
    plan: Plan,
    criterion: Criterion,
    rule: Rule,
    run_figures: RunFigures,
    group: Labels,
    items: Sequence[Seen],
) -> Row:
    first = min(seen.slot.t_us for seen in items)
    at = calendar.from_us(first).date().isoformat()
    night = (
        first if rule.nightly is None else calendar.night_of(rule.nightly.per, plan.timezone, first)
    )
    part = _part(plan, criterion, run_figures, group)
    nightly = [code for code in codes(part.reason) if code.startswith("nightly.")] if part else []
    lost = sum(isinstance(seen.value, Hole) for seen in items)
    point = tallied(rule, items, rule.scopes[0], Terms(plan.timezone)).point()
    why = run_figures.doubt or (f"{lost} of {len(items)} samples cannot be read" if lost else "")
    value = None if why or point is None else float(point.value)
    return Row(
        at=at,
        night=night,
        run=run_figures.run.id,
        release=run_figures.run.release,
        value=value,
        verdict=part.verdict if part else None,
        code=nightly[0] if nightly else "",
        why=why,
    )


def _part(plan: Plan, criterion: Criterion, run_figures: RunFigures, group: Labels) -> Part | None:
    """What was found of a group in the decision of a run."""
    decision = run_figures.decision
    if decision is None:
        return None
    parts = [
        part
        for finding in decision.criteria
        if finding.id.rpartition(".")[2] == criterion.id
        for part in finding.parts
        if part.subject.kind is SubjectKind.GROUP and part.subject.labels == group
    ]
    return parts[-1] if parts else None


def pinned_of(rule: Rule, rows: Sequence[Row]) -> Pinned | None:
    """Return the pinned nights among rows; None where no rule pins any, or too few are known."""
    nightly, versus = rule.nightly, rule.versus
    if nightly is None or versus is None:
        return None
    nights: dict[int, list[float]] = {}
    taken: dict[int, float] = {}  # of the first run of each night
    for row in rows:
        counts = row.code == "nightly.few" or row.verdict in (Verdict.PASS, Verdict.WARN)
        if row.release == versus.release and counts and row.value is not None and row.value > 0:
            nights.setdefault(row.night, []).append(math.log(row.value))
            taken.setdefault(row.night, row.value)
    first = [nights[night] for night in sorted(nights)][: nightly.baseline]
    if len(first) < nightly.baseline:
        return None
    steps = [(earlier[0] - later[0]) ** 2 for earlier, later in pairwise(first)]
    values = [Fraction(taken[night]) for night in sorted(nights)[: nightly.baseline]]
    whole = rounding(rule, values)
    return Pinned(baseline_of(first, whole), len(steps), math.sqrt(fmean(steps) / 2))


def refuted(rows: Sequence[Row]) -> Iterator[str]:
    """Yield the runs that were suspicious, and that a later run of the same night cleared."""
    for place, row in enumerate(rows):
        later = (after for after in rows[place + 1 :] if after.night == row.night)
        if row.code == "nightly.ask" and any(row.code == "nightly.alike" for row in later):
            yield row.run
