"""The kernels against scipy, and against the figures that their sources print."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import integrate, stats

from pytest_rollout.judge import kernels

LEVELS = st.sampled_from((0.1, 0.05, 0.025, 0.01, 1e-3, 1e-6))
SIZES = st.integers(1, 3000)
SLOWLY = settings(deadline=None)


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


@given(st.integers(0, 400), st.integers(0, 60), st.sampled_from((0.5, 0.9, 0.99)))
@SLOWLY
def test_the_mixture_is_the_average_of_likelihood_ratios(good: int, bad: int, p: float) -> None:
    def ratio(q: float) -> float:
        if not 0 < q < 1:
            return float(good == 0 and q == 0)
        logs = good * math.log(q / p) + bad * (math.log1p(-q) - math.log1p(-p))
        return math.exp(logs)

    peak = min(p, good / (good + bad)) if good + bad else p / 2
    value, _ = integrate.quad(ratio, 0, p, points=[peak], limit=500)
    log_e = kernels.watched_log_e(good, bad, p)
    assert log_e == pytest.approx(math.log(value / p), rel=1e-5, abs=1e-5)


def test_watching_a_healthy_share_seldom_reaches_one_in_twenty() -> None:
    chance = random.Random(7)
    alarms = 0
    for _ in range(400):
        good = bad = 0
        for _ in range(150):
            if chance.random() < 0.95:
                good += 1
            else:
                bad += 1
            if kernels.watched_log_e(good, bad, 0.95) >= math.log(20):
                alarms += 1
                break
    assert alarms <= 0.05 * 400 + 13  # three standard deviations above the level


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
