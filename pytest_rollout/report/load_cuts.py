"""The cuts of a plan's criteria that read a load, and what a record comes to beside each; pure.

What follows from it stands in the decision alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from fractions import Fraction

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.load import (
    ENDPOINT,
    FAILED,
    LATENCY,
    LOAD,
    SERIES,
    SERVICE_TIME,
    EndpointLoad,
    LoadRecord,
)
from pytest_rollout.model.load_values import throughput, with_failures
from pytest_rollout.model.numbers import decimal
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.rule import Cut, Rule, ScopeKind, Take
from pytest_rollout.model.units import PERCENT, size
from pytest_rollout.report.load_figures import SECOND_US, Distribution

_NAMES = {
    LATENCY: "latency",
    SERVICE_TIME: "service time",
    FAILED: "failed",
    "load_throughput": "answers a second",
}


class Side(StrEnum):
    """On which side of its cut a value lies."""

    WITHIN = "within"
    WARNED = "warned"  # within, and in the band that the plan warns of
    BEYOND = "beyond"
    FEW = "too few"
    UNTOLD = "decided elsewhere"  # the rule asks for more than one record shows


@dataclass(frozen=True, slots=True)
class LoadCut:
    """A criterion that reads a load, with its rule."""

    criterion: str  # its full id
    rule: Rule

    @property
    def cut(self) -> Cut:
        """The cut that a pass asks for."""
        return self.rule.bands.passes

    @property
    def is_time(self) -> bool:
        """Whether it is about how long answers take."""
        return self.rule.metric in (LATENCY, SERVICE_TIME)

    def endpoints(self, known: Iterable[str]) -> tuple[str, ...]:
        """Return the endpoints that it judges one by one; one empty name: all together."""
        stated = self.rule.where.get(ENDPOINT)
        if stated is not None:
            return (stated,)
        for each in self.rule.each:
            if each.label == ENDPOINT:
                return tuple(dict.fromkeys((*each.names, *known)))
        return ("",)


@dataclass(frozen=True, slots=True)
class CutSeen:
    """A cut with what the record comes to beside it."""

    cut: LoadCut
    endpoint: str  # empty: all together
    value: Fraction | None  # seconds, a share, or answers a second; None: nothing was seen
    n: int  # values that it is made of
    side: Side

    @property
    def said(self) -> str:
        """The value in the unit of its cut, of three digits where they tell on which side."""
        if self.value is None:
            return "nothing"
        cut = self.cut.cut
        unit = size(cut.unit)
        rounded = Fraction(f"{float(self.value / unit):.3g}")
        shown = rounded if cut.holds(rounded * unit) == cut.holds(self.value) else self.value / unit
        return decimal(shown) + (f" {cut.unit}" if cut.unit == PERCENT else cut.unit)

    @property
    def what(self) -> str:
        """What is taken: ``p95 of latency``."""
        rule = self.cut.rule
        return f"{rule.take.text} of {_NAMES.get(rule.metric, rule.metric)}"

    @property
    def line(self) -> str:
        """The cut for a plot: ``start p95 < 800ms``."""
        of = f"{self.endpoint} " if self.endpoint else ""
        return f"{of}{self.cut.rule.take.text} {self.cut.cut.text}"

    @property
    def limit_us(self) -> float | None:
        """The limit in microseconds, where it is one of how long a latency may be."""
        rule = self.cut.rule
        timed = rule.metric == LATENCY and rule.take.take in (Take.QUANTILE, Take.MAX)
        return float(self.cut.cut.limit * SECOND_US) if timed and not self.cut.cut.upward else None


def cuts_of(plan: Plan, load: str, phases: Iterable[Phase] | None = None) -> tuple[LoadCut, ...]:
    """Return the criteria that read a load, in the plan's order; of some phases, or of all."""
    return tuple(
        LoadCut(plan.address(phase.id).full(criterion.id), criterion.rule)
        for phase in (plan.phases if phases is None else phases)
        for criterion in phase.criteria
        if criterion.rule is not None and _reads(criterion.rule, load)
    )


def _reads(rule: Rule, load: str) -> bool:
    return rule.metric in SERIES and rule.where.get(LOAD, load) == load


def all_seen(record: LoadRecord, cuts: Sequence[LoadCut]) -> tuple[CutSeen, ...]:
    """Return what a record comes to beside each cut, an endpoint at a time, as rules take it."""
    return tuple(cut_seen for cut in cuts for cut_seen in _seen(record, cut))


def _seen(record: LoadRecord, cut: LoadCut) -> Iterator[CutSeen]:
    names = [endpoint_load.name for endpoint_load in record.endpoints]
    for endpoint in cut.endpoints(names):
        values = _values(record, cut.rule.metric, endpoint)
        value = _taken(cut.rule, values)
        yield CutSeen(cut, endpoint, value, values.n, _side(cut.rule, value, values.n))


def _side(rule: Rule, value: Fraction | None, n: int) -> Side:
    if value is None or not _is_plain(rule):
        return Side.FEW if not n else Side.UNTOLD
    if n < max(scope.need for scope in rule.scopes):
        return Side.FEW
    if not rule.bands.passes.holds(value):
        return Side.BEYOND
    warned = rule.bands.warn is not None and rule.bands.warn.holds(value)
    return Side.WARNED if warned else Side.WITHIN


def _is_plain(rule: Rule) -> bool:
    """Whether the samples of one run, taken together, tell on which side they lie."""
    asks_more = (rule.per, rule.streak, rule.tolerate, rule.versus, rule.confidence)
    other_groups = any(each.label != ENDPOINT for each in rule.each)
    in_run = all(scope.kind is ScopeKind.RUN for scope in rule.scopes)
    return in_run and not other_groups and not any(asks_more)


@dataclass(frozen=True, slots=True)
class _Values:
    """Values of a series: whole numbers, and how much one of them is."""

    numbers: Distribution
    unit: Fraction = Fraction(1)

    @property
    def n(self) -> int:
        return self.numbers.n

    def pairs(self) -> Iterator[tuple[Fraction, int]]:
        """Each value with how often it was seen."""
        before = 0
        for value, below in zip(self.numbers.values, self.numbers.below, strict=True):
            yield value * self.unit, below - before
            before = below


def _values(record: LoadRecord, metric: str, endpoint: str) -> _Values:
    chosen = [
        endpoint_load for endpoint_load in record.endpoints if endpoint in ("", endpoint_load.name)
    ]
    if metric in (LATENCY, SERVICE_TIME):
        histograms = (
            (
                endpoint_load,
                endpoint_load.latency if metric == LATENCY else endpoint_load.service_time,
            )
            for endpoint_load in chosen
        )
        times = (with_failures(endpoint_load, histogram) for endpoint_load, histogram in histograms)
        return _Values(Distribution.of(times), Fraction(1, SECOND_US))
    if metric == FAILED:
        return _Values(Distribution.of(map(_outcomes, chosen)))
    return _Values(Distribution.of({answered: 1} for _, answered in throughput(record)))


def _outcomes(endpoint: EndpointLoad) -> dict[int, int]:
    return {1: endpoint.failures, 0: endpoint.requests - endpoint.failures}


def _taken(rule: Rule, values: _Values) -> Fraction | None:
    if not values.n:
        return None
    total = sum((value * count for value, count in values.pairs()), Fraction(0))
    taking = rule.take
    match taking.take:
        case Take.QUANTILE if taking.quantile is not None:
            at = values.numbers.at(taking.quantile)
            return None if at is None else at * values.unit
        case Take.MAX:
            return values.numbers.values[-1] * values.unit
        case Take.MIN:
            return values.numbers.values[0] * values.unit
        case Take.SUM:
            return total
        case Take.MEAN | Take.RATE:
            return total / values.n
        case Take.COUNT:
            return Fraction(values.n)
        case Take.SHARE if taking.share_of is not None:
            cut = taking.share_of
            return Fraction(sum(n for value, n in values.pairs() if cut.holds(value)), values.n)
        case _:
            return None
