"""Guardrails over the last samples: the chance over all windows of a phase, counted out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.coverage import rule
from pytest_rollout.judge import kernels
from pytest_rollout.judge.outcomes import alarm
from pytest_rollout.model.rule import Rule, Scope, ScopeKind

Trips = Callable[[int, int], bool]  # of good and bad in a window


def ever(trips: Trips, sizes: Sequence[int], w: int, p: float, need: int = 1) -> float:
    """Return the exact chance that one of the windows of ``w`` slots trips.

    ``sizes`` are the samples of each slot; each sample is bad with a chance of ``p``. A window
    is looked at after each slot, once it has ``need`` samples.
    """
    states: dict[tuple[int, ...], float] = {(): 1.0}
    for end, size in enumerate(sizes, start=1):
        n = sum(sizes[max(0, end - w) : end])
        chances = [comb(size, bad) * p**bad * (1 - p) ** (size - bad) for bad in range(size + 1)]
        later: dict[tuple[int, ...], float] = defaultdict(float)
        for state, weight in states.items():
            for bad, chance in enumerate(chances):
                window = (*state, bad)[-w:]
                if n < need or not trips(n - sum(window), sum(window)):
                    later[window[-(w - 1) :] if w > 1 else ()] += weight * chance
        states = later
    return 1 - sum(states.values())


@pytest.mark.parametrize("w", range(1, 9))
@pytest.mark.parametrize("p", [0.01, 0.2, 0.5, 0.9])
def test_two_windows_length_is_exact(w: int, p: float) -> None:
    for k in range(1, w + 1):
        exact = ever(lambda _, bad, k=k: bad >= k, [1] * (2 * w), w, p, need=w)  # type: ignore[misc]
        assert kernels.moving_chance(k, w, w + 1, p) == pytest.approx(exact, rel=1e-9, abs=1e-14)


@pytest.mark.parametrize(("w", "windows"), [(4, 1), (4, 2), (4, 5), (4, 6), (7, 20), (5, 61)])
@pytest.mark.parametrize("p", [0.02, 0.1, 0.4])
def test_any_number_of_windows_has_a_bound(w: int, windows: int, p: float) -> None:
    for k in range(1, w + 1):
        sizes = [1] * (windows + w - 1)
        exact = ever(lambda _, bad, k=k: bad >= k, sizes, w, p, need=w)  # type: ignore[misc]
        bound = kernels.moving_chance(k, w, windows, p)
        assert exact <= bound + 1e-12
        assert bound <= min(1, 2.1 * exact)  # and not by far


def test_no_bad_sample_is_sure_and_more_than_all_are_impossible() -> None:
    assert kernels.moving_chance(0, 5, 10, 0.1) == 1
    assert kernels.moving_chance(6, 5, 10, 0.1) == 0
    assert kernels.moving_chance(1, 5, 6, 0.1) == pytest.approx(1 - 0.9**10)
    assert kernels.moving_chance(5, 5, 1, 0.1) == pytest.approx(0.1**5)


@given(
    st.integers(1, 400),
    st.integers(1, 5000),
    st.floats(1e-6, 0.5),
    st.floats(1, 3),
    st.data(),
)
def test_the_chance_falls_with_more_bad_and_grows_with_all_else(
    w: int, windows: int, p: float, factor: float, data: st.DataObject
) -> None:
    k = data.draw(st.integers(0, w))
    chance = kernels.moving_chance(k, w, windows, p)
    assert kernels.moving_chance(k + 1, w, windows, p) <= chance + 1e-12
    assert kernels.moving_chance(k, w, windows + 1, p) >= chance - 1e-12
    assert kernels.moving_chance(k, w, windows, min(0.99, p * factor)) >= chance - 1e-12


@pytest.mark.parametrize(
    ("w", "p", "samples", "fewest", "chance"),
    [(50, 0.05, 500, 9, 0.0432), (20, 0.05, 500, 6, 0.0442), (20, 0.02, 240, 4, 0.0292)],
)
def test_the_fewest_bad_of_some_windows(
    w: int, p: float, samples: int, fewest: int, chance: float
) -> None:
    windows = samples - w + 1
    assert kernels.fewest_bad(w, windows, p, 0.05) == fewest
    assert kernels.moving_chance(fewest, w, windows, p) == pytest.approx(chance, abs=1e-4)
    assert kernels.moving_chance(fewest - 1, w, windows, p) > 0.05
    alone = next(k for k in range(w) if kernels.binomial_cdf(w - k, w, 1 - p) <= 0.05 / windows)
    assert alone > fewest
    for bad in range(w + 1):
        assert kernels.moving_trips(w - bad, bad, w, windows, 1 - p, 0.05) == (bad >= fewest)


def test_a_window_that_is_too_small_to_be_rare_never_trips() -> None:
    assert kernels.fewest_bad(3, 500, 0.3, 0.05) == 4
    assert not kernels.moving_trips(0, 3, 3, 500, 0.7, 0.05)


SIZES = {
    "one a slot": (1,),
    "two a slot": (2,),
    "none or two": (0, 2),
    "now and then more": (1, 1, 1, 1, 1, 1, 1, 3),
    "now and then none": (1, 1, 1, 1, 0, 1, 1),
    "first one, later three": (*(1,) * 24, *(3,) * 24),
}


@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
@pytest.mark.parametrize(("w", "p"), [(4, 0.02), (5, 0.05), (6, 0.1)])
@pytest.mark.parametrize("a", [0.05, 0.2])
@pytest.mark.parametrize("need", [1, 4])
def test_all_windows_of_a_phase_keep_one_level(
    sizes: tuple[int, ...], w: int, p: float, a: float, need: int
) -> None:
    slots = (sizes * 48)[:48]

    def trips(good: int, bad: int) -> bool:
        return kernels.moving_trips(good, bad, w, len(slots), 1 - p, a)

    assert ever(trips, slots, w, p, need) <= a


def test_fewer_samples_trip_as_a_part_of_a_window() -> None:
    assert kernels.moving_trips(40, 9, 50, 451, 0.95, 0.05)
    assert kernels.binomial_cdf(40, 49, 0.95) > 0.05 / 451
    assert not kernels.moving_trips(41, 8, 50, 451, 0.95, 0.05)


def test_windows_of_another_size_share_what_is_left_of_the_level() -> None:
    left = 0.05 - kernels.moving_chance(9, 50, 451, 0.05)
    for n, bad in product((20, 30, 51, 75, 200), range(20)):
        alone = kernels.binomial_cdf(n - bad, n, 0.95) <= left / 451
        expected = alone or (n < 50 and bad >= 9)
        assert kernels.moving_trips(n - bad, bad, 50, 451, 0.95, 0.05) == expected


def test_where_the_binomial_distribution_does_as_well_it_has_the_whole_level() -> None:
    w, windows, share = 10, 30, 0.95
    fewest = kernels.fewest_bad(w, windows, 0.05, 0.045)
    assert kernels.binomial_cdf(w - fewest, w, share) <= 0.05 / windows
    for n, bad in product((3, 8, 10, 11, 30), range(10)):
        alone = kernels.binomial_cdf(n - bad, n, share) <= 0.05 / windows
        assert kernels.moving_trips(n - bad, bad, w, windows, share, 0.05) == alone


def test_a_tenth_of_the_level_is_kept_for_windows_of_another_size() -> None:
    assert 0.0499 < kernels.moving_chance(6, 50, 951, 0.02) < 0.05
    assert not kernels.moving_trips(44, 6, 50, 951, 0.98, 0.05)
    assert kernels.moving_trips(43, 7, 50, 951, 0.98, 0.05)
    rare = next(k for k in range(99) if kernels.binomial_cdf(99 - k, 99, 0.98) <= 0.005 / 951)
    assert kernels.moving_trips(99 - rare, rare, 50, 951, 0.98, 0.05)


@given(
    st.integers(1, 60),
    st.integers(1, 900),
    st.sampled_from((0.5, 0.9, 0.95, 0.99, 0.9999)),
    st.sampled_from((0.1, 0.05, 1e-3)),
    st.integers(0, 150),
)
def test_a_good_one_turned_bad_never_stops_a_trip(
    w: int, windows: int, share: float, a: float, n: int
) -> None:
    tripped = [kernels.moving_trips(n - bad, bad, w, windows, share, a) for bad in range(n + 1)]
    assert tripped == sorted(tripped)


@given(
    st.integers(1, 60),
    st.integers(1, 900),
    st.sampled_from((0.5, 0.9, 0.95, 0.99)),
    st.sampled_from((0.1, 0.05, 1e-3)),
)
def test_a_full_window_trips_no_later_than_by_its_part_of_the_level(
    w: int, windows: int, share: float, a: float
) -> None:
    for bad in range(w + 1):
        if kernels.binomial_cdf(w - bad, w, share) <= a / windows:
            assert kernels.moving_trips(w - bad, bad, w, windows, share, a)


def moving(over: str) -> Rule:
    confidence = "{level: 95%, windows: 451}"
    text = f'take: rate, fail: "< 0.95", over: [{over}], confidence: {confidence}'
    return rule(text, guardrail=True)


def test_the_judge_shares_the_level_of_the_last_samples_by_blocks() -> None:
    last = moving("{last: 50, need: 50}")
    for bad, n in product(range(12), (20, 49, 50, 51, 80)):
        expected = kernels.moving_trips(n - bad, bad, 50, 451, 0.95, 0.05)
        assert alarm(last, last.scopes[0], (n - bad, bad, 0.95), 0.05) == expected
    assert alarm(last, last.scopes[0], (41, 9, 0.95), 0.05)
    assert not alarm(last, last.scopes[0], (42, 8, 0.95), 0.05)


def test_other_windows_have_an_equal_part_of_the_level_each() -> None:
    span = moving("{span: 5m, need: 50}")
    several = replace(span, scopes=(Scope(ScopeKind.LAST, 50, last=50), span.scopes[0]))
    for stated in (span, several):
        assert alarm(stated, stated.scopes[0], (39, 11, 0.95), 0.05)
        assert not alarm(stated, stated.scopes[0], (40, 10, 0.95), 0.05)
