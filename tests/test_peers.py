"""The tests that others watch with, against the figures that their sources print."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import special

from benchmarks.coverage import head_to_head, peers
from benchmarks.coverage.mixtures import BetaBinomial, bernoulli_interval, quantile_p_value
from benchmarks.coverage.published import PUBLISHED
from pytest_rollout.judge import kernels

# confseq, test/uniform_boundaries_unittest.cpp at 89ecbfd
NEAR = 1e-5


@pytest.mark.parametrize(
    ("one_sided", "log_e", "bound"), [(True, -0.07134019, 28.41238), (False, -0.6941012, 31.4308)]
)
def test_the_beta_binomial_mixture(one_sided: bool, log_e: float, bound: float) -> None:
    mixture = BetaBinomial.tuned(100, 0.05, 0.2, 0.8, one_sided=one_sided)
    assert mixture.log_e(10, 100) == pytest.approx(log_e, abs=NEAR)
    assert mixture.bound(100, 0.05) == pytest.approx(bound, abs=NEAR)


def test_a_bound_that_no_sum_reaches_is_the_largest_sum() -> None:
    mixture = BetaBinomial.tuned(100, 0.05, 0.2, 0.8, one_sided=True)
    assert mixture.bound(2 * 0.2 * 0.8, 0.05) == pytest.approx(2 * 0.8, abs=NEAR)


@pytest.mark.parametrize(
    ("good", "n", "tuned", "low", "high"),
    [
        (700, 1000, 100, 0.651629, 0.745949),
        (15, 50, 50, 0.129556, 0.511896),
        (5, 50, 50, 0.013021, 0.269264),
        (1, 50, 50, 0.0, 0.13489),
        (1, 2, 50, 0.0, 1.0),
        (100, 200, 1, 0.328923, 0.671076),
        (0, 1, 50, 0.0, 1.0),
        (1, 1, 50, 0.0, 1.0),
    ],
)
def test_the_interval_of_a_share(good: int, n: int, tuned: int, low: float, high: float) -> None:
    assert bernoulli_interval(good, n, 0.05, tuned) == pytest.approx((low, high), abs=NEAR)


@pytest.mark.parametrize(
    ("q", "shift", "p_value"),
    [(0.5, 70, 0.814704), (0.5, 85, 0.0838055), (0.5, 100, 0.0054947), (0.9, 55, 0.0340463)],
)
def test_the_p_value_of_quantiles(q: float, shift: int, p_value: float) -> None:
    own, other = range(1, 1001), range(shift + 1, shift + 1001)
    assert quantile_p_value(q, own, other, 100) == pytest.approx(p_value, abs=NEAR)


@given(st.integers(0, 3000), st.integers(0, 300), st.sampled_from((0.3, 0.5, 0.9, 0.95, 0.99)))
def test_the_judges_own_mixture_is_one_of_theirs(good: int, bad: int, p: float) -> None:
    q = 1 - p
    assume(good + bad and special.betainc(p / q + good, 1 + bad, p) > 1e-280)
    theirs = BetaBinomial(q, p, p).log_e(p * bad - q * good, p * q * (good + bad))
    assert kernels.watched_log_e(good, bad, p) == pytest.approx(theirs, rel=1e-7, abs=1e-7)


def test_group_sequential_bounds() -> None:
    # ldbounds, as printed by N. Podlozhniy and by SeqBounds.jl; four digits are common to both
    linear = (2.241403, 2.125078, 2.018644, 1.925452)
    assert peers.planned(4, 0.05, 1) == pytest.approx(linear, abs=1e-4)
    like_obrien = (3.74955, 2.53993, 2.01604, 1.72014)
    spent = peers.obrien_fleming(0.05)
    bounds = peers.group_sequential(spent, [0.25, 0.5, 0.75, 1])
    assert bounds == pytest.approx(like_obrien, abs=1e-4)


def test_further_looks_are_bounded_as_if_each_were_the_last() -> None:
    bounds = peers.overrun(2, 4, 0.05, 1)
    assert bounds[:2] == peers.planned(2, 0.05, 1)
    assert bounds[2:] == (peers.planned(3, 0.05, 1)[-1], peers.planned(4, 0.05, 1)[-1])


def test_continuous_bounds_of_a_sum() -> None:
    n = np.asarray([1.0, 500.0])
    assert peers.yeast(n, 0.05, 500) == pytest.approx([1.959964 * math.sqrt(500)] * 2, rel=1e-6)
    assert peers.bonferroni(n, 0.05) == pytest.approx([1.959964, 1.959964 * math.sqrt(500)])
    rho = 250 / (math.log(math.log(math.e * 100)) + math.log(100))
    assert peers.gavi(n, 0.05, 250) == pytest.approx(peers.msprt(n, 0.05, rho))
    expected = math.sqrt(600 * math.log(600 / (100 * 0.01)))
    assert peers.msprt(n, 0.05, 100)[1] == pytest.approx(expected)


def test_the_guardrail_among_them_keeps_its_level() -> None:
    ours = next(one for one in head_to_head.outcomes(2000) if one.name == head_to_head.OURS)
    assert ours.rates[0] <= 0.05
    assert list(ours.rates) == sorted(ours.rates)
    assert ours.apart is None


def test_every_published_test_is_made() -> None:
    assert [test.name for test in head_to_head.tests()] == [head_to_head.OURS, *PUBLISHED]
