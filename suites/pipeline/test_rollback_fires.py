"""The rollback starts by itself, at once, on each of its four conditions, and not just below."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from pytest_rollout import Effect, Observe, Stage
from suites.pipeline.scenarios.asked import PeopleAsked
from suites.pipeline.scenarios.triggers import Trial
from suites.pipeline.scenarios.way_back import WayBack
from suites.pipeline.views.addresses import misplaced
from suites.pipeline.views.answers import misread
from suites.pipeline.views.controller import Case, errors
from suites.pipeline.views.journal import MACHINES
from suites.pipeline.views.people import placeholder
from suites.pipeline.views.schedules import LIVE, workflow
from suites.pipeline.views.series import Sources
from suites.pipeline.views.telemetry import REFUSED

pytestmark = pytest.mark.pipeline_rollback

SCENARIOS = {
    "rate-limit": "rate_used_up",
    "failure-rate": "runs_failing",
    "corruption": "states_conflicting",
    "security-alert": "way_back",
}
TRIGGERS = {  # as the channel hears of them
    "rate-limit": "rate-limit-exhausted",
    "failure-rate": "failure-rate-6h",
    "corruption": "data-corruption",
    "security-alert": "security-alert",
}
BEGIN = datetime(2026, 1, 12, tzinfo=UTC)


@pytest.fixture
def trial(phase: Stage, trigger: str, request: pytest.FixtureRequest) -> Trial:
    """What the controller did on both sides of one trigger's condition."""
    phase.demand(Effect.DISRUPT, trigger)
    if trigger == "security-alert":
        way_back: WayBack = request.getfixturevalue("way_back")
        return way_back.trial
    tried: Trial = request.getfixturevalue(SCENARIOS[trigger])
    return tried


@pytest.mark.criterion("dispatch-is-there")
@pytest.mark.parametrize("file", LIVE)
def test_each_workflow_can_be_started_by_hand(lived: Sources, file: str) -> None:
    assert workflow(lived.checkout, file).by_hand, f"{file} has no workflow_dispatch"


@pytest.mark.parametrize(
    "trigger", [pytest.param(t, marks=pytest.mark.criterion(f"fires-{t}")) for t in SCENARIOS]
)
def test_both_sides_of_the_condition(trial: Trial, trigger: str, observe: Observe) -> None:
    _observe_both_sides(trial, trigger, observe)


@pytest.mark.criterion("fires-failure-rate")
@pytest.mark.parametrize("failing", ["processing_failing", "daily_failing"])
def test_failures_of_each_workflow_count(
    phase: Stage, failing: str, request: pytest.FixtureRequest, observe: Observe
) -> None:
    phase.demand(Effect.DISRUPT, "failure-rate")
    tried: Trial = request.getfixturevalue(failing)
    _observe_both_sides(tried, "failure-rate", observe)


def _observe_both_sides(trial: Trial, trigger: str, observe: Observe) -> None:
    off = ", ".join(sorted(trial.off_below))
    why = f"{trial.below}, and {off or 'nothing'} was switched off"
    observe("trigger_boundary_error", bool(trial.off_below), trigger=trigger, why=why)
    left = sorted(set(LIVE) - trial.off_above)
    why = f"{trial.above}, and {', '.join(left) or 'nothing'} was left on"
    observe("trigger_boundary_error", bool(left), at=trial.caused, trigger=trigger, why=why)


@pytest.mark.criterion("fires-security-alert")
def test_an_alert_about_a_dependency_of_a_workflow_fires_too(people_asked: PeopleAsked) -> None:
    left = ", ".join(sorted(set(LIVE) - people_asked.off_by_alert))
    assert not left, f"a dependency of a workflow is vulnerable, and {left} was left on"


@pytest.mark.criterion("fires-rate-limit")
def test_a_refusal_is_on_record(rate_used_up: Trial) -> None:
    told = [record for record in rate_used_up.refused if record.at >= rate_used_up.caused]
    assert told, "no request was left, and no record tells of one that GitHub refused"
    wrong = [r for r in told if r.http_status not in REFUSED["rate_limited"] or r.rate_remaining]
    assert not wrong, f"the record of {wrong[0].at} has {wrong[0].http_status}, of a limit"
    bare = [r.at for r in told if r.severity != "warning" or placeholder(r.detail.get("message"))]
    assert not bare, f"the record of {bare[0]} is no warning, or does not say what GitHub said"


@pytest.mark.criterion("fires-security-alert")
@pytest.mark.parametrize("kind", ["code-scanning", "dependabot"])
def test_an_alert_is_as_github_describes_it(way_back: WayBack, kind: str) -> None:
    hub = way_back.hub
    wrong = misread(hub, kind.replace("-", "_"), "list_alerts_for_repo")
    assert not wrong, f"an alert of {kind}: {wrong}"
    repository = next(hub.pages("/actions/runs", "workflow_runs"))["repository"]
    told = list(hub.pages(f"/{kind}/alerts"))
    for row in told:
        fixed = row["fixed_at"] is not None
        assert (row["state"] == "fixed") is fixed, f"{kind} {row['number']} is {row['state']}"
        late = fixed and row["fixed_at"] < row["created_at"]
        wrong = misplaced(kind, row, repository) or ("it was fixed early" if late else "")
        assert not wrong, f"{kind} {row['number']}: {wrong}"
    still = [row for row in told if row["state"] == "open"]
    assert still, f"alerts of {kind} were raised, and none is told as open"
    assert list(hub.pages(f"/{kind}/alerts", state="open")) == still, "others are told as open"


@pytest.mark.criterion("automatic-is-immediate")
@pytest.mark.parametrize("trigger", SCENARIOS)
def test_it_takes_minutes(trial: Trial, trigger: str, observe: Observe) -> None:
    delay = trial.delay
    left = ", ".join(sorted(set(LIVE) - trial.off_above))
    assert delay is not None, f"{trial.above}, and after six minutes {left} still has its schedule"
    observe("rollback_delay", delay / timedelta(minutes=1), at=trial.caused, trigger=trigger)


@pytest.mark.criterion("announced")
@pytest.mark.parametrize("trigger", SCENARIOS)
def test_the_channel_hears_of_each_trigger(trial: Trial, trigger: str) -> None:
    due = f"rollback: {TRIGGERS[trigger]}"
    named = [text.startswith(due) for text in trial.told]
    assert named == [True], f"of {trigger} the channel was told {list(trial.told) or 'nothing'}"
    why = trial.told[0].removeprefix(due)
    assert re.search(r"\d", why), f"the channel hears no figure of why: {trial.told[0]}"


@pytest.mark.criterion("automatic-is-immediate")
@pytest.mark.parametrize("trigger", SCENARIOS)
def test_no_person_acts(trial: Trial, trigger: str) -> None:
    assert trial.switched_off, f"nothing was switched off on {trigger}"
    people = {v.author for v in trial.switched_off if not _machine(v.author)}
    assert not people, f"{', '.join(sorted(people))} took the schedules out by hand"


def _machine(author: str) -> bool:
    return author in MACHINES or author.endswith("[bot]")


# The rate of failures, by the controller's own judgement


def _runs(*told: tuple[float, str, str]) -> list[dict[str, Any]]:
    return [
        {
            "at": (BEGIN + timedelta(hours=hours)).isoformat(),
            "workflow": workflow,
            "conclusion": conclusion,
        }
        for hours, workflow, conclusion in told
    ]


A, P, D = "ops-workflow-assignment", "ops-issue-processing", "ops-daily-operations"
GOOD, BAD, CANCELLED = "success", "failure", "cancelled"
RUNS: dict[str, tuple[list[tuple[float, str, str]], str]] = {
    "two of three": ([(1, A, GOOD), (3, A, BAD), (5, A, BAD)], "rollback"),
    "two of two": ([(1, P, BAD), (5, P, BAD)], "rollback"),
    "three of five, others good": (
        [*((hour, A, BAD if hour > 2 else GOOD) for hour in (1, 2, 3, 4, 5)), (2, P, GOOD)],
        "rollback",
    ),
    "one of two": ([(1, P, GOOD), (5, P, BAD)], "none"),
    "two of four": ([(1, A, GOOD), (2, A, BAD), (3, A, GOOD), (5, A, BAD)], "none"),
    "one of one": ([(5, D, BAD)], "insufficient"),
    "one failure of each of three": ([(3, A, BAD), (4, P, BAD), (5, D, BAD)], "insufficient"),
    "seven hours apart": ([(-2, P, BAD), (5, P, BAD)], "insufficient"),
    "six and a half hours apart": ([(-1, P, BAD), (5, P, BAD)], "insufficient"),
    "nearly six hours apart": ([(-0.4, P, BAD), (5, P, BAD)], "rollback"),
    "what took too long or could not start has failed": (
        [(1, P, "timed_out"), (5, P, "startup_failure")],
        "rollback",
    ),
    "cancelled runs do not count": (
        [(1, A, CANCELLED), (3, A, CANCELLED), (5, A, BAD)],
        "insufficient",
    ),
    "good runs of others do not dilute": (
        [(1, A, BAD), (3, A, BAD), *((hour, P, GOOD) for hour in (1, 2, 3, 4))],
        "rollback",
    ),
}


@pytest.mark.criterion("fires-failure-rate")
def test_the_rate_of_failures(phase: Stage, observe: Observe) -> None:
    now = (BEGIN + timedelta(hours=5, minutes=30)).isoformat()
    rule = {"rule": "failure-rate-6h", "now": now}
    cases = [
        Case({**rule, "runs": _runs(*told)}, decision, _bad(told))
        for told, decision in RUNS.values()
    ]
    given = errors(phase.file("commands"), cases)
    for name, (case, wrong, decision) in zip(RUNS, given, strict=True):
        why = f"{name}: {decision}, not {case.decision}"
        observe("trigger_boundary_error", wrong, trigger="failure-rate", why=why)


def _bad(told: Sequence[tuple[float, str, str]]) -> bool:
    """Whether any run of the last six hours failed."""
    return any(hours > -0.5 and end not in (GOOD, CANCELLED) for hours, _, end in told)
