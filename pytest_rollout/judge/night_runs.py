"""The runs of nights: which of them count for a group, and what each took of it.

Every run that looked is a run of its night, also one that says too little, one whose load was
refused, and one of another load. What such a run would have said is unknown: were it left out,
somebody could run until a lucky one passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum
from fractions import Fraction

from pytest_rollout import calendar
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.series import Groups, Series
from pytest_rollout.judge.slices import Slice
from pytest_rollout.judge.takes import tallied
from pytest_rollout.judge.tally import Terms
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.evidence import Hole, Seen
from pytest_rollout.model.load import OFFER
from pytest_rollout.model.rule import Nightly, Rule, Take

LOST = -math.inf  # the best that a lost run can have been


class Says(Enum):
    """What a run of a night says of a group."""

    ENOUGH = "enough"
    LITTLE = "little"  # fewer samples than are needed
    NOTHING = "nothing"
    OTHER = "other"  # something, of another load


@dataclass(frozen=True, slots=True)
class When:
    """When a run saw something, and when it first recorded it."""

    t_us: int
    recorded_us: int


@dataclass(frozen=True, slots=True)
class Ran:
    """What one run saw of a group."""

    night: int
    items: tuple[Seen, ...]
    run: str
    says: Says = Says.ENOUGH

    @property
    def holes(self) -> tuple[Hole, ...]:
        """What of it is lost."""
        return tuple(seen.value for seen in self.items if isinstance(seen.value, Hole))


def night_of(nightly: Nightly, case: Case, t_us: int) -> int:
    """Return the night of an instant where the plan lives."""
    return calendar.night_of(nightly.per, case.plan.timezone, t_us)


def whens(rule: Rule, groups: Groups, case: Case) -> dict[str, When]:
    """Return when each run made a load for a rule, also of runs whose load was refused."""
    asking = {
        case.full(criterion.id)
        for criterion in case.phase.criteria
        if criterion.rule and _asks(rule, criterion.rule)
    }
    tried_at = {
        tried.run: When(tried.t_us, tried.t_us)
        for tried in case.world.tried
        if not asking.isdisjoint(tried.criteria)
    }
    saw: dict[str, list[Seen]] = {}
    for sides in groups.values():
        for seen in sides.own.items:
            saw.setdefault(seen.run, []).append(seen)
    return tried_at | {run: _when(items) for run, items in saw.items()}


def _asks(rule: Rule, other: Rule) -> bool:
    return (other.metric, other.where) == (rule.metric, rule.where)


def _when(items: Sequence[Seen]) -> When:
    return When(min(s.slot.t_us for s in items), min(s.seen_us for s in items))


def enough(rule: Rule, series: Series, case: Case) -> list[Ran]:
    """Return the runs of a side that say enough, in the order in which they first recorded."""
    runs = {run: _when(seen.items) for run, seen in series.by_run.items()}
    return [ran for ran in _ran(rule, series, runs, case) if ran.says is Says.ENOUGH]


def latest(
    rule: Rule, series: Series, runs: Mapping[str, When], tonight: int, case: Case
) -> list[list[Ran]]:
    """Return the runs that count of tonight and of the nights before, each night's first ones.

    Of nights before, those that say nothing to compare add nothing; tonight they are unknown.
    """
    nightly = rule.nightly
    assert nightly is not None
    nights: list[list[Ran]] = [[] for _ in range(nightly.latest)]
    for ran in _ran(rule, series, runs, case):
        ago = tonight - ran.night
        if 0 <= ago < nightly.latest and len(nights[ago]) <= nightly.confirm:
            nights[ago].append(ran)
    return [nights[0], *([r for r in night if r.says is Says.ENOUGH] for night in nights[1:])]


def _ran(rule: Rule, series: Series, runs: Mapping[str, When], case: Case) -> Iterator[Ran]:
    assert rule.nightly is not None
    load = offer_of(series.of_run(case.world.run.id).items)
    for run in sorted(runs, key=lambda run_id: (runs[run_id].recorded_us, run_id)):
        items = tuple(series.of_run(run).items)
        says = _says(rule, items)
        if load is not None and says is Says.ENOUGH and not _of(load, items):
            says = Says.OTHER
        yield Ran(night_of(rule.nightly, case, runs[run].t_us), items, run, says)


def _says(rule: Rule, items: tuple[Seen, ...]) -> Says:
    if Slice((), items, rule.scopes[0], 1).n >= rule.need or _unknown(items):
        return Says.ENOUGH
    return Says.LITTLE if items else Says.NOTHING


def _unknown(items: Iterable[Seen]) -> bool:
    return any(isinstance(seen.value, Hole) and seen.value.n is None for seen in items)


def offer_of(items: Iterable[Seen]) -> frozenset[str] | None:
    """Return which loads were seen, none of a metric that is of no load; None of nothing."""
    offers = [dict(seen.slot.labels).get(OFFER, "") for seen in items]
    return frozenset(offers) - {""} if offers else None


def _of(load: frozenset[str], items: Sequence[Seen]) -> bool:
    """Whether a run is of a load; of what a killed run lost nobody knows, and it is lost anyway."""
    offers = offer_of(items)
    return offers == load or (not offers and all(isinstance(seen.value, Hole) for seen in items))


def same_load(ran: Ran, items: Sequence[Seen]) -> bool:
    """Return whether a run is of the same load as what was seen."""
    load = offer_of(items)
    return load is None or _of(load, ran.items)


def value_of(rule: Rule, ran: Ran, case: Case) -> Fraction | None:
    """Return what is taken of one run; None where something of it is lost, or nothing is known."""
    if ran.holes or ran.says is not Says.ENOUGH:
        return None
    point = tallied(rule, ran.items, rule.scopes[0], Terms(case.plan.timezone)).point()
    return point.value if point else None


def worse_of(rule: Rule, ran: Ran, case: Case) -> float:
    """Return the logarithm of what one run took, with the sign that makes more of it worse."""
    value, upward = value_of(rule, ran, case), rule.bands.passes.upward
    if value is None:
        return LOST
    if value <= 0:
        return math.inf if upward else -math.inf
    size = math.log(value.numerator) - math.log(value.denominator)
    return -size if upward else size


def is_nothing(rule: Rule, ran: Ran, case: Case) -> bool:
    """Return whether a run took nothing, or less, of what is better the less it is: no ratio."""
    value = value_of(rule, ran, case)
    return value is not None and value <= 0 and not rule.bands.passes.upward


_OF_SAMPLES = (Take.MIN, Take.MAX, Take.LAST, Take.QUANTILE, Take.COUNT, Take.SUM)


def rounding(rule: Rule, values: Sequence[Fraction]) -> float:
    """Return how much, as a logarithm, a step of one is of values that are all whole; else 0.

    A count a second is no finer than one, whatever the nights show: always 40 may be 39.6.
    """
    whole = values and all(fraction.denominator == 1 and fraction > 0 for fraction in values)
    if not whole or rule.take.take not in _OF_SAMPLES:
        return 0.0
    return math.log1p(len(values) / float(sum(values)))
