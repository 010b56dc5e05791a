"""What a load offered and what came back, in words."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pytest_rollout.model.load import Offer, Shape, ShapeKind
from pytest_rollout.report.load_facts import facts
from pytest_rollout.report.load_live import live, live_line
from pytest_rollout.report.load_stored import link_of
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


def test_few_answers_are_told_and_many_are_not() -> None:
    ends = tuple(
        replace(one, requests=2, failures=0, latency={"9": 2}, service_time={"9": 2})
        for one in given.record().endpoints
    )
    few = given.report(record=given.record(endpoints=ends))
    for text in (*in_words(few), link_of(few, "load-nightly").says):
        assert "6 answers: too few to tell how often one is slow" in text
    many = given.report()
    assert many.total.requests >= 100
    for text in (*in_words(many), link_of(many, "load-nightly").says):
        assert "too few to tell" not in text
    assert not given.report(record=few.record, doubts=("no",)).rests_on
