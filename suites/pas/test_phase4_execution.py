"""Executors, gates, tools, budgets and replays of the full service."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping

import pytest

from pytest_rollout import NoValueError, Observe, Reported
from suites.pas.scenarios.executors import WORK, Replayed
from suites.pas.scenarios.gated import TOOLS, Guarded, Judged
from suites.pas.views.graph import by_id
from suites.pas.views.lanes import KPI_OF, SECONDS, kpi_name
from suites.pas.views.pas import over_budget
from suites.pas.views.store import Store, body

pytestmark = pytest.mark.pas_phase4

Runs = Mapping[str, Reported]
KEPT = ("lane", "deps", "status", "time_ms", "tokens", "output", "kpis")


def _executed(lane: str, executed: Runs, store: Store) -> None:
    """Raise AssertionError where no executor did the task of a lane, or did it wrong."""
    run = executed[lane]
    (task,) = run.each("tasks")
    status = task.text("status")
    assert status == "succeeded", f"the task of {lane} is {status}: {task.get('error')}"
    assert task.text("executor") == f"executor:{lane}", f"{task['executor']} did it"
    took = (task.moment("finished_at") - task.moment("started_at")).total_seconds()
    low, high = SECONDS[lane]
    assert low <= took <= high, f"it took {took:g} s, and {low} to {high} s are due"
    due = WORK[lane][1]
    for name, value in due.output.items():
        said = task.inner("output")[name]
        assert said == value, f"its {name} are {said}, and {value} is right"
    (kpi,) = [
        receipt for receipt in task.each("kpis") if kpi_name(receipt.text("kpi")) == KPI_OF[lane]
    ]
    value = took if due.kpi is None else due.kpi
    assert abs(kpi.number("value") - value) < 0.01, f"its KPI is {kpi['value']}, not {value:g}"
    for table in ("receipts", "kpi_receipts"):
        rows = [
            r for r in store.of_run(table, run.text("run_id")) if r["task_id"] == task["task_id"]
        ]
        assert rows, f"it left no row in {table}"


@pytest.mark.criterion("executor-code-impl")
def test_code_is_implemented(executed: Runs, store: Store) -> None:
    _executed("Code-Impl", executed, store)


@pytest.mark.criterion("executor-data-schema")
def test_schemas_are_compared(executed: Runs, store: Store) -> None:
    _executed("Data-Schema", executed, store)


@pytest.mark.criterion("executor-vector-ops")
def test_vectors_are_searched(executed: Runs, store: Store) -> None:
    _executed("Vector-Ops", executed, store)


# Gates


@pytest.mark.criterion("quality-gates-validate")
def test_gates_stop_what_they_must(judged: Judged, observe: Observe) -> None:
    wrongs = []
    for name, trial in judged.trials.items():
        run = judged.runs[name]
        status, valid = run.text("status"), run.get("validation_pass")
        good = (
            (status == "completed" and valid is True)
            if trial.passes
            else (status == "failed" and valid is False)
        )
        observe("gate_wrong", not good, gate=name)
        wrongs += [] if good else [f"{name}: {status}, validation_pass {valid}"]
    assert not wrongs, "; ".join(wrongs)


@pytest.mark.criterion("quality-gates-validate")
def test_an_echo_is_of_what_was_sent(judged: Judged) -> None:
    """By the digest of the payload that the suite sent: JSON, keys sorted, no blanks."""
    for name, trial in judged.trials.items():
        (task,) = judged.runs[name].each("tasks")
        text = json.dumps(trial.payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        due, echo = hashlib.sha256(text.encode()).hexdigest(), task.inner("echo")
        assert echo.text("sent") == due, f"{name}: the echo is of another payload than was sent"
        garbled = bool(trial.payload.get("garble"))
        returned = (echo.text("returned") != due, echo.flag("pass"))
        assert returned == (garbled, not garbled), f"{name}: garbled is {garbled}, the echo {echo}"


@pytest.mark.criterion("quality-gates-validate")
def test_a_failed_gate_is_named(judged: Judged) -> None:
    for name, trial in judged.trials.items():
        failed = [
            gate.text("gate") for gate in judged.runs[name].each("gates") if not gate.flag("passed")
        ]
        if trial.passes:
            assert not failed, f"{name} passed, and {failed} failed"
        else:
            due = "echo" if trial.payload.get("garble") else "kpi"
            assert due in failed, f"{name}: of its gates {failed or 'none'} failed, and {due} must"


@pytest.mark.criterion("tool-allowlist")
def test_only_listed_tools_are_used(guarded: Guarded) -> None:
    (task,) = guarded.tools["allowed"].each("tasks")
    if task.text("status") != "succeeded":
        raise NoValueError(f"a task with listed tools is {task['status']} as well")
    assert task["tools"] == [*TOOLS["allowed"][1]], f"of listed tools it called {task['tools']}"
    for name in ("refused", "of another lane"):
        lane, (*_, tool) = TOOLS[name]
        (task,) = guarded.tools[name].each("tasks")
        assert tool not in task["tools"], f"a task of {lane} used {tool}"
        assert tool in task["refused_tools"], f"refused were {task['refused_tools']}, not {tool}"
        status = task.text("status")
        assert status == "failed", f"a task of {lane} that asks for {tool} is {status}"
        assert not task["output"], f"it left {task['output']}"


@pytest.mark.criterion("budget-guard")
def test_no_run_spends_more_than_its_budget(
    guarded: Guarded, store: Store, observe: Observe
) -> None:
    for name, (cap, run) in guarded.budgets.items():
        kept = store.of_run("receipts", run.text("run_id"))
        spent = sum(body(row).number("cost_usd") for row in kept)
        if not spent:
            raise NoValueError(f"{run['run_id']} spent nothing")
        observe("spend_over_cap", round(spent - cap, 9), run=name)
        minutes = (run.moment("ended_at") - run.moment("started_at")).total_seconds() / 60
        left, said = (cap - spent) / spent * minutes, run.number("runway_minutes")
        assert abs(said - left) < 0.01, f"{name} has budget for {left:g} more minutes, not {said:g}"
    observe("runs_over_budget", sum(over_budget(run) for _, run in guarded.budgets.values()))
    for name in ("r1", "r3"):
        _, stopped = guarded.budgets[name]
        status, done = stopped.text("status"), stopped.whole("tasks_completed")
        assert status == "terminated", f"{name}: without budget a run is {status}"
        assert "budget" in stopped.text("reason").lower(), f"the reason is {stopped['reason']}"
        assert done == 3, f"{name}: of its budget three tasks can be paid, and {done} were done"
    starved = guarded.starved
    assert starved.text("status") == "terminated", f"without energy a run is {starved['status']}"
    assert not starved.number("spend_energy_kwh"), f"it used {starved['spend_energy_kwh']} kWh"
    _, within = guarded.budgets["r2"]
    assert within.text("status") == "completed", f"within its budget a run is {within['status']}"


@pytest.mark.criterion("deterministic-replay")
def test_a_replay_is_the_same(replayed: Replayed, observe: Observe) -> None:
    differences = [*_differences(replayed)]
    observe("replay_differences", len(differences))
    assert not differences, "; ".join(differences[:3])


def _differences(replayed: Replayed) -> Iterator[str]:
    first, again = by_id(replayed.first), by_id(replayed.again)
    if set(first) != set(again):
        yield f"the tasks are {sorted(again)}, not {sorted(first)}"
        return
    for field in ("status", "validation_pass"):
        if replayed.first[field] != replayed.again[field]:
            yield f"{field} is {replayed.again[field]}, and was {replayed.first[field]}"
    for task, was in first.items():
        now = again[task]
        for field in KEPT:
            if now[field] != was[field]:
                yield f"{field} of {task} is {now[field]}, and was {was[field]}"
    if _order(replayed.first) != _order(replayed.again):
        yield f"the order is {_order(replayed.again)}, and was {_order(replayed.first)}"


def _order(run: Reported) -> list[list[str]]:
    """The tasks in the order in which they began, those of a moment together."""
    began: dict[float, list[str]] = {}
    start = run.moment("started_at")
    for task in run.each("tasks"):
        if task["started_at"] is not None:
            after = (task.moment("started_at") - start).total_seconds()
            began.setdefault(round(after, 3), []).append(task.text("task_id"))
    return [sorted(began[after]) for after in sorted(began)]
