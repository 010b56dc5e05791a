"""Day 5: the calibration gate. Policy, two baselines, their priors, intervals, rollback."""

from __future__ import annotations

from datetime import datetime
from itertools import product
from statistics import NormalDist
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_rollout import Observe, Stage
from suites.plms.scenarios.calibration import (
    BASELINES,
    BUDGETS,
    PROBES,
    Probed,
    RolledBackCalibration,
    Seeded,
)
from suites.plms.views.answers import read
from suites.plms.views.portfolio import observe_slot

pytestmark = pytest.mark.day5

MEASURES = ("tokens", "duration")
ABSENT = object()
FLAGS = (True, False, 1, 0, None, ABSENT)
KINDS = ("baseline", "hotfix", "rehearsal", "replay", "INVALID_KIND", "", None, ABSENT)


# The policy


@pytest.mark.criterion("policy-enabled")
def test_the_running_service_calibrates(probed: Probed) -> None:
    assert probed.configured == "true", f"calibration_enabled is {probed.configured!r}"
    assert probed.enabled is True, f"the service says enabled is {probed.enabled}"
    assert sum(probed.priors.values()), "the running service learnt from no probe"


@pytest.mark.parametrize(
    "probe",
    [
        pytest.param(probe, marks=pytest.mark.criterion(criterion))
        for probe, criterion in {
            "baseline": "policy-accepts-baseline",
            "hotfix": "policy-accepts-hotfix",
            "rehearsal": "policy-rejects-other-kinds",
            "replay": "policy-rejects-other-kinds",
            "failing": "policy-rejects-validation-fail",
            "sandbox": "policy-rejects-sandbox",
            "no-flag": "policy-sandbox-flag-defaults-false",
        }.items()
    ],
)
def test_only_runs_of_the_policy_teach(probed: Probed, probe: str) -> None:
    assert probed.ended[probe], f"the {probe} probe has not ended, so it shows nothing"
    priors, wanted = probed.priors[probe], PROBES[probe].teaches
    assert (priors > 0) is wanted, f"{priors} priors come from the {probe} probe"


def _described(kind: object, valid: object, sandbox: object) -> dict[str, Any]:
    """A run as the policy sees it; what is absent has no key."""
    given = {"run_kind": kind, "validation_pass": valid, "write_sandbox": sandbox}
    return {name: value for name, value in given.items() if value is not ABSENT}


def _may_teach(run: dict[str, Any]) -> bool:
    """The policy in the plan's words; flags as SQLite stores them."""
    known = run.get("run_kind") in ("baseline", "hotfix")
    return known and run.get("validation_pass") in (1, True) and not run.get("write_sandbox")


def _decided(api: httpx.Client, runs: list[dict[str, Any]]) -> list[bool]:
    answer = api.post("/api/ops/calibration/policy", json={"runs": runs})
    found = read(answer, "policy")["update"]
    assert len(found) == len(runs), f"{len(found)} answers to {len(runs)} runs"
    return list(found)


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
        assert update is _may_teach(run), f"{run} is decided {update}"


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
    kept = {name: run[name] for name in BUDGETS[project]}
    assert kept == BUDGETS[project], f"budgets are {kept}, not {BUDGETS[project]}"


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


@pytest.mark.criterion("baselines-within-budget")
def test_baselines_stay_within_their_budgets(seeded: Seeded, observe: Observe) -> None:
    for project, run in seeded.runs.items():
        for what, budget in (("tokens", "budget_tokens"), ("duration", "budget_duration_minutes")):
            used, given_ = run.get(f"{what}_actual"), run.get(budget)
            if used is not None and given_:
                observe("budget_used", used / given_, project=project, what=what)


# What was learnt


@pytest.mark.criterion("new-priors")
def test_priors_are_new(seeded: Seeded, observe: Observe) -> None:
    observe("new_priors", len(seeded.priors))


@pytest.mark.criterion("prior-per-baseline")
def test_each_baseline_teaches_its_lane(seeded: Seeded, observe: Observe) -> None:
    for project, lane in BASELINES.items():
        observe("priors_of_baseline", len(seeded.priors_of(project)), lane=lane)


@pytest.mark.criterion("prior-columns-populated")
def test_priors_are_complete(seeded: Seeded) -> None:
    assert seeded.priors, "there is no new prior"
    for row in seeded.priors:
        named = f"prior {row['id']} ({row['lane_name']})"
        empty = [name for name, value in row.items() if value is None]
        assert not empty, f"{named} has no {', '.join(empty)}"
        assert row["mean_tokens"] > 0, f"{named} has mean_tokens {row['mean_tokens']}"
        assert row["std_tokens"] >= 0, f"{named} has std_tokens {row['std_tokens']}"
        assert 0 <= row["confidence"] <= 1, f"{named} has confidence {row['confidence']}"


@pytest.mark.criterion("ci-fields-non-empty")
@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("field", ["mean", "ci_lower", "ci_upper"])
def test_an_interval_has_its_figures(seeded: Seeded, measure: str, field: str) -> None:
    value = seeded.metrics.get(f"{measure}_{field}")
    assert isinstance(value, int | float), f"{measure}_{field} of project 203 is {value}"


def _interval(seeded: Seeded, measure: str) -> tuple[float, float, float]:
    found = [seeded.metrics.get(f"{measure}_{name}") for name in ("ci_lower", "mean", "ci_upper")]
    assert None not in found, f"the interval of {measure} is {found}"
    lower, mean, upper = found
    return float(lower or 0), float(mean or 0), float(upper or 0)


@pytest.mark.criterion("ci-ordered")
@pytest.mark.parametrize("measure", MEASURES)
def test_an_interval_encloses_its_mean(seeded: Seeded, measure: str) -> None:
    lower, mean, upper = _interval(seeded, measure)
    assert lower <= mean <= upper, f"{measure}: {mean} is not in [{lower}, {upper}]"
    assert lower < upper, f"{measure}: [{lower}, {upper}] has no width"


@pytest.mark.criterion("ci-level-90")
@pytest.mark.parametrize("measure", MEASURES)
def test_an_interval_holds_ninety_percent(seeded: Seeded, measure: str) -> None:
    level = seeded.metrics.get("ci_level")
    assert level == 0.9, f"the level of the intervals is {level}, not 0.9"
    lower, mean, upper = _interval(seeded, measure)
    spread = NormalDist(mean, seeded.metrics[f"{measure}_std"])
    held = spread.cdf(upper) - spread.cdf(lower)
    assert abs(held - 0.9) < 0.01, f"[{lower:g}, {upper:g}] of {measure} holds {held:.1%}, not 90 %"


@pytest.mark.criterion("ci-example-values")
@pytest.mark.parametrize(
    ("measure", "wanted"), [("tokens", (7200, 9000, 10800)), ("duration", (20, 25, 30))]
)
def test_the_example_of_the_plan_comes_out(
    seeded: Seeded, measure: str, wanted: tuple[float, ...]
) -> None:
    found = _interval(seeded, measure)
    assert found == pytest.approx(wanted, rel=0.01), f"{measure} is {found}, not {wanted}"


# Rollback, on a target of its own


@pytest.mark.criterion("rollback-updates-off")
def test_after_the_rollback_nothing_is_learnt(
    calibration_rolled_back: RolledBackCalibration,
) -> None:
    seen = calibration_rolled_back
    assert seen.ended, "the baseline after the rollback has not ended, so it shows nothing"
    added = sorted(set(seen.later) - set(seen.reverted))
    assert not added, f"priors {added} were added with calibration switched off"


@pytest.mark.criterion("rollback-priors-reverted")
def test_the_rollback_removes_its_own_priors_only(
    calibration_rolled_back: RolledBackCalibration,
) -> None:
    seen = calibration_rolled_back
    assert set(seen.learnt) > set(seen.before), "nothing was learnt that could be reverted"
    lost = sorted(set(seen.before) - set(seen.reverted))
    left = sorted(set(seen.reverted) - set(seen.before))
    assert not lost, f"the rollback also removed the older priors {lost}"
    assert not left, f"the rollback left priors {left}"


@pytest.mark.criterion("in-window")
def test_work_stays_in_the_slot(seeded: Seeded, phase: Stage, observe: Observe) -> None:
    observe_slot(phase, seeded.events, observe)
