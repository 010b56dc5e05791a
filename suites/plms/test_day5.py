"""Day 5: the calibration gate. The policy, and two baselines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import KpiReceipt, Observe, Stage, kpi_slips
from suites.plms.scenarios.calibration import (
    BASELINES,
    BUDGETS,
    MEASURES,
    UNITS,
    Seeded,
    moment,
)
from suites.plms.scenarios.policy_probes import UNKNOWN_KIND, Probed
from suites.plms.views.answers import not_done, read, recorded
from suites.plms.views.dialect import spoken
from suites.plms.views.kpi_promises import PROMISES
from suites.plms.views.listed import listed
from suites.plms.views.portfolio import observe_slot

pytestmark = pytest.mark.day5

ABSENT = object()
FLAGS = (True, False, 1, 0, None, ABSENT)
KINDS = ("baseline", "hotfix", "rehearsal", "replay", "INVALID_KIND", "", None, ABSENT)
A_MINUTE = timedelta(minutes=1)
LEAST_MINUTES = 0.02  # what the times of a run are rounded to


# The policy


@pytest.mark.criterion("policy-enabled")
def test_the_running_service_calibrates(probed: Probed) -> None:
    assert probed.configured == "true", f"calibration_enabled is {probed.configured!r}"
    assert probed.enabled is True, f"the service says enabled is {probed.enabled}"
    assert any(probed.priors.values()), "the running service learnt from no probe"


@pytest.mark.parametrize(
    "criterion",
    [
        pytest.param(criterion, marks=pytest.mark.criterion(criterion))
        for criterion in (
            "policy-accepts-baseline",
            "policy-accepts-hotfix",
            "policy-rejects-other-kinds",
            "policy-rejects-validation-fail",
            "policy-rejects-sandbox",
            "policy-sandbox-flag-defaults-false",
        )
    ],
)
def test_only_runs_of_the_policy_teach(probed: Probed, criterion: str) -> None:
    tried = probed.of(criterion)
    assert tried, "no run was tried that this is about"
    for probe in tried:
        run = probed.runs[probe]
        assert run.get("run_id") not in {None, *probed.still_open}, f"{probe} has not ended"
        valid = bool(run["validation_pass"])
        assert valid is probe.valid, f"{probe} has validation_pass {run['validation_pass']}"
        flag = run["write_sandbox"]
        assert bool(flag) is bool(probe.sandbox), f"{probe} is stored with write_sandbox {flag}"
        stored = run["run_kind"]
        assert stored == probe.kind, f"{probe} is stored as {stored}"
    wrong = [
        f"{probe} wrote {len(probed.priors[probe])} priors"
        for probe in tried
        if bool(probed.priors[probe]) is not probe.teaches
    ]
    assert not wrong, "; ".join(wrong)


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.criterion(f"policy-accepts-{kind}"))
        for kind in ("baseline", "hotfix")
    ],
)
def test_a_prior_says_what_its_run_took_and_not_what_was_expected(
    probed: Probed, kind: str
) -> None:
    for probe in probed.of(f"policy-accepts-{kind}"):
        run = probed.runs[probe]
        for row in probed.priors[probe]:
            for measure in MEASURES:
                told, actual = row[f"mean_{measure}"], run[f"{measure}_actual"]
                expected, rate = run[f"{measure}_mean"], probed.alpha
                moved = expected + rate * (actual - expected)
                near = any(told == pytest.approx(due, rel=0.005) for due in (actual, moved))
                assert near, (
                    f"the prior of {probe} says {told:g} {UNITS[measure]}, and the run took"
                    f" {actual:g} ({expected:g} were expected)"
                )


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=pytest.mark.criterion(f"policy-accepts-{kind}"))
        for kind in ("baseline", "hotfix")
    ],
)
def test_what_a_run_took_is_not_what_it_was_given(probed: Probed, kind: str) -> None:
    """Both baselines of the day take just their budgets; a probe takes much less than its own."""
    for probe in probed.of(f"policy-accepts-{kind}"):
        run = probed.runs[probe]
        stored, took = run["duration_actual"], _minutes(run)
        assert abs(stored - took) < LEAST_MINUTES, (
            f"{probe} is stored with {stored:g} minutes, and lasted {took:g}"
        )
        tokens, spent = run["tokens_actual"], probed.spent.get(probe)
        assert spent is None or tokens == pytest.approx(spent, rel=0.01), (
            f"{probe} is stored with {tokens:g} tokens, and told to have spent {spent:g}"
        )


def _minutes(run: Mapping[str, Any]) -> float:
    return (moment(run["completed_at"]) - moment(run["started_at"])).total_seconds() / 60


@pytest.mark.criterion("policy-rejects-validation-fail")
def test_a_cancelled_run_leaves_nothing_to_learn_from(probed: Probed) -> None:
    left = probed.cancelled
    if left is None:
        return  # a rehearsal alone may cancel
    assert left.began == "executing", f"the run that was to be cancelled was {left.began}"
    run = left.run
    assert run["status"] == "cancelled", f"a cancelled run is stored as {run['status']}"
    assert not left.priors, f"a cancelled run wrote {len(left.priors)} priors"
    assert not left.receipts, f"a cancelled run has {len(left.receipts)} receipts of KPIs"
    passed = run["validation_pass"]
    assert not passed, f"a cancelled run is stored with validation_pass {passed}"
    for measure in MEASURES:
        took = run[f"{measure}_actual"]
        assert took is None, f"a cancelled run is stored with {measure}_actual {took:g}"


@pytest.mark.criterion("policy-rejects-other-kinds")
def test_a_kind_that_nobody_knows_teaches_nothing(probed: Probed) -> None:
    assert not probed.of_unknown, f"a {UNKNOWN_KIND} run wrote {len(probed.of_unknown)} priors"
    refused = 400 <= probed.unknown < 500
    assert refused, f"the start of a {UNKNOWN_KIND} run answers {probed.unknown}, not 4xx"


def _described(kind: object, valid: object, sandbox: object) -> dict[str, Any]:
    """A run as the policy sees it; what is absent has no key."""
    fields = {"run_kind": kind, "validation_pass": valid, "write_sandbox": sandbox}
    return {name: value for name, value in fields.items() if value is not ABSENT}


def _told(run: dict[str, Any]) -> str:
    return f"a run with {listed(run)}" if run else "a run of which nothing is said"


def _may_teach(run: dict[str, Any]) -> bool:
    """The policy in the plan's words; flags as SQLite stores them."""
    right_kind = run.get("run_kind") in ("baseline", "hotfix")
    return right_kind and run.get("validation_pass") in (1, True) and not run.get("write_sandbox")


def _decided(api: httpx.Client, runs: list[dict[str, Any]]) -> list[bool]:
    body = spoken().body("policy", {"runs": runs})
    answer = api.post(spoken().path("policy"), json=body)
    updates = read(answer, "policy")["update"]
    assert len(updates) == len(runs), f"{len(updates)} answers to {len(runs)} runs"
    return list(updates)


@pytest.mark.criterion("policy-truth-table")
def test_every_combination_is_decided_as_stated(
    api: httpx.Client, phase: Stage, observe: Observe
) -> None:
    now = phase.now()
    runs = [_described(*values) for values in product(KINDS, FLAGS, FLAGS)]
    for run, update in zip(runs, _decided(api, runs), strict=True):
        wrong = update is not _may_teach(run)
        observe("policy_mismatch", wrong, at=now, kind=run.get("run_kind", "absent"))


@pytest.mark.criterion("policy-truth-table")
@settings(max_examples=20, deadline=None, derandomize=True, database=None)
@given(
    runs=st.lists(
        st.builds(
            _described,
            st.sampled_from(KINDS) | st.text(max_size=20),
            st.sampled_from(FLAGS),
            st.sampled_from(FLAGS),
        ),
        min_size=10,
        max_size=40,
    )
)
def test_any_run_is_decided_as_stated(api: httpx.Client, runs: list[dict[str, Any]]) -> None:
    for run, update in zip(runs, _decided(api, runs), strict=True):
        assert update is _may_teach(run), f"{_told(run)} is decided {update}"


# Two baselines


@pytest.mark.parametrize(
    "project",
    [
        pytest.param(201, marks=pytest.mark.criterion("baseline-1-started")),
        pytest.param(202, marks=pytest.mark.criterion("baseline-2-started")),
    ],
)
def test_baseline_starts_with_its_budget(seeded: Seeded, project: int) -> None:
    start, run = seeded.starts[project], seeded.runs[project]
    assert start.status == httpx.codes.OK, f"start of {project} answers {start.status}, not 200"
    assert run, f"project {project} has no run in the registry"
    assert run["run_kind"] == "baseline", f"the run of {project} is a {run['run_kind']}"
    assert run["project_id"] == project, f"the run is one of project {run['project_id']}"
    lane = run["lane_name"]
    assert lane == BASELINES[project], f"project {project} runs in {lane}, not {BASELINES[project]}"
    if run["started_at"]:
        began, asked = moment(run["started_at"]), seeded.asked[project]
        words = f"the registry says project {project} began at {began.isoformat()}"
        assert began >= asked - A_MINUTE, f"{words}, and it was asked to at {asked.isoformat()}"
    kept = {name: run[name] for name in BUDGETS[project]}
    said = f"project {project} is stored with {listed(kept)}, not {listed(BUDGETS[project])}"
    assert kept == BUDGETS[project], said


@pytest.mark.criterion("baselines-sequential")
def test_the_second_baseline_waits_for_the_first(seeded: Seeded, observe: Observe) -> None:
    ended, began = seeded.runs[201].get("completed_at"), seeded.runs[202].get("started_at")
    assert ended, "project 201 has no end"
    assert began, "project 202 has no start"
    between = datetime.fromisoformat(began) - datetime.fromisoformat(ended)
    observe("second_after_first", between.total_seconds())


@pytest.mark.criterion("baselines-complete")
@pytest.mark.parametrize("project", BASELINES)
def test_baseline_is_completed_and_validated(seeded: Seeded, project: int) -> None:
    run = seeded.runs[project]
    assert run, f"project {project} has no run in the registry"
    assert run["status"] == "completed", f"project {project} is {run['status']}, not completed"
    passed = run["validation_pass"]
    assert passed == 1, f"project {project} has validation_pass {passed}"
    others = [other["run_id"] for other in seeded.told[project] if other["run_id"] != run["run_id"]]
    assert not others, f"project {project} also has the runs {', '.join(map(str, others))}"


@pytest.mark.criterion("baselines-complete")
@pytest.mark.parametrize("project", BASELINES)
def test_baseline_is_validated_by_its_receipts(seeded: Seeded, project: int) -> None:
    receipts = [
        KpiReceipt(row["run_id"], row["kpi_name"], row["value"], passed=row["passed"] == 1)
        for row in seeded.receipts[project]
    ]
    completed = {str(seeded.runs[project].get("run_id")): BASELINES[project]}
    slips = kpi_slips(completed, receipts, PROMISES)
    assert not slips, "; ".join(slips)


@pytest.mark.criterion("baselines-within-budget")
def test_baselines_stay_within_their_budgets(seeded: Seeded, observe: Observe) -> None:
    for project, run in seeded.runs.items():
        for what, budget in (("tokens", "budget_tokens"), ("duration", "budget_duration_minutes")):
            used, given_ = run.get(f"{what}_actual"), BUDGETS[project][budget]
            assert used is not None, f"the registry has no {what}_actual of project {project}"
            observe("budget_used", used / given_, project=project, what=what)


@pytest.mark.criterion("prior-per-baseline")
@pytest.mark.parametrize("project", BASELINES)
def test_what_a_baseline_took_is_what_was_seen_of_it(seeded: Seeded, project: int) -> None:
    run, spent = seeded.runs[project], seeded.spent[project]
    minutes, stored = _minutes(run), run["duration_actual"]
    assert abs(stored - minutes) < LEAST_MINUTES, f"{stored} min are stored of {minutes:g}"
    tokens, ended = run["tokens_actual"], moment(run["completed_at"])
    # A look long before the end shows little of what the whole run took.
    late = [look.tokens for look in spent if ended - look.at < timedelta(seconds=90)]
    for last in late[-1:]:
        said = f"{tokens} tokens are stored, and {last:g} were told to be spent a minute before"
        assert 0.85 * tokens <= last <= 1.01 * tokens, said


# When


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(seeded: Seeded, phase: Stage, observe: Observe) -> None:
    enabled = [event for event in seeded.events if "calibration" in event.says]
    if not enabled:
        says = "calibration_enabled set to true"
        not_done("nobody recorded that calibration was enabled", recorded("day5", "change", says))
    observe_slot(phase, seeded.events, observe)
