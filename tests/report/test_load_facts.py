"""What a load offered and what came back, in words."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_rollout.model.load import Offer, Shape, ShapeKind
from pytest_rollout.report.load_facts import facts
from pytest_rollout.report.load_live import live, live_line
from tests.report import load_records as given
from tests.report.test_load_page import in_words


@pytest.mark.parametrize(
    ("profile", "says"),
    [
        ({"offer": Offer(1, 29.0)}, ": 29/s asked; the seed drew 30.0/s, poisson gaps"),
        ({"offer": Offer(1, 0.5)}, ": 0.500/s asked; the seed drew 30.0/s, poisson gaps"),
        (
            {"offer": Offer(1, 1240.0), "shape": Shape(ShapeKind.RAMP)},
            ": 1,240/s asked at full load; 30.0/s over the whole time, poisson gaps, ramp",
        ),
    ],
)
def test_the_rate_that_is_asked_stands_beside_the_one_that_came_out(
    profile: dict[str, Any], says: str
) -> None:
    report = given.report(profile=given.profile(**profile))
    for text in in_words(report):
        assert says in text
    asked = f"({says.split()[1]} asked)"
    assert asked in live_line(report)
    assert asked in "".join(line.text for line in live(report, 100))
    for other in (None, given.profile(offer=Offer(1, None, 4))):
        assert "asked" not in "".join(facts(given.report(profile=other))[0])
