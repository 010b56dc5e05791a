"""The kernels against scipy, and against the figures that their sources print."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from scipy import integrate, special, stats

from pytest_rollout.judge import kernels

LEVELS = st.sampled_from((0.1, 0.05, 0.025, 0.01, 1e-3, 1e-6))
SIZES = st.integers(1, 3000)
SLOWLY = settings(deadline=None)
COUNTS = st.one_of(st.integers(0, 30), st.integers(0, 2_000_000))
SHARES = st.one_of(
    st.sampled_from((1e-9, 1e-6, 0.05, 0.5, 0.95, 0.999, 1 - 1e-6, 1 - 1e-9)),
    st.floats(0.001, 0.999),
)


@given(st.floats(1e-6, 1 - 1e-6), st.floats(0.5, 3000), st.floats(0.5, 3000))
@SLOWLY
def test_the_beta_distribution(x: float, a: float, b: float) -> None:
    assert kernels.beta_cdf(x, a, b) == pytest.approx(stats.beta.cdf(x, a, b), rel=1e-8, abs=1e-13)


@given(LEVELS, SIZES, st.data())
@SLOWLY
def test_bounds_of_a_share(a: float, n: int, data: st.DataObject) -> None:
    s = data.draw(st.integers(0, n))
    low = stats.beta.ppf(a, s, n - s + 1) if s else 0
    high = stats.beta.ppf(1 - a, s + 1, n - s) if s < n else 1
    assert kernels.share_low(s, n, a) == pytest.approx(low, abs=1e-9)
    assert kernels.share_high(s, n, a) == pytest.approx(high, abs=1e-9)


@pytest.mark.parametrize(
    ("n", "share"), [(14, 0.80), (29, 0.90), (59, 0.95), (299, 0.99), (598, 0.995)]
)
def test_zero_failure_sample_sizes_at_95_percent(n: int, share: float) -> None:
    assert kernels.share_low(n, n, 0.05) >= share
    assert kernels.share_low(n - 1, n - 1, 0.05) < share


def test_twenty_of_twenty_is_no_proof_of_ninety_percent() -> None:
    assert kernels.share_low(20, 20, 0.05) == pytest.approx(0.861, abs=5e-4)


@given(SIZES, st.floats(0.01, 0.99), st.data())
@SLOWLY
def test_the_binomial_distribution(n: int, p: float, data: st.DataObject) -> None:
    s = data.draw(st.integers(-1, n))
    assert kernels.binomial_cdf(s, n, p) == pytest.approx(stats.binom.cdf(s, n, p), abs=1e-9)


@given(st.integers(1, 400), st.sampled_from((0.5, 0.9, 0.95, 0.99)), LEVELS)
@SLOWLY
def test_ranks_that_bound_a_quantile(n: int, q: float, a: float) -> None:
    low, high = kernels.rank_low(n, q, a), kernels.rank_high(n, q, a)
    assert low <= math.ceil(q * n) <= high
    # P(quantile < X(low)) is P(fewer than low below it); one rank more would be too many.
    assert stats.binom.cdf(low - 1, n, q) <= a + 1e-12
    assert stats.binom.cdf(low, n, q) > a - 1e-12 or low == n
    assert stats.binom.sf(high - 1, n, q) <= a + 1e-12
    assert stats.binom.sf(high - 2, n, q) > a - 1e-12 or high == 1


@pytest.mark.parametrize("away", [-1600, -500, -3, 0, 1, 700])
def test_the_binomial_distribution_at_large_counts(away: int) -> None:
    n = 60_000
    k = n // 2 + away
    exact = math.comb(n, k) / 2**n
    log_front = kernels._log_front(0.5, k, n - k + 1)
    assert log_front - math.log(k / 2) == pytest.approx(math.log(exact), rel=1e-13, abs=1e-13)


@given(st.integers(1, 10**6), st.floats(1e-9, 1 - 1e-9), st.data())
@SLOWLY
def test_the_binomial_distribution_at_any_share(n: int, p: float, data: st.DataObject) -> None:
    k = data.draw(st.integers(1, n))
    found = kernels._log_front(p, k, n - k + 1) - math.log(k) - math.log1p(-p)
    assert found == pytest.approx(stats.binom.logpmf(k, n, p), rel=1e-8, abs=1e-8)


@given(st.integers(0, 400), st.integers(0, 60), st.sampled_from((0.5, 0.9, 0.99)))
@SLOWLY
def test_the_mixture_is_the_average_of_likelihood_ratios(good: int, bad: int, p: float) -> None:
    odds = p / (1 - p)

    def weighted_ratio(x: float) -> float:
        weight = odds * x ** (odds - 1) / p**odds
        return float(weight * (x / p) ** good * ((1 - x) / (1 - p)) ** bad)

    more = good + odds - 1
    peak = min(p, more / (more + bad)) if more + bad else p
    value, _ = integrate.quad(weighted_ratio, 0, p, points=[peak, 0.95 * peak], limit=500)
    log_e = kernels.watched_log_e(good, bad, p)
    assert log_e == pytest.approx(math.log(value), rel=1e-5, abs=1e-5)


@given(COUNTS, COUNTS, SHARES)
@example(0, 10**6, 1 - 1e-9)
@example(10**6, 10**6, 1e-9)
@SLOWLY
def test_the_mixture_at_large_counts(good: int, bad: int, p: float) -> None:
    a, b, odds = p / (1 - p) + good, 1 + bad, p / (1 - p)
    inside = special.betainc(a, b, p)
    assume(inside > 1e-250)
    expected = (
        (special.betaln(a, b) + math.log(inside))
        - (special.betaln(odds, 1) + odds * math.log(p))
        - (good * math.log(p) + bad * math.log1p(-p))
    )
    size = 1e-12 * (abs(special.betaln(a, b)) + good + bad + odds)
    assert kernels.watched_log_e(good, bad, p) == pytest.approx(expected, rel=1e-8, abs=1e-6 + size)


def test_nothing_seen_is_no_evidence() -> None:
    for p in (1e-12, 0.05, 0.5, 0.95, 1 - 1e-12):
        assert kernels.watched_log_e(0, 0, p) == pytest.approx(0, abs=1e-15)


def worse_never_lowers(good: int, bad: int, p: float) -> None:
    before = kernels.watched_log_e(good, bad, p)
    assert kernels.watched_most(good, bad, p) >= before - 1e-7
    assert kernels.watched_log_e(good, bad + 1, p) >= before
    assert kernels.watched_log_e(good + 1, bad, p) <= before
    if good:
        assert kernels.watched_log_e(good - 1, bad + 1, p) >= before


@given(COUNTS, COUNTS, SHARES)
@SLOWLY
def test_worse_outcomes_never_lower_the_evidence(good: int, bad: int, p: float) -> None:
    worse_never_lowers(good, bad, p)


@given(st.integers(0, 2_000_000), st.floats(-4, 4), SHARES)
@SLOWLY
def test_worse_outcomes_never_lower_the_evidence_of_a_service_near_the_limit(
    n: int, away: float, p: float
) -> None:
    bad = min(n, max(0, round(n * (1 - p) + away * math.sqrt(n * p * (1 - p)))))
    worse_never_lowers(n - bad, bad, p)


def watched(asked: float, truth: float, samples: int, a: float) -> tuple[float, float]:
    """Return the exact chance that a service trips, and the mean samples until it then has."""
    states, tripped, taken = {0: 1.0}, 0.0, 0.0
    fewest = 0
    for n in range(1, samples + 1):
        later: dict[int, float] = {}
        for bad, weight in states.items():
            later[bad] = later.get(bad, 0.0) + weight * truth
            later[bad + 1] = later.get(bad + 1, 0.0) + weight * (1 - truth)
        while fewest <= n and kernels.watched_log_e(n - fewest, fewest, asked) < -math.log(a):
            fewest += 1
        now = sum(weight for bad, weight in later.items() if bad >= fewest)
        tripped, taken = tripped + now, taken + now * n
        states = {bad: weight for bad, weight in later.items() if bad < fewest}
    return tripped, taken / tripped


def test_watching_finds_what_is_worse_and_seldom_what_is_as_good() -> None:
    false, _ = watched(0.95, 0.95, 500, 0.05)
    assert 0.015 < false <= 0.05
    assert watched(0.95, 0.92, 500, 0.05)[0] >= 0.60
    caught, samples = watched(0.95, 0.90, 500, 0.05)
    assert caught >= 0.95
    assert samples <= 190


@pytest.mark.parametrize(("p", "samples"), [(0.3, 200), (0.9, 1000), (0.99, 1500)])
def test_watching_any_share_keeps_its_level(p: float, samples: int) -> None:
    for a in (0.2, 0.01):
        assert 0.05 * a < watched(p, p, samples, a)[0] <= a


@given(st.lists(st.floats(0, 1), min_size=1, max_size=60), LEVELS)
@SLOWLY
def test_the_bound_of_a_mean_is_below_it_and_in_no_order(xs: list[float], a: float) -> None:
    weighted = [(x, 1) for x in xs]
    low = kernels.mean_low(weighted, a)
    assert 0 <= low <= sum(xs) / len(xs) + 1e-9
    assert kernels.mean_low(weighted[::-1], a) == pytest.approx(low, abs=1e-9)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.data())
@SLOWLY
def test_a_larger_value_never_lowers_the_bound_of_a_mean(
    xs: list[float], data: st.DataObject
) -> None:
    index = data.draw(st.integers(0, len(xs) - 1))
    larger = list(xs)
    larger[index] = data.draw(st.floats(xs[index], 1))
    before = kernels.mean_low([(x, 1) for x in xs], 0.05)
    assert kernels.mean_low([(x, 1) for x in larger], 0.05) >= before - 1e-12


@pytest.mark.slow
def test_the_bound_of_a_mean_holds_as_often_as_it_says() -> None:
    chance = random.Random(11)
    misses = sum(
        kernels.mean_low([(chance.betavariate(2, 5), 1) for _ in range(80)], 0.05) > 2 / 7
        for _ in range(500)
    )
    assert misses <= 0.05 * 500 + 15


def test_what_a_pass_would_have_caught() -> None:
    assert kernels.missed_share(0, 59) == pytest.approx(1 - 0.05 ** (1 / 59))
    assert kernels.missed_share(2, 100) == pytest.approx(stats.beta.ppf(0.95, 3, 98), abs=1e-9)
    assert kernels.missed_share(5, 5) == 1
