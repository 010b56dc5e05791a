"""What the full service keeps over a restart, how patient its messages are, what it computes."""

from __future__ import annotations

import uuid
from itertools import pairwise

import pytest

from pytest_rollout import Reported, Stage, reported
from suites.pas.scenarios.computed import TOOLS, Computed, Work
from suites.pas.scenarios.kept_all import (
    AGAIN_S,
    KPI,
    RECEIPT,
    REFUSALS,
    TOLD_S,
    KeptAll,
    Untold,
)
from suites.pas.views.lanes import KPI_OF, LIMITS, due_verdict
from suites.pas.views.pas import Pas, full_of
from suites.pas.views.store import body

pytestmark = pytest.mark.pas_phase4

NEAR = 0.001  # of a KPI, which is rounded


# Over a restart


@pytest.mark.criterion("receipts-persisted")
def test_a_restart_changes_no_run(kept_all: KeptAll) -> None:
    """Whatever state it is in, each field of it, and each of its tasks."""
    for name, before in kept_all.before.items():
        after = kept_all.after[name]
        unlike = [field for field in before if before[field] != after.get(field)]
        assert not unlike, (
            f"{name}: after the restart {unlike[0]} is {after.get(unlike[0])}, "
            f"and was {before[unlike[0]]}"
        )
    states = {name: run.text("status") for name, run in kept_all.after.items()}
    assert states == {name: name for name in states}, f"the runs are {states}"
    for name, due in (("paused", "suspended"), ("failed", "cancelled")):
        statuses = [task.text("status") for task in kept_all.before[name].each("tasks")]
        assert due in statuses, f"of the run that {name} no task is {due}: {statuses}"


@pytest.mark.criterion("receipts-persisted")
def test_what_agents_told_is_in_the_store(kept_all: KeptAll) -> None:
    run = kept_all.before["paused"]
    mine = [row for row in kept_all.rows["receipts"] if row["source"] == "agent"]
    assert len(mine) == 1, f"an agent told of one receipt, and {len(mine)} are kept"
    kept = {name: body(mine[0]).get(name) for name in RECEIPT}
    assert kept == RECEIPT, f"the receipt of an agent is kept as {kept}"
    ids = (mine[0]["receipt_id"], mine[0]["task_id"])
    due = (kept_all.first["receipt_id"], run.each("tasks")[0]["task_id"])
    assert ids == due, f"it is kept as {ids}, and told was {due}"
    posted = [row for row in kept_all.rows["kpi_receipts"] if row["task_id"] is None]
    told = [(r["kpi"], r["value"], r["threshold"], r["comparison"], r["pass"]) for r in posted]
    limit = (LIMITS[KPI["kpi"]], ">=", 0)
    assert told == [(KPI["kpi"], KPI["value"], *limit)], f"a KPI of an agent is kept as {told}"
    receipt = posted[0]["receipt_id"]
    assert receipt == kept_all.posted["receipt_id"], f"a KPI of an agent is kept as {receipt}"
    for row in (*mine, *posted):
        after = Reported(row, "the store").moment("stored_at") - run.moment("started_at")
        off = abs(after.total_seconds() - TOLD_S)
        assert off < 2, f"told {TOLD_S} s after the start, it is kept as of {row['stored_at']}"
    by_executors = [row for row in kept_all.rows["receipts"] if row["source"] == "executor"]
    tasks = {task.text("task_id"): task for task in run.each("tasks")}
    done = sorted(name for name, task in tasks.items() if task["finished_at"] is not None)
    assert sorted(row["task_id"] for row in by_executors) == done, "other tasks have receipts"
    for row in by_executors:
        ended = tasks[row["task_id"]]["finished_at"]
        assert row["stored_at"] == ended, f"ended at {ended}, it is kept at {row['stored_at']}"


@pytest.mark.criterion("receipts-persisted")
def test_work_goes_on_after_a_restart(kept_all: KeptAll) -> None:
    again = {**kept_all.again, "idempotent_replay": False}
    assert again == dict(kept_all.first), f"under its key a receipt is now {again}"
    assert kept_all.again.flag("idempotent_replay"), "under its key a receipt is kept twice"
    old = {t.text("task_id") for run in kept_all.before.values() for t in run.each("tasks")}
    assert kept_all.new_task not in old, f"a new task is called {kept_all.new_task} once more"
    end = kept_all.resumed
    assert (end["status"], end["validation_pass"]) == ("failed", False), (
        f"with a KPI that misses the run that was paused ends as {end['status']}"
    )
    done = [task.text("status") for task in end.each("tasks")]
    assert set(done) == {"succeeded"}, f"of the run that was paused the tasks are {done}"
    failed = [gate.text("gate") for gate in end.each("gates") if not gate.flag("passed")]
    assert failed == ["kpi"], f"of its gates {failed} failed"
    used = sum(task.number("cost_usd") for task in end.each("tasks"))
    spent = end.number("spend_usd")
    assert abs(spent - used - RECEIPT["cost_usd"]) < 1e-6, f"it spent {spent:g}, not {used:g} more"


@pytest.mark.criterion("client-unchanged")
@pytest.mark.effect("change")
def test_a_key_belongs_to_its_operation_and_body(phase: Stage) -> None:
    """In the store, too, which has all keys of all operations."""
    pas, headers = Pas(full_of(phase)), {"Idempotency-Key": uuid.uuid4().hex}
    run = pas.new_run("keys")
    pas.card(run, "Narrative")
    for path, sent, other in (
        ("heartbeats", {"agent": "one"}, {"agent": "other"}),
        ("receipts", {"tokens": 5}, {"tokens": 6}),
        ("kpis", {"kpi": "BLEU", "value": 0.9}, {"kpi": "BLEU", "value": 0.8}),
    ):
        first, again, odd = (
            pas.client.post(f"/pas/v1/{path}", json={"run_id": run, **each}, headers=headers)
            for each in (sent, sent, other)
        )
        marks = [reported(answer).flag("idempotent_replay") for answer in (first, again)]
        assert marks == [False, True], f"{path}: a first and a repeat are marked {marks}"
        assert odd.status_code == 409, f"{path} with another body is answered {odd.status_code}"
    pas.control("terminate", run)


@pytest.mark.rehearsal_only  # elsewhere nobody makes PLMS refuse what it is told
@pytest.mark.criterion("webhook-to-plms")
def test_a_message_waits_longer_each_time(untold: Untold) -> None:
    statuses = [message.whole("status") for message in untold.patient]
    assert statuses == [*[500] * REFUSALS, 200], f"PLMS answered {statuses}"
    waits = [
        (after.moment("at") - before.moment("at")).total_seconds()
        for before, after in pairwise(untold.patient)
    ]
    off = [abs(wait - due) for wait, due in zip(waits, AGAIN_S, strict=True)]
    assert max(off) < 1, f"it was sent again after {waits} s, and {AGAIN_S} are due"
    assert len({message["delivery_id"] for message in untold.patient}) == 1, "it has several ids"
    events = {
        message.inner("body").text("event") for message in (*untold.patient, *untold.restarted)
    }
    assert events == {"run.finished"}, f"the event is {events}"


@pytest.mark.rehearsal_only
@pytest.mark.criterion("webhook-to-plms")
def test_a_restart_forgets_no_message(untold: Untold) -> None:
    assert untold.refused, "PLMS was told of nothing before the restart"
    taken = [message for message in untold.restarted if message["status"] == 200]
    assert len(taken) == 1, f"after the restart PLMS took the run {len(taken)} times"
    first = untold.restarted[0]["delivery_id"]
    assert taken[0]["delivery_id"] == first, "after the restart it is another message"


# What is computed


@pytest.mark.criterion("emits-kpi-receipts", "executes-jobs")
def test_each_work_comes_to_what_it_must(computed: Computed) -> None:
    for work, task in computed.works:
        told = f"{work.lane} of {dict(work.payload)!r:.120}"
        assert task.text("status") == "succeeded", f"{told} is {task['status']}: {task['error']}"
        output = task["output"] or {}
        assert output == work.output, f"{told} gives {output}, not {work.output}"
        (kpi,) = task.each("kpis")
        name, value = KPI_OF[work.lane], work.kpi if work.kpi is not None else _age(work, task)
        assert kpi.text("kpi") == name, f"{told} is judged by {kpi['kpi']}"
        assert abs(kpi.number("value") - value) <= NEAR, f"{told}: {kpi['value']}, not {value:g}"
        verdict = due_verdict(name, value, LIMITS[name])
        assert kpi.flag("pass") is verdict, f"{told} of {value:g} is said to pass: {kpi['pass']}"
    said = (computed.run["status"], computed.run["validation_pass"])
    assert said == ("failed", False), f"a run with receipts that miss and others ends as {said}"
    missed = {
        (violation["task_id"], violation["kpi"])
        for violation in computed.run.each("kpi_violations")
    }
    due = {
        (task["task_id"], KPI_OF[work.lane])
        for work, task in computed.works
        if not task.each("kpis")[0].flag("pass")
    }
    assert missed == due, f"the run shows as missed {sorted(missed)}, and {sorted(due)} are"


def _age(work: Work, task: Reported) -> float:
    """The seconds from when an index was made to the end of the task."""
    made = Reported(work.payload, "the payload").moment("indexed_at")
    return (task.moment("finished_at") - made).total_seconds()


@pytest.mark.criterion("tool-allowlist")
def test_each_lane_has_its_own_tools(computed: Computed) -> None:
    for lane, task in computed.listed.items():
        said = (task["tools"], task["refused_tools"], task["status"])
        right = said == ([*TOOLS[lane]], [], "succeeded")
        assert right, f"of its tools a task of {lane} says {said}"
    for lane, tool, task in computed.foreign:
        said = (task["tools"], task["refused_tools"], task["status"])
        due = (["read_file"], [tool], "failed")
        assert said == due, f"a task of {lane} that asks for {tool} says {said}"
        assert tool in str(task["error"]), f"its error is {task['error']!r}"
        assert not task["kpis"], f"a task of {lane} that was refused {tool} has receipts"


@pytest.mark.criterion("budget-guard")
def test_what_runs_is_counted_before_more_begins(computed: Computed) -> None:
    run = computed.tight
    assert run.text("status") == "terminated", f"beyond its budget it is {run['status']}"
    assert "budget" in run.text("reason").lower(), f"the reason is {run['reason']}"
    begun = [task for task in run.each("tasks") if task["started_at"] is not None]
    assert len(begun) == 2, f"the budget pays two tasks at once, and {len(begun)} began"
    assert run.number("spend_usd") <= 0.05, f"it spent {run['spend_usd']}"
    assert run["validation_pass"] is False
