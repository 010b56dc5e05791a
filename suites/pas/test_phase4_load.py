"""The scheduler under a burst: caps, fair share, and two projects that both complete."""

from __future__ import annotations

import pytest

from pytest_rollout import Observe, Reported, reported
from suites.pas.scenarios.bursting import MANY, WEIGHTS, Burst
from suites.pas.views.executed import CAPS, at_each_event, pieces, shares, unlike
from suites.pas.views.graph import by_id, too_early
from suites.pas.views.lanes import KPI_OF, SECONDS, kpi_name, sound
from suites.pas.views.store import Row, body
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_phase4

FIELDS = ("tokens", "time_ms", "cost_usd", "energy_kwh", "carbon_kg")
EXECUTORS = tuple(f"executor-{lane}" for lane in ("code-impl", "data-schema", "vector-ops"))
EVEN = (0.45, 1.5)  # tasks that one run begins for each of another one of its weight


@pytest.mark.criterion("scheduler-lane-caps")
def test_no_lane_runs_more_than_its_cap(burst: Burst, observe: Observe) -> None:
    for lane, cap in CAPS.items():
        most = 0
        for at, running in at_each_event(burst.in_lane(lane)):
            observe("running_minus_cap", running - cap, at=at, lane=lane)
            most = max(most, running)
        assert most >= cap, f"{lane} never ran more than {most} tasks, and its cap is {cap}"
        told = burst.caps.whole(lane)
        assert told == cap, f"the cap of {lane} is said to be {told}, not {cap}"
    wrong = unlike(burst.looks, burst.pieces)
    assert not wrong, f"{len(wrong)} looks saw something else: {wrong[0]}"


@pytest.mark.criterion("scheduler-fair-share")
def test_both_runs_are_served_alike(burst: Burst, observe: Observe) -> None:
    weights = [burst.weights.number(run) for run in burst.runs]
    assert weights[0] == weights[1] > 0, f"the shares of two runs of equal weight are {weights}"
    for lane in CAPS:
        for at, index in shares(burst.shared(lane), [*burst.runs]):
            observe("jain_fairness_index", index, at=at, lane=lane)


@pytest.mark.criterion("scheduler-fair-share")
def test_a_run_of_more_weight_is_served_more(weighted: tuple[Reported, Reported]) -> None:
    """Until the run of three times the weight has begun all, the other has begun a third."""
    heavy, light = weighted
    assert (heavy.number("weight"), light.number("weight")) == WEIGHTS, "the weights were not kept"
    began = [[task.moment("started_at") for task in run.each("tasks")] for run in weighted]
    beside = sum(at <= max(began[0]) for at in began[1])
    due = MANY * WEIGHTS[1] / WEIGHTS[0]
    assert due / 2 <= beside <= due * 1.75, (
        f"while the run of weight {WEIGHTS[0]:g} began {MANY} tasks, that of {WEIGHTS[1]:g} began "
        f"{beside}, not about {due:g}"
    )


@pytest.mark.criterion("scheduler-fair-share")
def test_a_run_that_begins_later_has_its_share_from_then_on(
    joined: tuple[Reported, Reported],
) -> None:
    """It is owed nothing for the time before, and the other one nothing for its pauses."""
    statuses = [run.text("status") for run in joined]
    assert statuses == ["completed"] * 2, f"the runs are {statuses}"
    since = joined[1].moment("started_at")
    began = [[task.moment("started_at") for task in run.each("tasks")] for run in joined]
    until = min(max(moments) for moments in began)
    early, late = (sum(since <= at <= until for at in moments) for moments in began)
    assert EVEN[0] * late <= early <= EVEN[1] * late, (
        f"while both waited the first began {early} tasks and the second {late}"
    )


@pytest.mark.criterion(*EXECUTORS)
def test_each_task_takes_what_its_lane_takes(burst: Burst) -> None:
    for piece in burst.pieces:
        least, most = SECONDS[piece.lane]
        took = (piece.ended - piece.began).total_seconds()
        assert least <= took <= most, f"a task of {piece.lane} took {took:g} s"


@pytest.mark.criterion("two-concurrent-projects")
def test_both_projects_complete(burst: Burst, observe: Observe) -> None:
    spans = []
    for name, run in burst.runs.items():
        done = [task for task in run.each("tasks") if task.text("status") == "succeeded"]
        whole = len(done) == len(burst.cards[name]) == run.whole("tasks_total")
        observe("project_completed", run.text("status") == "completed" and whole, run=name)
        work = pieces(run)
        assert work, f"no task of {name} was worked on"
        spans.append((min(piece.began for piece in work), max(piece.ended for piece in work)))
    overlap = (min(end for _, end in spans) - max(begin for begin, _ in spans)).total_seconds()
    assert overlap > 0, f"the two projects ran one after the other, {-overlap:.0f} s apart"


@pytest.mark.criterion("executes-jobs")
def test_each_job_comes_to_an_end(burst: Burst, observe: Observe) -> None:
    for name, run in burst.runs.items():
        tasks = by_id(run)
        known = {card.task for card in burst.cards[name]}
        assert set(tasks) == known, f"{name} has other tasks than were handed in"
        for card in burst.cards[name]:
            task = tasks[card.task]
            ended = task.text("status") == "succeeded" and task["finished_at"] is not None
            early = any(too_early(tasks, above, card.task) for above in card.deps)
            observe("job_finished", ended and not early, run=name)
        assert run.whole("executions") == 1, f"{name} was executed {run['executions']} times"


@pytest.mark.criterion("emits-kpi-receipts")
def test_each_task_leaves_the_receipts_of_its_lane(burst: Burst, observe: Observe) -> None:
    for name, run in burst.runs.items():
        kept = burst.store.of_run("kpi_receipts", name)
        for task in run.each("tasks"):
            due = KPI_OF[task.text("lane")]
            mine = [
                receipt for receipt in task.each("kpis") if kpi_name(receipt.text("kpi")) == due
            ]
            rows = [row for row in kept if row["task_id"] == task["task_id"]]
            stored = [row for row in rows if kpi_name(row["kpi"]) == due]
            whole = len(mine) == len(stored) == 1 and sound(mine[0]) and _same(stored[0], mine[0])
            observe("task_without_receipt", not whole, lane=task.text("lane"))


def _same(stored: Row, told: Reported) -> bool:
    """Whether the store holds of a KPI what the service tells of it."""
    figures = all(abs(stored[name] - told.number(name)) < 1e-9 for name in ("value", "threshold"))
    return figures and (stored["comparison"], bool(stored["pass"])) == (
        told.text("comparison"),
        told.flag("pass"),
    )


@pytest.mark.criterion("agent-hierarchy", "executor-code-impl")
def test_each_task_came_down_the_hierarchy(burst: Burst, observe: Observe) -> None:
    tell = Told(observe)
    for name in burst.runs:
        lanes = {task.text("task_id"): task.text("lane") for task in burst.runs[name].each("tasks")}
        for row in burst.store.of_run("receipts", name):
            lane = lanes.get(row["task_id"], "")
            due = ["architect", f"director:{lane}", f"manager:{lane}:{name}", f"executor:{lane}"]
            tell("path_wrong", body(row)["lineage"] != due, lane=lane)
    tell.none_bad("a task came another way")


@pytest.mark.criterion("multi-metric-telemetry", "emits-kpi-receipts")
def test_each_receipt_says_what_its_task_took(burst: Burst, observe: Observe) -> None:
    tell = Told(observe)
    for name, run in burst.runs.items():
        tasks = by_id(run)
        for row in burst.store.of_run("receipts", name):
            said, task = body(row), tasks[row["task_id"]]
            took = task.moment("finished_at") - task.moment("started_at")
            wrong = sum(not _positive(said.get(field)) for field in FIELDS)
            wrong += abs((said.get("time_ms") or 0) - 1000 * took.total_seconds()) > 1
            wrong += sum(said.get(field) != task[field] for field in FIELDS)
            tell("receipt_field_wrong", wrong, run=name)
        spent = sum(body(row).number("cost_usd") for row in burst.store.of_run("receipts", name))
        told = reported(burst.pas.client.get("/pas/v1/runs/status", params={"run_id": name}))
        off = abs(told.number("spend_usd") - spent)
        assert off < 1e-6, f"{name} is said to have cost {told['spend_usd']}, its receipts {spent}"
    tell.none_bad("figures of receipts are missing or wrong")


def _positive(value: object) -> bool:
    """Whether a figure is above zero; tokens may be told by their parts."""
    if isinstance(value, dict):
        value = value.get("total")
    return isinstance(value, int | float) and value > 0
