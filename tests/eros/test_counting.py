"""What the later phases count by themselves: triggers, alerts, figures, steady steps."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from pytest_rollout import Reported
from suites.eros.views import figures
from suites.eros.views.alarms import looks
from suites.eros.views.journal import Run
from suites.eros.views.said import is_sentence
from suites.eros.views.trigger_cases import KNOWN, Row, fires, rows

BEGIN = datetime(2026, 2, 2, 20, tzinfo=UTC)
FIRES = {  # the run after which the rule must fire, from 0
    "5 of 7 in five minutes": 6,
    "16 of 20 in five minutes": 18,
    "8 of the last ten, three in five minutes": 9,
    "181 three times": 3,
    "two of 400 among the last twenty": 33,
    "2 of 10": 9,
    "two that are ten apart": None,
    "two that are nine apart": 11,
    "69.9 ten times": 9,
    "76 and then 69.99": 10,
    "a slow decline": 15,
}


@pytest.mark.parametrize("why", FIRES)
def test_a_known_row_fires_where_it_must(why: str) -> None:
    (found,) = [(rule, row) for rule, known in KNOWN.items() for row in known if row.why == why]
    assert fires(*found) == FIRES[why]


@pytest.mark.parametrize("rule", KNOWN)
def test_rows_stand_on_both_sides(rule: str) -> None:
    due = [fires(rule, row) for row in rows(rule)]
    assert len([one for one in due if one is None]) >= 3
    assert len([one for one in due if one is not None]) >= 3


def test_rows_are_the_same_each_time() -> None:
    assert list(rows("gates")) == list(rows("gates"))
    assert fires("gates", Row("none", [0] * 40)) is None


def runs(fields: Sequence[dict[str, Any]]) -> list[Run]:
    """Runs of v5, a minute apart."""
    found = []
    for number, given in enumerate(fields):
        ended = BEGIN + timedelta(minutes=number)
        seconds = given.get("duration_s", 75)
        said = {
            "run_id": f"r{number}",
            "started": (ended - timedelta(seconds=seconds)).isoformat(),
            "ended": ended.isoformat(),
            "outcome": "ok",
            "duration_s": seconds,
            "quality": 85,
            "violations": [],
            **given,
        }
        found.append(Run(Reported(said, "a test")))
    return found


GOOD: dict[str, Any] = {}
BAD: dict[str, dict[str, Any]] = {
    "success": {"outcome": "failed", "quality": None},
    "latency": {"duration_s": 121},
    "gates": {"violations": ["overlap"]},
    "quality": {"quality": 79},
}


@pytest.mark.parametrize(("figure", "needed"), [("success", 2), ("latency", 2), ("gates", 2)])
def test_an_alert_is_due_once_a_figure_is_beyond_its_limit(figure: str, needed: int) -> None:
    bad = BAD[figure]
    seen = list(looks(figure, runs([GOOD] * 19 + [bad] * needed + [GOOD] * 25), ()))
    assert [look.holds for look in seen[:needed]] == [False] * (needed - 1) + [True]
    assert sum(look.begins for look in seen) == 1
    assert not seen[-1].holds


def test_nineteen_runs_alert_nobody() -> None:
    assert list(looks("success", runs([BAD["success"]] * 19), ())) == []


def test_quality_alerts_under_80_only() -> None:
    at_limit = list(looks("quality", runs([{"quality": 80}] * 20), ()))
    assert [(look.value, look.holds) for look in at_limit] == [(Fraction(80), False)]
    below = list(looks("quality", runs([{"quality": 80}] * 19 + [BAD["quality"]]), ()))
    assert [look.holds for look in below] == [True]


def test_a_difference_alerts_under_minus_5_only() -> None:
    pair = {"v4": {"quality": 85}, "v5": {"quality": 80}}
    pairs = [
        Reported({**pair, "at": (BEGIN + timedelta(minutes=n)).isoformat()}, "a test")
        for n in range(20)
    ]
    assert [look.holds for look in looks("shadow-diff", (), pairs)] == [False]
    later = (BEGIN + timedelta(minutes=30)).isoformat()
    worse = {"at": later, "v4": {"quality": 85}, "v5": {"quality": 79.9}}
    pairs.append(Reported(worse, "a test"))
    assert [look.holds for look in looks("shadow-diff", (), pairs)] == [False, True]


def test_figures_are_counted_before_fallback() -> None:
    seen = runs([GOOD] * 3 + [BAD["success"]])
    assert figures.success(seen) == Fraction(3, 4)
    assert figures.quality(seen) == 85
    assert figures.latency(runs([{"duration_s": n} for n in range(1, 21)])) == 19
    assert figures.success([]) is None


def test_a_figure_that_is_rounded_is_the_same() -> None:
    assert not figures.differs(0.857, Fraction(6, 7))
    assert figures.differs(0.85, Fraction(6, 7))
    assert figures.differs(None, Fraction(0))
    assert not figures.differs(None, None)


def test_the_longest_gap_is_in_minutes() -> None:
    moments = [BEGIN, BEGIN + timedelta(minutes=5), BEGIN + timedelta(minutes=65)]
    assert figures.longest_gap(reversed(moments)) == 60
    assert figures.longest_gap([BEGIN]) == 0


@pytest.mark.parametrize(
    ("text", "says"),
    [("the composer dropped a slot", True), ("TBD", False), ("n/a", False), ("it broke", False)],
)
def test_a_stand_in_is_no_sentence(text: str, says: bool) -> None:
    assert is_sentence(text) is says
