"""Today: what a run shows of its tasks and of its end is what was asked for, figure by figure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import pytest

from pytest_rollout import Reported, Stage, reported
from suites.pas.scenarios.control import STILL_S, Controlled, Empty
from suites.pas.scenarios.work import CAP_USD, Sent, Work
from suites.pas.views.executed import ended
from suites.pas.views.lanes import KPI_OF, LIMITS, SECONDS, sound
from suites.pas.views.pas import Pas

pytestmark = pytest.mark.pas_today

USD_A_TOKEN, KWH_A_TOKEN, KG_A_KWH = 0.000002, 0.0000004, 0.4
PARTS = ("input", "output", "tool_use", "think")
NEAR = 1e-8
ROW = ("run_id", "project_id", "run_kind", "status", "validation_pass", "started_at", "ended_at")


@pytest.mark.criterion("endpoint-jobcards", "twelve-endpoints")
def test_tasks_are_the_cards(work: Work) -> None:
    """In their order, with what was said of them."""
    for sent in work.sent:
        nodes = sent.nodes if sent.run.startswith("suite-forward") else sent.nodes[::-1]
        due = [(sent.tasks[n.name], n.lane, 3, [sent.tasks[d] for d in n.deps]) for n in nodes]
        tasks = work.ended[sent.run].each("tasks")
        shown = [(t["task_id"], t["lane"], t["priority"], t["deps"]) for t in tasks]
        assert shown == due, f"{sent.run} shows {_first_unlike(shown, due)}"


def _first_unlike(shown: Sequence[object], due: Sequence[object]) -> str:
    pairs = [(a, b) for a, b in zip(shown, due, strict=False) if a != b]
    return f"{pairs[0][0]}, not {pairs[0][1]}" if pairs else f"{len(shown)} tasks, not {len(due)}"


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
def test_a_task_tells_what_it_took(work: Work) -> None:
    for sent in work.sent:
        for task in work.ended[sent.run].each("tasks"):
            wrong = _told_wrong(sent.run, task)
            assert not wrong, f"{task['task_id']} of {sent.run}: {wrong}"


def _told_wrong(run: str, task: Reported) -> str:
    """What is wrong with what a task tells of itself; empty: nothing."""
    tokens, lane = task.inner("tokens"), task.text("lane")
    total = tokens.number("total")
    if total != sum(tokens.number(part) for part in PARTS) or min(tokens.values()) <= 0:
        return f"its tokens are {dict(tokens)}"
    due = {"cost_usd": total * USD_A_TOKEN, "energy_kwh": total * KWH_A_TOKEN}
    due["carbon_kg"] = due["energy_kwh"] * KG_A_KWH
    for name, value in due.items():
        if abs(task.number(name) - value) > NEAR:
            return f"{name} is {task[name]}, and {total:g} tokens come to {value:g}"
    sent = json.dumps({"kind": "suite"}, separators=(",", ":")).encode()
    digest = hashlib.sha256(sent).hexdigest()
    path = ["architect", f"director:{lane}", f"manager:{lane}:{run}", f"executor:{lane}"]
    told: dict[str, Any] = {"echo": {"sent": digest, "returned": digest, "pass": True}}
    told |= {"lineage": path, "executor": path[-1], "tools": [], "refused_tools": []}
    told |= {"error": None}
    unlike = [name for name, value in told.items() if task[name] != value]
    return f"{unlike[0]} is {task[unlike[0]]}" if unlike else _receipt_wrong(task)


def _receipt_wrong(task: Reported) -> str:
    (receipt,) = task.each("kpis")
    kpi = KPI_OF[task.text("lane")]
    due = {"kpi": kpi, "threshold": LIMITS[kpi], "pass": True}
    due["comparison"] = ">=" if kpi in ("test_pass_rate", "BLEU") else "<="
    unlike = [name for name, value in due.items() if receipt[name] != value]
    if not sound(receipt):
        return f"its receipt is {dict(receipt)}"
    return f"{unlike[0]} of its receipt is {receipt[unlike[0]]}" if unlike else ""


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
def test_a_good_run_ends_with_its_gates(work: Work) -> None:
    for sent in work.sent:
        first, end = work.looks[0].runs[sent.run], work.ended[sent.run]
        assert first["validation_pass"] is None, "a run is judged before it has ended"
        said = (end.text("status"), end.flag("validation_pass"), end["reason"])
        assert said == ("completed", True, None), f"a good run ends as {said}"
        gates = {gate.text("gate"): gate.flag("passed") for gate in end.each("gates")}
        assert gates == {"echo": True, "kpi": True, "tasks": True}, f"its gates are {gates}"
        assert all(gate.text("detail") for gate in end.each("gates")), "a gate says nothing"
        assert not end["kpi_violations"], f"it shows violations: {end['kpi_violations']}"
    snapshots = {end.text("provider_snapshot") for end in work.ended.values()}
    assert len(snapshots) == len(work.sent), f"the snapshots of the runs are {snapshots}"


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
def test_the_runway_is_what_is_left_at_the_rate_so_far(work: Work) -> None:
    if not work.embedded:
        return  # only a stepped clock stands still while it is read
    compared = 0
    for sent in work.sent:
        for look in work.looks:
            said = look.runs[sent.run]
            spent, minutes = said.number("spend_usd"), _minutes(said, look.at)
            known = sent.capped and spent > 0 and minutes > 0
            left = (CAP_USD - spent) / spent * minutes if known else None
            runway = said.number_or_none("runway_minutes")
            right = runway is None if left is None else abs((runway or 0) - left) < 0.01
            assert right, f"{runway} minutes are said to be left, and {left} are"
            compared += known
    assert compared, "no look saw a run with a budget and a rate"


def _minutes(run: Reported, now: datetime) -> float:
    ended = now if run["ended_at"] is None else run.moment("ended_at")
    return (ended - run.moment("started_at")).total_seconds() / 60


@pytest.mark.criterion("endpoint-portfolio-status", "twelve-endpoints")
def test_the_list_of_runs_says_what_the_runs_say(work: Work) -> None:
    for look in work.looks:
        rows = {run.text("run_id"): run for run in look.portfolio.each("runs")}
        for name, run in look.runs.items():
            assert name in rows, f"the portfolio does not list {name}"
            unlike = [field for field in ROW if rows[name][field] != run[field]]
            assert not unlike, f"the portfolio says {unlike[0]} {rows[name][unlike[0]]} of {name}"
        executing = [row for row in rows.values() if row["status"] == "executing"]
        active = look.portfolio.whole("active_runs")
        assert active == len(executing), f"{active} runs are active, {len(executing)} execute"


# Pause and end


@pytest.mark.criterion("endpoint-runs-resume", "twelve-endpoints")
def test_a_pause_is_no_work(controlled: Controlled) -> None:
    """What was suspended goes on where it was, and takes what its lane takes."""
    first, *_, last = controlled.paused
    suspended = {t.text("task_id") for t in last.each("tasks") if t.text("status") == "suspended"}
    assert suspended, "nothing was suspended by the pause"
    running = first.whole("tasks_running"), last.whole("tasks_running")
    assert running == (0, 0), f"while it is paused {running} tasks run"
    for task in controlled.resumed[-1].each("tasks"):
        took = (task.moment("finished_at") - task.moment("started_at")).total_seconds()
        worked, stood = task.number("time_ms") / 1000, task.text("task_id") in suspended
        least, most = SECONDS[task.text("lane")]
        assert least <= worked <= most, f"{task['task_id']} worked for {worked:g} s"
        still = took - worked
        near = abs(still - (STILL_S if stood else 0)) < 1 if controlled.embedded else still >= 0
        assert near, f"{task['task_id']} stood still for {still:g} s"


@pytest.mark.criterion("endpoint-runs-terminate", "twelve-endpoints")
def test_what_is_terminated_says_why(controlled: Controlled) -> None:
    end = controlled.terminated[-1]
    assert end.text("reason") == controlled.why, f"it was ended because of {end['reason']!r}"
    assert end["validation_pass"] is False, f"its validation_pass is {end['validation_pass']}"
    left = [task.text("status") for task in end.each("tasks")]
    assert set(left) == {"cancelled"}, f"its tasks are {sorted(set(left))}"
    assert end["ended_at"] is not None, "it has no end"


@pytest.mark.criterion("run-not-vacuously-complete")
def test_a_run_without_cards_fails_in_the_end(empty: Empty) -> None:
    if empty.waits is None or empty.late is None:
        return  # its start was refused, or nobody waits for so long
    assert empty.waits.text("status") == "executing", (
        f"just before its time is over it is {empty.waits['status']}"
    )
    said = empty.late.text("status"), empty.late["validation_pass"]
    assert said == ("failed", False), f"after its time it is {said}"
    assert empty.late.text("reason"), "it failed without a reason"
    assert empty.kept == empty.fed, "a run that got a card in time became another one after it"


# What is done first, and what follows from a failure


@pytest.mark.criterion("endpoint-jobcards", "twelve-endpoints")
@pytest.mark.effect("change")
def test_the_highest_priority_begins_first(pas: Pas, phase: Stage) -> None:
    """One place after the other: by priority, then in the order of the cards."""
    target, run = phase.target("pas"), pas.new_run("priority")
    given = (2, 5, 1, 5, 3, 4, 2)
    cards = [pas.card(run, "Graph-Ops", priority=priority) for priority in given]
    pas.start(run)
    end = ended(pas, target, run)
    began = {task.text("task_id"): task.moment("started_at") for task in end.each("tasks")}
    due = sorted(range(len(given)), key=lambda number: (-given[number], number))
    in_order = [began[cards[number].task] for number in due]
    assert in_order == sorted(in_order), f"cards of the priorities {given} began in another order"


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
@pytest.mark.effect("change")
def test_what_needs_a_failure_is_cancelled(pas: Pas, phase: Stage) -> None:
    """At any distance; what does not need it is done. Bad work of each lane fails."""
    target, run = phase.target("pas"), pas.new_run("bad-work")
    bad = [pas.card(run, lane, payload=dict(payload)) for lane, payload in BAD]
    child = pas.card(run, "Vector-Ops", [bad[0]])
    grandchild = pas.card(run, "Vector-Ops", [child])
    far = ("far-3", "far-2", "far-1")  # whose cards come before those that they need
    for name, need in zip(far, (*far[1:], bad[0].task), strict=True):
        assert pas.submit(run, "Vector-Ops", [need], task_id=name).status_code == 200
    good = pas.card(run, "Vector-Ops", payload={"spend_usd": 0.25}, budget_usd=0.25)
    dear = pas.card(run, "Vector-Ops", payload={"spend_usd": 0.25}, budget_usd=0.2499)
    pas.start(run)
    end = ended(pas, target, run)
    tasks = {task.text("task_id"): task for task in end.each("tasks")}
    due = {card.task: "failed" for card in (*bad, dear)} | {good.task: "succeeded"}
    due |= dict.fromkeys((child.task, grandchild.task, *far), "cancelled")
    for name, status in due.items():
        said = tasks[name].text("status")
        assert said == status, f"{name} ({tasks[name]['lane']}) is {said}, not {status}"
        assert (tasks[name]["error"] is not None) == (status == "failed"), f"its error: {said}"
    assert tasks[dear.task]["started_at"] is None, "a task over its card's budget has begun"
    assert tasks[good.task].number("cost_usd") == 0.25, "a stated cost is not what it costs"
    assert (end.text("status"), end["validation_pass"]) == ("failed", False)
    failed = {gate.text("gate") for gate in end.each("gates") if not gate.flag("passed")}
    assert failed == {"tasks"}, f"of its gates {failed} failed"
    assert "tasks" in end.text("reason"), f"it failed because of {end['reason']!r}"


BAD: Sequence[tuple[str, dict[str, Any]]] = (
    ("Code-Impl", {"expression": "a +", "cases": [{"a": 1, "expect": 1}]}),
    ("Code-Impl", {"expression": "a + b", "cases": [{"a": 1, "expect": 1}]}),
    ("Code-Impl", {"expression": "a / 2", "cases": [{"a": 2, "expect": 1}]}),
    ("Code-API-Design", {"expression": "a", "cases": []}),
    ("Data-Schema", {"before": {"id": "int"}, "after": ["id"]}),
    ("Vector-Ops", {"vectors": [[1, 0], [0, 0]], "query": [1, 0]}),
    ("Graph-Ops", {"vectors": [[1, 0], [0, 1, 0]], "query": [1, 0]}),
    ("Vector-Ops", {"indexed_at": "2025-11-07T09:00:00"}),  # it says no zone
)


# What agents tell


@pytest.mark.criterion("endpoint-heartbeats", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_later_heartbeat_counts(pas: Pas, phase: Stage) -> None:
    run, clock = pas.new_run("beats"), phase.target("pas").clock
    pas.card(run, "Vector-Ops")
    for agent in ("one", "other"):
        assert pas.tell("heartbeats", {"run_id": run, "agent": agent}).status_code == 200
    first = pas.status(run).inner("heartbeats")
    clock.advance(3)
    pas.tell("heartbeats", {"run_id": run, "agent": "one"})
    then = pas.status(run).inner("heartbeats")
    assert set(then) == {"one", "other"}, f"the run has the heartbeats of {sorted(then)}"
    assert then["other"] == first["other"], "a heartbeat of one agent moved that of another"
    later = (then.moment("one") - first.moment("one")).total_seconds()
    assert later >= 2.9, f"three seconds later a heartbeat is {later:g} s younger"


@pytest.mark.criterion("endpoint-kpis", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_violation_says_of_what_it_is(pas: Pas) -> None:
    run = pas.new_run("violations")
    card = pas.card(run, "Code-Impl")
    due = []
    for task, (kpi, value) in ((card.task, ("BLEU", 0.3999)), (None, ("index_freshness", 120.5))):
        body = {"run_id": run, "task_id": task, "kpi": kpi, "value": value}
        said = reported(pas.tell("kpis", body))
        assert said.flag("pass") is False, f"{kpi} of {value} passes"
        due.append({"task_id": task, "kpi": kpi, "value": value, "threshold": LIMITS[kpi]})
    shown = [dict(violation) for violation in pas.status(run).each("kpi_violations")]
    assert shown == due, f"the run shows {shown}"


@pytest.mark.criterion("endpoint-receipts", "twelve-endpoints")
@pytest.mark.effect("change")
@pytest.mark.parametrize(("cap", "field"), [("usd", "cost_usd"), ("energy_kwh", "energy_kwh")])
def test_a_receipt_over_the_budget_is_refused(pas: Pas, cap: str, field: str) -> None:
    """Up to the cap it is stored; beyond it the run is ended, and nothing is spent."""
    run = pas.new_run("over")
    pas.card(run, "Narrative")
    pas.start(run, budget_caps={cap: 50.0})
    statuses = [
        pas.tell("receipts", {"run_id": run, field: amount}).status_code for amount in (50.0, 0.01)
    ]
    end = pas.status(run)
    assert statuses == [200, 409], f"receipts up to the budget and over it are answered {statuses}"
    assert end.text("status") == "terminated", f"over its budget the run is {end['status']}"
    assert "budget" in end.text("reason"), f"it was ended because of {end['reason']!r}"
    spent = end.number(f"spend_{cap}")
    assert abs(spent - 50.0) < NEAR, f"the refused receipt is spent: {spent:g}"


@pytest.mark.criterion("endpoint-health", "twelve-endpoints")
@pytest.mark.effect("change")
def test_health_counts_one_by_one(pas: Pas) -> None:
    before, run = pas.get("/health"), pas.new_run("counted")
    for _ in range(3):
        pas.card(run, "Narrative")
    pas.tell("kpis", {"run_id": run, "kpi": "BLEU", "value": 0.9})
    after = pas.get("/health")
    more = [after.whole(n) - before.whole(n) for n in ("total_tasks", "total_receipts")]
    assert more == [3, 1], f"three cards and a KPI are counted as {more}"
    assert after.moment("started_at") == before.moment("started_at"), "it was begun again"
    assert after.moment("started_at") <= pas.status(run).moment("created_at")


@pytest.mark.criterion("rehearsal-ci-extrapolation")
@pytest.mark.effect("change")
def test_a_rehearsal_changes_nothing(pas: Pas, work: Work) -> None:
    sent: Sent = work.sent[0]
    before = pas.status(sent.run)
    again = reported(pas.control("simulate", sent.run, rehearsal_pct=0.01, stratified=True))
    assert pas.status(sent.run) == before, "a rehearsal changed the run"
    first = sent.rehearsals[0.01]
    assert {**again} == {**first}, "the same rehearsal of the same run says something else"
