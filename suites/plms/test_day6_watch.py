"""Day 6, what is watched while both projects run: portfolio, runways, risks."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Observe, gaps, recount
from suites.plms.scenarios.stress_test import FORCED, PAIR, Forced, Looks, Stress
from suites.plms.views.answers import not_done
from suites.plms.views.budgets import (
    Spending,
    levels,
    overruns,
    risks,
    signals,
    spends_steadily,
    unmoved,
)
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import LANES
from suites.plms.views.watched import age, moment

pytestmark = pytest.mark.day6


@pytest.mark.criterion("portfolio-observed")
def test_portfolio_is_sampled(stress_run: Stress, observe: Observe) -> None:
    seen = [now.at for now in stress_run.seen]
    for at, seconds in gaps(_with_edges(seen, stress_run, list(PAIR))):
        observe("portfolio_gap", seconds, at=at)
    recount("age of the portfolio status in seconds", age(stress_run.seen), within=15).demand()


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(301, marks=pytest.mark.criterion("alpha-runway-observed")),
        pytest.param(302, marks=pytest.mark.criterion("beta-runway-observed")),
    ],
)
def test_runway_is_sampled(stress_run: Stress, project: int, observe: Observe) -> None:
    looks = stress_run.runways[project]
    for at, seconds in gaps(_answered(looks, stress_run, project)):
        observe("runway_gap", seconds, at=at, project=project)
    told = [at for at, answer in looks.answers if answer["budget_runway_minutes"] is not None]
    silent = len(looks.answers) - len(told)
    assert silent <= 1, f"{silent} of {len(looks.answers)} answers say nothing of the runway"


@pytest.mark.criterion("runway-recounted")
@pytest.mark.parametrize("project", PAIR)
def test_runway_is_what_budget_and_pace_come_to(
    stress_run: Stress, drained: Forced | None, project: int, observe: Observe
) -> None:
    answers, runs = stress_run.runways[project].answers, stress_run.runs_of(project)
    told = list(overruns(answers, stress_run.progress(project)))
    for at, _, counted in told:
        observe("projected_overrun", counted, at=at, project=project)
    assert runs, f"project {project} has no run"
    assert runs[0]["started_at"], f"the run of project {project} never started"
    spending = Spending.of(runs[0])
    recount("budget", spending.budgets(answers)).demand()
    spends_steadily(project, answers, runs[0])
    recount("minutes of runway", spending.runways(answers)).demand(10, varied=True)
    recount("what the runway is called", levels(answers)).demand(0)
    ratios = [(at, ratio, counted) for at, ratio, counted in told if ratio is not None]
    recount("projected overrun", ratios, within=0.05).demand(0)
    if drained is not None:
        for forced in FORCED:
            recount("what the runway is called", levels(drained.runways[forced].answers)).demand(0)


@pytest.mark.criterion("heatmap-observed")
def test_heatmap_is_sampled(stress_run: Stress, observe: Observe) -> None:
    looks = stress_run.heatmap
    for at, seconds in gaps(_answered(looks, stress_run, 301)):
        observe("heatmap_gap", seconds, at=at)


@pytest.mark.criterion("risks-recounted")
def test_risks_are_those_of_the_lanes(stress_run: Stress) -> None:
    looks = stress_run.heatmap
    if not looks.answers:
        not_done("nobody was told of any risk", "ask /api/projects/301/risk-heatmap")
    for _, answer in looks.answers:
        lanes = {lane["name"] for lane in answer["lanes"]}
        assert lanes == set(LANES), f"the risks are of {listed(lanes)}, not of {listed(LANES)}"
    queued = {
        now.at: {lane.name: lane.queued for lane in now.sample.lanes} for now in stress_run.seen
    }
    odd = [*risks(looks.answers, queued), *unmoved(looks.answers)]
    assert not odd, "; ".join(odd[:3])
    counted = signals(looks.answers, stress_run.completed)
    recount("error and interval width by lane", counted, within=0.005).demand(len(LANES))


def _answered(looks: Looks, stress_run: Stress, project: int) -> list[datetime]:
    """When answers came, and the begin and the end of what was to be watched; none without one."""
    times = [at for at, _ in looks.answers]
    return (
        _with_edges([looks.asked[0], *times, looks.asked[-1]], stress_run, [project])
        if times
        else []
    )


def _with_edges(times: list[datetime], stress_run: Stress, among: list[int]) -> list[datetime]:
    """The times of looks, with the start and the end of the runs that they are of."""
    runs = [run for project in among for run in stress_run.runs_of(project)]
    columns = [run[column] for run in runs for column in ("started_at", "completed_at")]
    edges = [moment(at, "edge of a run") for at in columns if at]
    return sorted({*times, *edges}) if times else []
