"""Figures of a report: from what was seen, N/A without, and never prettier than it was."""

from __future__ import annotations

import pytest

from pytest_rollout.judge.figures import value_of
from pytest_rollout.model.reporting import Figure
from pytest_rollout.model.rule import Take, Taking
from tests.judge.worlds import seen

RATE = Figure("Uptime", metric="m", taking=Taking(Take.RATE, "rate"), percent=True)
MEAN = Figure("Error", metric="m", taking=Taking(Take.MEAN, "mean"))


def test_a_mean_with_how_many_it_is_of() -> None:
    assert value_of(MEAN, [seen(0.1), seen(0.2, 1)], {}) == "0.15, n = 2"


def test_nothing_seen_is_no_figure() -> None:
    assert value_of(MEAN, [], {}) == "N/A"
    assert value_of(MEAN, [seen(1, series="other"), seen(1, lane="B")], {"lane": "A"}) == "N/A"


def test_a_lost_sample_leaves_it_unknown() -> None:
    assert value_of(MEAN, [seen(0.1), seen(None, 1)], {}) == ("N/A (1 of 2 samples cannot be read)")


@pytest.mark.parametrize(
    ("bad", "of", "shown"),
    [(0, 10, "100.0 %, n = 10"), (1, 3, "66.7 %, n = 3"), (1, 10_000, "99.99 %, n = 10000")],
)
def test_a_percentage_is_not_rounded_to_all_or_nothing(bad: int, of: int, shown: str) -> None:
    outcomes = [seen(int(number >= bad), number) for number in range(of)]
    assert value_of(RATE, outcomes, {}) == shown


def test_a_total_is_split_by_a_label() -> None:
    figure = Figure("Projects", metric="m", taking=Taking(Take.SUM, "sum"), by="day")
    values = [seen(1, 0, day="3"), seen(1, 1, day="5"), seen(1, 2, day="5"), seen(0, 3, day="6")]
    assert value_of(figure, values, {}) == "3 (3: 1, 5: 2, 6: 0)"
