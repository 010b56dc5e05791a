"""Day 6: the KPI gates, of the two projects and on both sides of each threshold."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from pytest_rollout import Kpi, KpiReceipt, Observe, Side, boundary_slips, kpi_slips, recount
from suites.plms.scenarios.kpi_gates import KINDS, Gated, Tried, sides
from suites.plms.scenarios.stress_test import PAIR, Stress
from suites.plms.views.kpi_promises import PROMISES
from suites.plms.views.portfolio import ENDED
from suites.plms.views.watched import moment

pytestmark = pytest.mark.day6

SOON = timedelta(minutes=5)  # after its run a receipt is there
CRITERIA = {
    "test_pass_rate": "kpi-code-api-test-pass-rate",
    "build_success": "kpi-code-api-build",
    "schema_diff_count": "kpi-data-schema-diff",
    "migration_success": "kpi-data-schema-migration",
}
EACH_KPI = [
    pytest.param(lane, kpi, marks=pytest.mark.criterion(CRITERIA[kpi.name]), id=kpi.name)
    for lane, promised in PROMISES.items()
    for kpi in promised
]


# The two projects


@pytest.mark.criterion("kpi-no-slip")
def test_no_run_completes_over_a_failed_kpi(stress_run: Stress, observe: Observe) -> None:
    for run in stress_run.runs:
        if run["status"] in ENDED or run["completed_at"]:
            slips = _slips(stress_run, run["run_id"], run["project_id"], run["status"])
            failed = [slip for slip in slips if "without a receipt" not in slip]
            observe("kpi_slip", bool(failed), project=run["project_id"], why="; ".join(failed))


@pytest.mark.criterion("kpi-missing-receipt-blocks")
def test_no_run_completes_without_its_receipts(stress_run: Stress, observe: Observe) -> None:
    for run in stress_run.runs:
        if run["status"] in ENDED or run["completed_at"]:
            slips = _slips(stress_run, run["run_id"], run["project_id"], run["status"])
            absent = any("without a receipt" in slip for slip in slips)
            observe("completed_without_receipt", absent, project=run["project_id"])


def _slips(stress: Stress, run_id: str, project: int, status: str) -> list[str]:
    receipts = [
        KpiReceipt(row["run_id"], row["kpi_name"], row["value"], passed=row["passed"] == 1)
        for row in stress.receipts
        if row["kpi_name"]
    ]
    completed = {run_id: PAIR[project]} if status == "completed" else {}
    return kpi_slips(completed, receipts, PROMISES)


@pytest.mark.criterion("kpi-no-slip")
@pytest.mark.parametrize("project", PAIR)
def test_validation_says_what_the_receipts_say(stress_run: Stress, project: int) -> None:
    row = stress_run.rows[project]
    assert row, f"project {project} has no run in the registry"
    broken = _slips(stress_run, row["run_id"], project, "completed")
    said = f"project {project} has validation_pass {row['validation_pass']}: {'; '.join(broken)}"
    assert (row["validation_pass"] == 1) is not bool(broken), said


@pytest.mark.parametrize(("lane", "kpi"), EACH_KPI)
def test_kpi_is_observed(stress_run: Stress, lane: str, kpi: Kpi, observe: Observe) -> None:
    project = next(project for project, its in PAIR.items() if its == lane)
    for receipt in stress_run.receipts:
        if receipt["project_id"] == project and receipt["kpi_name"] == kpi.name:
            observe(kpi.name, receipt["value"], project=project)


# Both sides of each threshold, for baselines and hotfixes


def _tried(gated: Gated, kpi: Kpi, kind: str, value: float | None) -> Tried:
    wanted = (kpi, kind, value)
    return next(
        each
        for each in gated.tried
        if (each.attempt.kpi, each.attempt.kind, each.attempt.value) == wanted
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lane", "kpi"), EACH_KPI)
def test_the_threshold_stands_where_the_plan_has_it(
    gated: Gated, lane: str, kpi: Kpi, kind: str
) -> None:
    def passed(side: Side) -> bool | None:
        return _tried(gated, kpi, kind, side.value).passed

    slips = boundary_slips(sides(kpi), passed)
    assert not slips, f"{kind} runs of {lane}: {'; '.join(slips)}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("lane", "kpi"), EACH_KPI)
def test_a_receipt_says_what_was_found(gated: Gated, lane: str, kpi: Kpi, kind: str) -> None:
    for side in sides(kpi):
        tried = _tried(gated, kpi, kind, side.value)
        receipts = [row for row in tried.receipts if row["kpi_name"] == kpi.name]
        assert len(receipts) == 1, f"{tried.attempt} has {len(receipts)} receipts of it"
        (receipt,) = receipts
        value, said = receipt["value"], f"the receipt of {tried.attempt}"
        assert value == pytest.approx(side.value), f"{said} says {value}"
        assert (receipt["passed"] == 1) is side.may_pass, f"{said} has passed {receipt['passed']}"
        limit = receipt["threshold"]
        assert limit == pytest.approx(kpi.threshold), f"{said} has threshold {limit}, not {kpi}"
        assert receipt["lane_name"] == lane, f"{said} is of lane {receipt['lane_name']}"
        began, ended, at = (
            moment(text, what)
            for text, what in (
                (tried.run["started_at"], f"start of {tried.attempt}"),
                (tried.run["completed_at"], f"end of {tried.attempt}"),
                (receipt["created_at"], f"time of {said}"),
            )
        )
        words = f"{said} was made at {at}, and its run lasted from {began} to {ended}"
        assert began <= at <= ended + SOON, words


@pytest.mark.criterion("kpi-missing-receipt-blocks")
def test_a_missing_receipt_blocks_like_a_failing_one(gated: Gated, observe: Observe) -> None:
    for tried in gated.tried:
        if tried.attempt.value is None:
            assert not any(row["kpi_name"] == tried.attempt.kpi.name for row in tried.receipts), (
                f"{tried.attempt} has one after all, so a missing one is not tried"
            )
            assert tried.passed is not None, f"{tried.attempt} has not ended"
            observe("completed_without_receipt", tried.passed, project=tried.attempt.project)


@pytest.mark.criterion("kpi-no-slip")
def test_a_blocked_run_is_nowhere_called_good(gated: Gated, observe: Observe) -> None:
    for tried in gated.tried:
        if tried.attempt.may_complete:
            continue
        run = tried.run
        assert run, f"{tried.attempt} was not begun: its start answers {tried.answer}"
        good = [
            what
            for what, is_so in {
                f"its status is {run['status']}": run["status"] == "completed",
                f"the portfolio tells {tried.told}": tried.told == "completed",
                "validation_pass is 1": run["validation_pass"] == 1,
                f"it wrote {tried.priors} priors": tried.priors > 0,
            }.items()
            if is_so
        ]
        assert not good, f"{tried.attempt} is called good: {', '.join(good)}"
        observe("kpi_slip", bool(good), project=tried.attempt.project)


# What is said of the lanes once runs were blocked


@pytest.mark.criterion("risks-recounted")
def test_the_validation_risk_is_the_share_of_runs_that_failed(gated: Gated) -> None:
    recount("validation risk by lane", _validation_risks(gated), within=0.005).demand(2)


def _validation_risks(
    gated: Gated,
) -> Iterator[tuple[str, dict[str, float | None], dict[str, float | None]]]:
    """What is said of each lane in which a run has ended, and the share that failed by its rows."""
    for lane in gated.risks["lanes"]:
        passed = [run["validation_pass"] for run in gated.ended if run["lane_name"] == lane["name"]]
        if passed:
            failed = sum(not each for each in passed) / len(passed)
            yield "after the gates", {lane["name"]: lane["validation_risk"]}, {lane["name"]: failed}
