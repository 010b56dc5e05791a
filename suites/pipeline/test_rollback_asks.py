"""The rollback that people decide: they are asked with figures, and nothing happens by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pytest_rollout import Effect, Observe, Stage
from suites.pipeline.scenarios.asked import Asked, PeopleAsked
from suites.pipeline.views.channels import text_of
from suites.pipeline.views.controller import Case, errors

pytestmark = pytest.mark.pipeline_rollback

ASKED = ("copilot-completion", "quality-complaints", "intervention-load", "strategic-pivot")
BEGIN = datetime(2026, 1, 12, tzinfo=UTC)
_FIGURE = re.compile(r"\d")
_LEAVES = {"none", "insufficient"}  # decisions after which all goes on
_WORDS = ("proceed", "rollback")  # what people may decide


@pytest.fixture
def asked(phase: Stage, trigger: str, request: pytest.FixtureRequest) -> Asked:
    """What came of one trigger."""
    phase.demand(Effect.DISRUPT, trigger)
    people: PeopleAsked = request.getfixturevalue("people_asked")
    return people.triggers[trigger]


_EACH = [pytest.param(t, marks=pytest.mark.criterion(f"manual-{t}")) for t in ASKED]


@pytest.mark.parametrize("trigger", _EACH)
def test_people_are_asked_and_decide(asked: Asked, trigger: str, observe: Observe) -> None:
    why = f"asked {asked.below} times too early"
    observe("decision_missing", bool(asked.below), at=asked.met, trigger=trigger, why=why)
    told = [text_of(message) for message in asked.messages]
    figures = [text for text in told if _FIGURE.search(text)]
    answered = [entry for entry in asked.recorded if entry.get("by") and entry.get("figures")]
    decided = [entry for entry in answered if entry.get("decision") in _WORDS]
    missing = trigger != "strategic-pivot" and not figures
    why = f"{len(told)} questions, {len(figures)} with figures, {len(decided)} decisions"
    absent = not told or missing or not decided
    observe("decision_missing", absent, at=asked.met, trigger=trigger, why=why)


@pytest.mark.parametrize("trigger", _EACH)
def test_nothing_is_switched_off_without_a_decision(asked: Asked, trigger: str) -> None:
    decisions = {str(entry.get("decision")) for entry in asked.recorded}
    if "rollback" not in decisions:
        off = ", ".join(sorted(asked.off))
        assert not asked.off, f"{off} lost its schedule on {trigger}, and nobody decided that"


@pytest.mark.parametrize("trigger", _EACH)
def test_people_are_asked_once(asked: Asked, trigger: str) -> None:
    count = len(asked.messages)
    assert count == 1, f"the channel was asked {count} times about {trigger} within a day"


# Both sides, by the controller's own judgement


def _days(*shares: int | None) -> list[dict[str, Any]]:
    return [
        {
            "date": (BEGIN + timedelta(days=place)).date().isoformat(),
            "matured": 0 if share is None else 100,
            "completed": share or 0,
        }
        for place, share in enumerate(shares)
    ]


COMPLETION = [
    (_days(49, 49, 49), "ask"),
    (_days(80, 49, 49, 49), "ask"),
    (_days(49, None, 49, 49), "ask"),
    (_days(49, 50, 49), "none"),
    (_days(49, 49, 50, 49, 49), "none"),
    (_days(50, 50, 50), "none"),
    (_days(49, 49), "none"),
    (_days(49, None, 49), "none"),
]


def _tried(phase: Stage, cases: list[Case], trigger: str, observe: Observe) -> None:
    for case, wrong, decision in errors(phase.file("commands"), cases):
        harmless = case.decision != decision and {case.decision, decision} <= _LEAVES
        why = f"{case.words}: {decision}, not {case.decision}"
        observe("decision_missing", wrong and not harmless, trigger=trigger, why=why[:200])


@pytest.mark.criterion("manual-copilot-completion")
def test_three_bad_days_in_a_row(phase: Stage, observe: Observe) -> None:
    rule = {"rule": "copilot-completion"}
    cases = [Case({**rule, "days": days}, decision) for days, decision in COMPLETION]
    cases.append(Case({**rule, "days": _days(None, None, None)}, "insufficient", warns=False))
    _tried(phase, cases, "copilot-completion", observe)


@pytest.mark.criterion("manual-quality-complaints")
def test_two_complaints_in_a_week(phase: Stage, observe: Observe) -> None:
    told = [([1, 6], "ask"), ([0, 1, 2], "ask"), ([6], "none"), ([], "none"), ([-2, 6], "none")]
    cases = []
    for days, decision in told:
        times = [(BEGIN + timedelta(days=day)).isoformat() for day in days]
        now = (BEGIN + timedelta(days=6, hours=1)).isoformat()
        cases.append(Case({"rule": "complaints", "at": times, "now": now}, decision))
    _tried(phase, cases, "quality-complaints", observe)


@pytest.mark.criterion("manual-intervention-load")
def test_a_fifth_of_the_issues(phase: Stage, observe: Observe) -> None:
    told = [(100, 21, "ask"), (100, 20, "none"), (10, 3, "ask"), (10, 2, "none"), (9, 9, "none")]
    cases = [
        Case({"rule": "interventions", "items": items, "manual": manual}, decision)
        for items, manual, decision in told
    ]
    _tried(phase, cases, "intervention-load", observe)
