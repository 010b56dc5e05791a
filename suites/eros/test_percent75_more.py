"""Phase 3, 75 percent: the totals and the order of the steps, and a burst."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from pytest_rollout import Observe, Reported
from suites.eros.scenarios.burst import SIZE, Burst
from suites.eros.scenarios.widening import PERCENTAGES, Step, flags_in, served_since
from suites.eros.views import figures
from suites.eros.views.records import noted
from suites.eros.views.said import not_done

pytestmark = pytest.mark.percent75

STEPS = ("percent25", "percent50", "percent75")
TOTALS = {
    "success": figures.success,
    "duration_s_p95": figures.latency,
    "quality": figures.quality,
}


@pytest.mark.criterion("stable-75-48h")
def test_48_hours_have_passed_at_75_percent(widened: Step) -> None:
    passed = widened.now - widened.begun
    assert passed >= timedelta(hours=48), f"75 percent were set {passed} ago, not 48 hours"


@pytest.mark.criterion("aggregate-reported")
@pytest.mark.parametrize("step", STEPS)
def test_totals_of_a_step_are_reported(widened: Step, step: str, observe: Observe) -> None:
    totals = [
        total
        for total in widened.service.get("/monitoring/steps").each("steps")
        if total.text("phase") == step
    ]
    share = str(PERCENTAGES[step])
    for figure in (*TOTALS, "violations"):
        wrong = not totals or _differs(widened, totals[-1], figure)
        observe("total_unreported", wrong, step=share, figure=figure)


def _differs(step: Step, told: Reported, figure: str) -> bool:
    """Whether a total is not the one of the journal's runs between the changes of flags."""
    until = None if told["until"] is None else told.moment("until")
    runs = served_since(step.service, told.moment("since"), until)
    if figure == "violations":
        return told.whole(figure) != sum(bool(run.violations) for run in runs)
    return not runs or figures.differs(told.number_or_none(figure), TOTALS[figure](runs))


@pytest.mark.criterion("sequence-enforced")
def test_steps_went_in_order(widened: Step, observe: Observe) -> None:
    entered = _entered(widened)
    for name in STEPS:
        moments = [at for at, step, _ in entered if step == name]
        jumped = [at for at, step, came_from in entered if step == name and not came_from]
        observe("step_out_of_order", not moments or bool(jumped), step=name)


def _entered(step: Step) -> list[tuple[datetime, str, bool]]:
    """Each time that a percentage was raised to a step, and whether it could be from there.

    After a rollback it may go on at the step before the one that failed, or lower.
    """
    entered, reached = [], 0
    rollbacks = list(step.rollbacks)
    names = {PERCENTAGES[name]: name for name in STEPS}
    for change in step.changes:
        at, share = change.moment("at"), flags_in(change, "after").percentage
        while rollbacks and rollbacks[0] <= at:
            rollbacks.pop(0)
            reached = max(0, reached - 50)  # what failed is not entered before the one below it
        if share in names and share != reached:
            entered.append((at, names[share], share <= reached + 25))
            reached = share
    return entered


@pytest.mark.criterion("sequence-enforced")
def test_each_step_waited_for_the_gate_of_the_one_before(widened: Step) -> None:
    gates = noted(widened.records, "gate")
    if not gates:
        not_done("no gate is on record", "decide each step, and write it down")
    for name, before in zip(STEPS, ("early_adopters", *STEPS), strict=False):
        went = [at for at, step, _ in _entered(widened) if step == name]
        passed = [
            gate.moment("at")
            for gate in gates
            if (gate.text("phase"), gate.text("verdict")) == (before, "GO")
        ]
        assert went, f"{name} was never entered"
        assert passed, f"no GO of {before} is on record"
        early = [at for at in went if min(passed) > at]
        assert not early, f"{name} was entered at {early[0]}, before the GO of {before}"


@pytest.mark.criterion("load-at-75")
def test_all_are_served_at_once(burst: Burst, observe: Observe) -> None:
    refused = [said.problem for said in burst.answers if said.problem]
    assert not refused, f"{len(refused)} of {len(burst.answers)} got no schedule: {refused[0]}"
    for run in burst.runs:
        took = max((run.ended - run.started).total_seconds(), run.seconds, burst.waited)
        observe("burst_seconds", took, creator=run.creator, run=run.run_id)
    succeeded = sum(run.ok for run in burst.runs)
    share = succeeded / max(SIZE, len(burst.runs))
    assert share >= 0.95, f"{succeeded} of {len(burst.runs)} runs of the burst succeeded"
