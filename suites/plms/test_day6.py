"""Day 6: the stress test. Two projects at once, estimates against actuals, alerts, roll-back."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path

import httpx
import pytest

from pytest_rollout import Observe, Stage, fairness, gaps, relative_error
from suites.plms.scenarios.stress_test import (
    FIGURES,
    PAIR,
    Stress,
)
from suites.plms.views.formats import read_file
from suites.plms.views.portfolio import (
    ENDED,
    LANES,
    caps,
    observe_slot,
    observe_utilisation,
    open_runs,
    rows,
    stalls,
)

pytestmark = pytest.mark.day6


# Entry: may the stress test start?


@pytest.mark.criterion("projects-idle")
@pytest.mark.parametrize("project", PAIR)
def test_project_is_idle(registry: Path, project: int) -> None:
    found = open_runs(registry, project)
    assert not found, f"project {project} has unfinished runs: {found}"


@pytest.mark.criterion("caps-in-place")
def test_caps_are_those_of_day_3(registry: Path) -> None:
    found = caps(registry)
    assert found == LANES, f"lane_configs has {found}, day 3 left {LANES}"


@pytest.mark.criterion("priors-exist")
@pytest.mark.parametrize("lane", PAIR.values())
def test_lane_has_a_prior_of_day_5(registry: Path, lane: str) -> None:
    query = "SELECT id FROM estimate_versions WHERE lane_name = ? AND run_id IS NOT NULL"
    assert rows(registry, query, lane), f"estimate_versions has no row of a run in {lane}"


# Two projects at once


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(301, marks=pytest.mark.criterion("alpha-started")),
        pytest.param(302, marks=pytest.mark.criterion("beta-started")),
    ],
)
def test_project_is_accepted(stress_run: Stress, project: int, observe: Observe) -> None:
    start = stress_run.starts[project]
    assert start.status == httpx.codes.OK, f"start of {project} answers {start.status}, not 200"
    observe.attach(f"start_{project}.json", json.dumps(start.body), "application/json")
    status = start.body["status"]
    assert status == "submitted", f"start of {project} says {status!r}, not 'submitted'"


@pytest.mark.criterion("projects-overlap")
def test_runs_overlap(stress_run: Stress, observe: Observe) -> None:
    both = [sample.time for sample in stress_run.samples if sample.executing(PAIR) == set(PAIR)]
    observe("overlap", (both[-1] - both[0]).total_seconds() if both else 0)


@pytest.mark.criterion("both-complete")
@pytest.mark.parametrize("project", PAIR)
def test_project_completes(stress_run: Stress, project: int) -> None:
    found = [run["status"] for run in stress_run.runs if run["project_id"] == project]
    assert found == ["completed"], f"project {project} ended as {found}, not one run completed"


@pytest.mark.criterion("complete-within-slot")
def test_runs_end_within_the_slot(stress_run: Stress, observe: Observe) -> None:
    began = [run["started_at"] for run in stress_run.runs if run["started_at"]]
    for run in stress_run.runs:
        if run["completed_at"]:
            elapsed = datetime.fromisoformat(run["completed_at"]) - datetime.fromisoformat(
                min(began)
            )
            observe("elapsed", elapsed.total_seconds(), project=run["project_id"])


# What was watched


@pytest.mark.criterion("portfolio-observed")
def test_portfolio_is_sampled(stress_run: Stress, observe: Observe) -> None:
    for at, seconds in gaps(sample.time for sample in stress_run.samples):
        observe("portfolio_gap", seconds, at=at)


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(301, marks=pytest.mark.criterion("alpha-runway-observed")),
        pytest.param(302, marks=pytest.mark.criterion("beta-runway-observed")),
    ],
)
def test_runway_is_sampled(stress_run: Stress, project: int, observe: Observe) -> None:
    for at, seconds in stress_run.runways[project].gaps():
        observe("runway_gap", seconds, at=at, project=project)


@pytest.mark.criterion("heatmap-observed")
def test_heatmap_is_sampled(stress_run: Stress, observe: Observe) -> None:
    for at, seconds in stress_run.heatmap.gaps():
        observe("heatmap_gap", seconds, at=at)
    for _, answer in stress_run.heatmap.answers:
        assert {lane["name"] for lane in answer["lanes"]} == set(LANES)


@pytest.mark.criterion("no-starvation")
def test_every_lane_with_work_gets_slots(stress_run: Stress, observe: Observe) -> None:
    observe_utilisation(stress_run.samples, observe)


@pytest.mark.criterion("steady-progress")
def test_projects_keep_advancing(stress_run: Stress, observe: Observe) -> None:
    for time, project, seconds in stalls(stress_run.samples, PAIR):
        observe("stall", seconds, at=time, project=project)


@pytest.mark.criterion("fair-share-balanced")
def test_capacity_is_shared_fairly(stress_run: Stress, observe: Observe) -> None:
    for sample in stress_run.samples:
        if sample.executing(PAIR) == set(PAIR):
            # Of what each could use: a lane of four and one of two are not equal in tasks.
            used = [x.utilization for x in sample.lanes if x.name in PAIR.values()]
            shares = [share for share in used if share is not None]
            if len(shares) == len(PAIR):
                observe("fairness", fairness(shares), at=sample.time)


# KPI gates


@pytest.mark.criterion("kpi-no-slip")
def test_no_run_completes_over_a_failed_kpi(stress_run: Stress, observe: Observe) -> None:
    for run in stress_run.runs:
        if run["status"] in ENDED or run["completed_at"]:
            mine = [r for r in stress_run.receipts if r["run_id"] == run["run_id"]]
            failed = any(r["kpi_name"] and not r["passed"] for r in mine)
            slip = failed and run["status"] == "completed"
            observe("kpi_slip", slip, project=run["project_id"])


@pytest.mark.criterion("kpi-missing-receipt-blocks")
def test_no_run_completes_without_its_receipts(stress_run: Stress, observe: Observe) -> None:
    for run in stress_run.runs:
        if run["status"] in ENDED or run["completed_at"]:
            mine = [r for r in stress_run.receipts if r["run_id"] == run["run_id"]]
            absent = KPIS[run["project_id"]] - {r["kpi_name"] for r in mine}
            unproven = bool(absent) and run["status"] == "completed"
            observe("completed_without_receipt", unproven, project=run["project_id"])


KPIS = {
    301: {"test_pass_rate", "build_success"},
    302: {"schema_diff_count", "migration_success"},
}


@pytest.mark.parametrize(
    ("project", "kpi"),
    [
        pytest.param(project, kpi, marks=pytest.mark.criterion(criterion))
        for project, kpi, criterion in [
            (301, "test_pass_rate", "kpi-code-api-test-pass-rate"),
            (301, "build_success", "kpi-code-api-build"),
            (302, "schema_diff_count", "kpi-data-schema-diff"),
            (302, "migration_success", "kpi-data-schema-migration"),
        ]
    ],
)
def test_kpi_is_observed(stress_run: Stress, project: int, kpi: str, observe: Observe) -> None:
    for receipt in stress_run.receipts:
        if receipt["project_id"] == project and receipt["kpi_name"] == kpi:
            observe(kpi, receipt["value"], project=project)


# Estimates and actuals


@pytest.mark.criterion("final-metrics-collected")
@pytest.mark.parametrize("project", PAIR)
def test_final_metrics_are_stored(stress_run: Stress, project: int, observe: Observe) -> None:
    stored = read_file(stress_run.files[project], "metrics")
    observe.attach(f"final_metrics_{project}.json", json.dumps(stored), "application/json")
    absent = [name for name in FIGURES if stored.get(name) is None]
    assert not absent, f"the final metrics of project {project} lack {', '.join(absent)}"


@pytest.mark.criterion("mae-reads-collected-files")
@pytest.mark.parametrize("project", PAIR)
def test_errors_come_from_the_collected_files(
    stress_run: Stress, project: int, observe: Observe
) -> None:
    stored = read_file(stress_run.errors, "errors")
    observe.attach(f"estimation_errors_{project}.json", json.dumps(stored), "application/json")
    said = next((load for load in stored if load["project"] == project), None)
    assert said, f"{stress_run.errors.name} says nothing of project {project}"
    collected = stress_run.files[project]
    assert collected.is_file(), f"there is no {collected.name}"
    assert said["read"] == collected.name, f"errors of {project} were computed from {said['read']}"
    digest = hashlib.sha256(collected.read_bytes()).hexdigest()
    assert said["sha256"] == digest, f"{collected.name} was changed after the errors were computed"


@pytest.mark.criterion("estimates-frozen-at-start")
@pytest.mark.parametrize("project", PAIR)
@pytest.mark.parametrize("part", ["mean", "ci_lower", "ci_upper"])
@pytest.mark.parametrize("of", ["tokens", "duration"])
def test_the_estimate_is_not_moved_by_the_run(
    stress_run: Stress, project: int, of: str, part: str
) -> None:
    name = f"{of}_{part}"
    before, after = stress_run.estimates[project][name], stress_run.final[project][name]
    assert before is not None, f"project {project} had no {name} at start"
    assert after == before, f"{name} of project {project} was {before} at start, is {after} now"


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("tokens", marks=pytest.mark.criterion("error-tokens")),
        pytest.param("duration", marks=pytest.mark.criterion("error-duration")),
    ],
)
def test_estimates_are_near_the_actuals(stress_run: Stress, name: str, observe: Observe) -> None:
    for project in PAIR:
        actual = stress_run.final[project].get(f"{name}_actual")
        if actual is not None:
            mean = stress_run.estimates[project][f"{name}_mean"]
            observe("abs_pct_error", relative_error(actual, mean), of=name, project=project)


@pytest.mark.parametrize(
    ("name", "project"),
    [
        pytest.param(name, project, marks=pytest.mark.criterion(f"ci-contains-{name}"))
        for name in ("tokens", "duration")
        for project in PAIR
    ],
)
def test_interval_contains_the_actual(stress_run: Stress, name: str, project: int) -> None:
    actual = stress_run.final[project].get(f"{name}_actual")
    assert actual is not None, f"project {project} has no {name}_actual"
    low, high = (stress_run.estimates[project][f"{name}_ci_{end}"] for end in ("lower", "upper"))
    said = f"{name} of {project} was {actual}, and {low} to {high} was expected at start"
    assert low <= actual <= high, said


# When


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(stress_run: Stress, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, stress_run.events, observe)
