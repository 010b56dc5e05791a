"""Checks of what runs in a step: success, time, quality, hard gates, and how long it holds."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe
from suites.eros.scenarios.widening import Step, selected
from suites.eros.views.checks import demand_varied
from suites.eros.views.conditions import held
from suites.eros.views.journal import Run
from suites.eros.views.records import logged


@pytest.mark.criterion("success-rate")
def test_runs_succeed(widened: Step, observe: Observe) -> None:
    for run in widened.runs:
        observe("v5_success", run.ok, at=run.ended, creator=run.creator, run=run.run_id)


@pytest.mark.criterion("success-rate")
def test_what_succeeded_was_delivered(widened: Step) -> None:
    widened.deliveries.demand_delivered(since_begun(widened))
    widened.deliveries.demand_effects()


@pytest.mark.criterion("latency-p95")
def test_waiting_counts(widened: Step) -> None:
    widened.deliveries.demand_waiting_counts(since_begun(widened))


def since_begun(step: Step) -> list[Run]:
    """Runs of v5 whose requests came since the step began."""
    return [run for run in step.runs if run.started >= step.begun]


@pytest.mark.criterion("latency-p95")
def test_runs_are_quick(widened: Step, observe: Observe) -> None:
    for run in widened.runs:
        observe("v5_latency_s", run.seconds, at=run.ended, creator=run.creator, run=run.run_id)


@pytest.mark.criterion("quality-avg")
def test_schedules_are_good(widened: Step, observe: Observe) -> None:
    for run in widened.runs:
        if run.quality is not None:
            labels = {"pipeline": "v5", "creator": run.creator, "run": run.run_id}
            observe("quality_score", run.quality, at=run.ended, **labels)
    demand_varied(widened.runs)


@pytest.mark.criterion("hard-gate-violations")
def test_no_run_violates_a_hard_gate(widened: Step, observe: Observe) -> None:
    for run in widened.runs:
        labels = {"creator": run.creator, "run": run.run_id}
        broken = widened.broken(run)
        observe("hard_gate_violations", len(broken), at=run.ended, **labels)
        observe("hard_gate_violated", bool(broken), at=run.ended, **labels)


@pytest.mark.criterion("no-rollback-trigger")
def test_no_condition_of_the_rollback_held(widened: Step, observe: Observe) -> None:
    for run, conditions in held(widened.name, widened.outcomes()):
        observe("conditions_held", len(conditions), at=run.at, which=", ".join(conditions))
    fired = [at for at in widened.rollbacks if at >= widened.begun]
    assert not fired, f"v5 was rolled back at {fired[0]} ({len(fired)} times since the step began)"


@pytest.mark.criterion("no-rollback-trigger")
def test_the_controller_logged_no_trigger(widened: Step) -> None:
    begun = widened.begun
    lines = logged(widened.logs, "eros.rollback", "trigger")
    since = [line for line in lines if line.moment("at") >= begun]
    assert not since, f"eros.rollback tells of {since[0].text('reason')}"


@pytest.mark.criterion("soak-48h")
def test_the_step_holds(widened: Step, observe: Observe) -> None:
    for at, holds in widened.steady():
        observe("step_holds", holds, at=at)


@pytest.mark.criterion("per-creator-watch")
def test_each_creator_on_v5_is_looked_at(widened: Step, observe: Observe) -> None:
    for creator in sorted(selected(widened.service.names, widened.wanted)):
        observe("creator_on_v5", 1, at=widened.now, creator=creator)


@pytest.mark.criterion("no-degradation-at-scale")
def test_the_step_before_was_as_quick(widened: Step, observe: Observe) -> None:
    for run in widened.earlier:
        observe("v5_latency_before_s", run.seconds, at=run.ended, run=run.run_id)
