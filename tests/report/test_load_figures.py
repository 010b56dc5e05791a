"""Figures of a load record: by nearest rank, as the judge takes them, and none out of nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

import pytest
from hdrh.histogram import HdrHistogram
from hypothesis import given as each
from hypothesis import settings
from hypothesis import strategies as st

from pytest_rollout.checks.load import observe_series
from pytest_rollout.judge.takes import tally_of
from pytest_rollout.judge.tally import Terms
from pytest_rollout.model.evidence import Slot
from pytest_rollout.model.load import FAILED, LATENCY, SERIES, SERVICE_TIME, THROUGHPUT, LoadRecord
from pytest_rollout.model.rule import Confidence, ScopeKind
from pytest_rollout.report.load_cuts import LoadCut, Side, all_seen
from pytest_rollout.report.load_figures import (
    QUANTILES,
    Distribution,
    rate_figures,
    started_share,
    total_figures,
)
from pytest_rollout.report.load_words import ms, share_words, time_words
from tests.report import load_records as given

HISTOGRAMS = st.dictionaries(st.integers(0, 10**9).map(str), st.integers(0, 50), max_size=10)


@settings(max_examples=40)
@each(HISTOGRAMS, st.fractions(0, 1))
def test_a_percentile_is_that_of_the_sorted_values(kept: dict[str, int], q: Fraction) -> None:
    values = sorted(int(value) for value, count in kept.items() for _ in range(count))
    found = Distribution.of([kept])
    assert found.n == len(values)
    assert found.most == (values[-1] if values else None)
    expected = values[max(1, math.ceil(q * len(values))) - 1] if values else None
    assert found.at(q) == expected


@settings(max_examples=40)
@each(st.lists(HISTOGRAMS, max_size=3))
def test_several_histograms_are_one_of_all_values(kept: list[dict[str, int]]) -> None:
    values = sorted(int(one) for part in kept for one, count in part.items() for _ in range(count))
    spread = Distribution.of(kept).spread()
    ranks = [max(1, math.ceil(q * len(values))) for q in QUANTILES.values()]
    assert spread == tuple(values[rank - 1] if values else None for rank in ranks)


@settings(max_examples=40)
@each(HISTOGRAMS)
def test_a_curve_rises_from_all_to_the_last_one(kept: dict[str, int]) -> None:
    curve = list(Distribution.of([kept]).curve())
    assert curve == sorted(curve)
    n = sum(kept.values())
    for share, value in curve:
        assert share == pytest.approx(n / sum(c for v, c in kept.items() if int(v) >= value))


def test_percentiles_agree_with_those_of_hdr_histograms() -> None:
    histogram = HdrHistogram(1, 3_600_000_000, 3)
    kept: dict[str, int] = {}
    for value in range(1, 50_000, 7):
        histogram.record_value(value)
        key = str(histogram.get_highest_equivalent_value(value))
        kept[key] = kept.get(key, 0) + 1
    found = Distribution.of([kept])
    for name in ("p50", "p90", "p95", "p99"):
        theirs = histogram.get_value_at_percentile(float(name[1:]))
        assert found.at(QUANTILES[name]) == pytest.approx(theirs, rel=1e-3)


def test_values_that_are_no_numbers_are_refused() -> None:
    for kept in ({"fast": 1}, {"1.5": 1}, {"100": -1}):
        with pytest.raises(ValueError, match=r"fast|1\.5|-1"):
            Distribution.of([kept])


class _Kept:
    """Takes what is observed, as the fixture would, for one series and endpoint."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.values: list[tuple[Fraction, int]] = []

    def _mine(self, labels: Mapping[str, object]) -> bool:
        return not self.endpoint or labels.get("endpoint") == self.endpoint

    def __call__(self, metric: str, value: object, /, *, at: float, **labels: object) -> None:
        if self._mine(labels):
            self.values.append((Fraction(str(value)), 1))

    def ratio(self, metric: str, /, *, bad: int, of: int, at: float, **labels: object) -> None:
        if self._mine(labels):
            self.values += [(Fraction(1), bad), (Fraction(0), of - bad)]

    def distribution(
        self, metric: str, values: Mapping[object, int], /, *, at: float, **labels: object
    ) -> None:
        if self._mine(labels):
            self.values += [(Fraction(str(value)), n) for value, n in values.items()]


CUTS = (
    given.cut("< 100ms", "p50"),
    given.cut("< 500ms", "p99", need=100),
    given.cut("< 800ms", "p95", endpoint="start"),
    given.cut("< 60ms", "p99", SERVICE_TIME, endpoint="status"),
    given.cut("< 20ms", "mean", SERVICE_TIME),
    given.cut("< 2s", "max"),
    given.cut("< 1%", "rate", FAILED),
    given.cut(">= 28", "mean", THROUGHPUT),
    given.cut(">= 5", "min", THROUGHPUT),
)


@pytest.mark.parametrize("cut", CUTS, ids=lambda one: f"{one.rule.metric} {one.rule.take.text}")
@pytest.mark.parametrize("seed", [1, 2])
def test_what_stands_beside_a_cut_is_what_the_judge_takes(cut: LoadCut, seed: int) -> None:
    record = given.record(seed)
    kept = _Kept(cut.rule.where.get("endpoint", ""))
    observe_series(kept, record, cut.rule.metric, record.ended_us, by_second=False)
    tally = tally_of(cut.rule, cut.rule.scopes[0], Terms("UTC"))
    for number, (value, count) in enumerate(kept.values):
        if count:
            tally.add(value, count, Slot(cut.rule.metric, (), number))
    (seen,) = all_seen(record, [cut])
    point = tally.point()
    assert point is not None
    assert (seen.value, seen.n) == (point.value, point.n)
    assert seen.value is not None
    assert seen.side is (Side.WITHIN if cut.cut.holds(seen.value) else Side.BEYOND)


def test_a_rule_that_asks_for_more_is_not_told_here() -> None:
    plain = given.cut("< 100ms", "p50")
    for rule in (
        replace(plain.rule, confidence=Confidence(Fraction(1, 20), "95%")),
        replace(plain.rule, scopes=(replace(plain.rule.scopes[0], kind=ScopeKind.SINCE),)),
    ):
        (seen,) = all_seen(given.record(), [replace(plain, rule=rule)])
        assert seen.side is Side.UNTOLD


def test_too_few_values_lie_on_no_side() -> None:
    (seen,) = all_seen(given.record(), [given.cut("< 100ms", "p50", need=10**6)])
    assert seen.side is Side.FEW
    (none,) = all_seen(given.record(), [given.cut("< 100ms", "p50", endpoint="nowhere")])
    assert (none.side, none.value, none.said) == (Side.FEW, None, "nothing")


def test_a_value_is_rounded_only_where_it_still_lies_on_its_side() -> None:
    times = {"799600": 10}
    endpoint = replace(given.record().endpoints[0], requests=10, failures=0, latency=times)
    record = replace(given.record(), endpoints=(endpoint,))
    within, beyond, close = all_seen(
        record, [given.cut(text, "p50") for text in ("< 900ms", "< 700ms", "< 800ms")]
    )
    assert (within.said, beyond.said, close.said) == ("800ms", "800ms", "799.6ms")


def test_rates_are_those_of_the_counters() -> None:
    record = given.record()
    rates = rate_figures(record)
    seconds = [one for one in record.seconds if given.WARM_S <= one.second < given.WHOLE_S]
    good = sum(one.answered - one.failed for one in seconds)
    assert rates.offered == given.RATE
    assert rates.started == pytest.approx(record.started / given.WHOLE_S)
    assert rates.answered == pytest.approx(good / len(seconds))
    assert started_share(record) == 1


def test_nothing_has_no_figure() -> None:
    empty = nothing()
    total = total_figures(empty)
    assert total.latency.spread() == (None,) * len(QUANTILES)
    assert total.failed_share is None
    assert rate_figures(empty).started is None
    assert started_share(empty) is None


def nothing() -> LoadRecord:
    """A record of a run in which nothing happened."""
    return given.record(
        endpoints=(),
        seconds=(),
        errors=(),
        generators=(),
        start_delay={},
        planned=0,
        started=0,
        warm_up_us=0,
        duration_us=0,
        ended_us=given.record().started_us,
        offered_rate=None,
    )


@each(st.integers(0, 10**11))
def test_times_keep_three_digits(us: int) -> None:
    shown = ms(us)
    assert float(shown.replace(",", "")) == pytest.approx(us / 1000, rel=0.005, abs=0.0005)
    number, unit = time_words(us).split()
    size = {"us": 1, "ms": 1000, "s": 1_000_000}[unit]
    assert float(number.replace(",", "")) * size == pytest.approx(us, rel=0.005)


@each(st.floats(0, 1))
def test_a_share_is_all_or_none_only_where_it_is(share: float) -> None:
    said = share_words(share)
    assert (said == "100 %") == (share == 1)
    assert (said == "0 %") == (share == 0)


def test_every_series_is_tried_beside_the_judge() -> None:
    assert (
        {cut.rule.metric for cut in CUTS}
        == set(SERIES)
        == {LATENCY, SERVICE_TIME, FAILED, THROUGHPUT}
    )
