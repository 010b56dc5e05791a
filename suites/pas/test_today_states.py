"""Today: each operation in each state that it holds in, and what follows from it at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from pytest_rollout import Reported, Stage
from suites.pas.views.executed import ended
from suites.pas.views.pas import ENDED, Pas

pytestmark = pytest.mark.pas_today

LANE, PLACES = "Graph-Ops", 2
LISTED = 100  # runs that have ended
REPLAYED = ("lane", "priority", "deps", "status", "time_ms", "tokens", "cost_usd", "kpis", "output")


@pytest.mark.criterion("endpoint-runs-terminate", "twelve-endpoints")
@pytest.mark.effect("change")
@pytest.mark.parametrize("state", ["planned", "executing", "paused"])
def test_what_has_not_ended_can_be_terminated(pas: Pas, state: str) -> None:
    run = pas.new_run(state)
    pas.card(run, "Narrative")
    for verb in {"planned": (), "executing": ("start",), "paused": ("start", "pause")}[state]:
        assert pas.control(verb, run).status_code == 200
    answer = pas.control("terminate", run)
    assert answer.status_code == 200, f"the end of what is {state} is answered {answer.status_code}"
    end = pas.status(run)
    said = (end["status"], end["validation_pass"], end["tasks"][0]["status"])
    assert said == ("terminated", False, "cancelled"), f"what was {state} ends as {said}"
    assert end.text("reason"), "it ended without a reason"
    assert end.moment("ended_at") >= end.moment("created_at")


def _states(pas: Pas, run: str) -> list[str]:
    return [task.text("status") for task in pas.status(run).each("tasks")]


@pytest.mark.rehearsal_only  # elsewhere others take the places
@pytest.mark.criterion("endpoint-runs-pause", "endpoint-runs-terminate", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_place_that_becomes_free_is_taken_at_once(pas: Pas, phase: Stage) -> None:
    """After a pause, a resume, an end, and with a card that comes where there is room."""
    clock, begun = phase.target("pas").clock, []
    for cards in (PLACES, PLACES + 1):
        run = pas.new_run("places")
        for _ in range(cards):
            pas.card(run, LANE)
        pas.start(run)
        clock.advance(1)  # what begins at one instant shares the places of it
        begun.append(run)
    first, second = begun
    assert _states(pas, first) == ["running"] * PLACES, "the lane had no room"
    began = {task["started_at"] for task in pas.status(first).each("tasks")}
    assert began == {pas.status(first)["started_at"]}, "what ran began anew with another run"
    assert _states(pas, second) == ["queued"] * 3, "the lane runs more than its cap"
    pas.control("pause", first)
    assert _states(pas, second) == [*["running"] * PLACES, "queued"], "a pause makes no room"
    pas.control("resume", first)
    assert _states(pas, first) == ["suspended"] * PLACES, "the lane runs more than its cap"
    pas.control("terminate", second)
    assert _states(pas, first) == ["running"] * PLACES, "the end of a run makes no room"
    clock.advance(1)
    third = pas.new_run("places")
    pas.start(third)
    pas.card(third, LANE)
    assert _states(pas, third) == ["queued"], "the lane runs more than its cap"
    pas.control("terminate", first)
    assert _states(pas, third) == ["running"], "the end of a run makes no room"
    pas.card(third, LANE)
    assert _states(pas, third) == ["running"] * PLACES, "where there is room a card waits"
    pas.control("terminate", third)


@pytest.mark.rehearsal_only  # elsewhere no two runs begin at one instant
@pytest.mark.criterion("endpoint-runs-start", "twelve-endpoints")
@pytest.mark.effect("change")
def test_runs_of_one_instant_share_its_places(pas: Pas) -> None:
    runs = [pas.new_run("instant") for _ in range(2)]
    for run in runs:
        for _ in range(PLACES):
            pas.card(run, LANE)
    for run in runs:
        pas.start(run)
    shared = [_states(pas, run) for run in runs]
    assert shared == [["running", "queued"]] * 2, f"of two runs of one instant the tasks {shared}"
    for run in runs:
        pas.control("terminate", run)


@pytest.mark.criterion("endpoint-runs-start", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_replay_is_of_its_run(pas: Pas, phase: Stage) -> None:
    """With its cards, weight, caps and snapshot; each task takes and tells what it did."""
    target, run, again = phase.target("pas"), pas.new_run("first"), pas.new_run("again")
    root = pas.card(run, "Vector-Ops", priority=5, payload={"spend_usd": 0.25})
    pas.card(run, "Code-API-Design", [root], priority=1)
    pas.card(run, "Vector-Ops", payload={"spend_usd": 0.25}, budget_usd=0.2)  # which is too dear
    pas.start(run, run_kind="hotfix", weight=2.5, budget_caps={"usd": 3.0, "energy_kwh": 2.0})
    was = ended(pas, target, run)
    pas.start(again, run_kind="replay", replay_of=run)
    said = pas.status(again)
    about = {name: said[name] for name in ("run_kind", "replay_of")}
    assert about == {"run_kind": "replay", "replay_of": run}, f"a replay says {about}"
    assert was["replay_of"] is None, f"what is no replay is one of {was['replay_of']}"
    for name in ("weight", "budget_caps", "provider_snapshot"):
        assert said[name] == was[name], f"{name} of a replay is {said[name]}, not {was[name]}"
    tasks = {task.text("task_id"): task for task in ended(pas, target, again).each("tasks")}
    assert [*tasks] == [task["task_id"] for task in was.each("tasks")], f"its tasks are {[*tasks]}"
    for task in was.each("tasks"):
        now = tasks[task.text("task_id")]
        unlike = [name for name in REPLAYED if now[name] != task[name]]
        assert not unlike, f"{unlike[0]} is {now[unlike[0]]}, and was {task[unlike[0]]}"


@pytest.mark.criterion("endpoint-receipts", "endpoint-kpis", "twelve-endpoints")
@pytest.mark.effect("change")
def test_what_agents_tell_after_the_end_changes_no_verdict(pas: Pas, phase: Stage) -> None:
    target, run = phase.target("pas"), pas.new_run("late")
    pas.card(run, "Vector-Ops")
    pas.start(run, budget_caps={"usd": 1.0})
    end = ended(pas, target, run)
    target.clock.advance(1)
    kpi = pas.tell("kpis", {"run_id": run, "kpi": "BLEU", "value": 0.1}).status_code
    over = pas.tell("receipts", {"run_id": run, "cost_usd": 1.5}).status_code
    assert (kpi, over) == (200, 409), f"a KPI and a receipt over the cap are answered {kpi}, {over}"
    assert pas.status(run) == end, "what came after its end changed the run"


@pytest.mark.rehearsal_only  # elsewhere nobody makes so many runs
@pytest.mark.criterion("endpoint-portfolio-status", "twelve-endpoints")
@pytest.mark.effect("change")
def test_the_last_hundred_that_ended_are_listed(pas: Pas, phase: Stage) -> None:
    """And all that have not ended; what ended before is left out."""
    clock, planned = phase.target("pas").clock, pas.new_run("planned")
    pas.card(planned, LANE)
    ends = []
    for number in range(LISTED + 1):
        ends.append(pas.new_run("listed"))
        pas.start(ends[-1])
        pas.control("terminate", ends[-1])
        if number == 0:
            clock.advance(1)
    over, left = _listed(pas)
    assert sorted(over) == sorted(ends[1:]), f"{len(over)} runs that ended are listed, or others"
    assert planned in left, "a run that is planned is not listed"
    clock.advance(1)
    pas.control("terminate", planned)
    over, _ = _listed(pas)
    assert len(over) == LISTED, f"{len(over)} runs that ended are listed"
    assert planned in over, "the first run that was made, and the last to end, is not listed"


def _listed(pas: Pas) -> tuple[list[str], list[str]]:
    """The runs that are listed: those that have ended, and others."""
    runs = pas.portfolio().each("runs")
    over = [run.text("run_id") for run in runs if run["status"] in ENDED]
    return over, [run.text("run_id") for run in runs if run["status"] not in ENDED]


# What is said where nothing was said, or nothing is known


@pytest.mark.criterion("endpoint-jobcards", "endpoint-runs-start", "twelve-endpoints")
@pytest.mark.effect("change")
def test_what_is_not_said_has_its_default(pas: Pas) -> None:
    run = pas.new_run("bare")
    about: dict[str, Any] = {"project_id": pas.project, "run_id": run}
    for path, more in {"jobcards": {"lane": "Narrative"}, "runs/start": {}}.items():
        assert pas.client.post(f"/pas/v1/{path}", json={**about, **more}).status_code == 200
    said = pas.status(run)
    (task,) = said.each("tasks")
    shown = (task["priority"], task["deps"], said["run_kind"], said["weight"])
    assert shown == (3, [], "baseline", 1), f"by itself a card and its run are {shown}"
    capped = [name for name, cap in said.inner("budget_caps").items() if cap is not None]
    assert not capped, f"by itself a run has a budget of {capped}"
    pas.control("terminate", run)


UNKNOWN: Sequence[str] = (
    *("started_at", "finished_at", "time_ms", "tokens", "cost_usd", "energy_kwh", "carbon_kg"),
    *("executor", "lineage", "tools", "refused_tools", "echo", "kpis", "output", "error"),
)


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
@pytest.mark.effect("change")
def test_what_is_not_known_yet_is_said_to_be_nothing(pas: Pas) -> None:
    run = pas.new_run("unknown")
    pas.card(run, "Narrative")
    said = pas.status(run)
    (task,) = said.each("tasks")
    told = [name for name in UNKNOWN if task[name] not in (None, [])]
    assert not told, f"before it begins a task says {told[0]} {task[told[0]]}"
    early: Reported = said
    for name in ("reason", "validation_pass", "started_at", "ended_at", "runway_minutes"):
        assert early[name] is None, f"before its start a run says {name} {early[name]}"
    none = (early["gates"], early["kpi_violations"], early["heartbeats"], early["executions"])
    assert none == ([], [], {}, 0), f"before its start a run says {none}"
