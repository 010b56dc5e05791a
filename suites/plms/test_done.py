"""Done means done: what the days found still stands, and the figures of all runs are good."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.follow_up import nights
from suites.plms.views import run_figures
from suites.plms.views.final_report import Written

pytestmark = pytest.mark.done

_SIGNED = re.compile(r"^(?P<name>[A-Z][^,\[\]]+), approved, (?P<date>\d{4}-\d\d-\d\d)$")


@pytest.mark.criterion("estimation-error")
def test_mean_error_of_each_lane(registry: Path, observe: Observe) -> None:
    for lane, runs in run_figures.by_lane(run_figures.completed(registry)).items():
        found = run_figures.mean([run_figures.error(run) for run in runs])
        assert found is not None, f"no run of {lane} has both an estimate and an actual"
        observe("lane_error", found, lane=lane, runs=len(runs))


@pytest.mark.criterion("ci-coverage")
def test_actuals_lie_within_their_intervals(registry: Path, observe: Observe) -> None:
    for run in run_figures.completed(registry):
        if run["tokens_ci_lower"] is not None:
            found = run_figures.contained(run)
            assert found is not None, f"{run['run_id']} lacks an actual or the end of an interval"
            observe("contained", found, run=run["run_id"])


@pytest.mark.criterion("kpi-pass-rate")
def test_runs_keep_their_kpis(registry: Path, observe: Observe) -> None:
    for run in run_figures.finished(registry):
        observe("kpi_passed", bool(run["validation_pass"]), run=run["run_id"])
        day = next(
            (name for name, ids in run_figures.DAYS.items() if run["project_id"] in ids), "else"
        )
        completed = run["status"] == "completed"
        observe("project_completed", completed, project=run["project_id"], day=day)


@pytest.mark.criterion("invariants-three-nights")
def test_nights_are_clean(phase: Stage, observe: Observe) -> None:
    found = nights(phase.file("history"))
    assert found, "the timer never began a run"
    for one in found:
        at = datetime.fromisoformat(one["ended_at"])
        observe("night_violated", one["status"] != "OK", at=at, found=one["status"])


@pytest.mark.criterion("lessons-learned")
def test_lessons_are_written_down(final_report: Written) -> None:
    said = [line for line in final_report.section("Lessons Learned").splitlines() if line.strip()]
    assert said, "the section on lessons is empty, or there is none"


@pytest.mark.parametrize(
    "role",
    [
        pytest.param("engineering", marks=pytest.mark.criterion("signoff-engineering")),
        pytest.param("operations", marks=pytest.mark.criterion("signoff-operations")),
        pytest.param("pm", marks=pytest.mark.criterion("signoff-pm")),
    ],
)
def test_role_has_signed(final_report: Written, phase: Stage, role: str) -> None:
    said = final_report.fields("Sign-Off").get(role, "")
    signed = _SIGNED.match(said)
    assert signed, f"the signature of {role} is {said!r}, not name, approved, date"
    due = f"{phase.window[0]:%Y-%m-%d}"
    assert signed["date"] >= due, f"{role} signed on {signed['date']}, before {due}"
