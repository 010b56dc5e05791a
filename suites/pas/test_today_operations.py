"""Today: each of the twelve operations takes a valid request, and what it says comes true."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta

import pytest

from pytest_rollout import NoValueError, Observe, Reported, Stage, every, reported
from suites.pas.scenarios.control import Controlled
from suites.pas.scenarios.work import Work
from suites.pas.views.lanes import LANES, LIMITS, due_verdict, kpi_name
from suites.pas.views.pas import ENDED, Pas
from suites.pas.views.told import Told

pytestmark = pytest.mark.pas_today

COUNTS = {
    "tasks_completed": "succeeded",
    "tasks_failed": "failed",
    "tasks_running": "running",
    "tasks_queued": "queued",
}
SPENT = {"spend_usd": "cost_usd", "spend_energy_kwh": "energy_kwh"}  # of a run, of its tasks
STATES = ("planned", "executing", "paused", "completed", "failed", "terminated")


@pytest.mark.criterion("endpoint-health")
def test_health(pas: Pas, work: Work) -> None:
    said = reported(pas.client.get("/health"))
    assert said.text("status") == "ok"
    for name in ("active_runs", "total_tasks", "total_receipts"):
        assert said.whole(name) >= 0, f"{name} is {said[name]}"
    handed_in = sum(len(sent.nodes) for sent in work.sent)
    assert work.pas.get("/health").whole("total_tasks") >= handed_in


@pytest.mark.criterion("endpoint-jobcards", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_job_card(pas: Pas) -> None:
    run = pas.new_run("card")
    card = pas.card(run, "Vector-Ops")
    tasks = [(task.text("task_id"), task.text("lane")) for task in pas.status(run).each("tasks")]
    assert tasks == [(card.task, "Vector-Ops")], f"after one card the run has {tasks}"


@pytest.mark.criterion("endpoint-runs-start", "twelve-endpoints")
def test_start(work: Work) -> None:
    for sent in work.sent:
        assert sent.started.text("status") == "executing"
        assert sent.started.text("run_id") == sent.run
        first = work.looks[0].runs[sent.run]
        assert first.text("status") == "executing", f"after its start it is {first['status']}"
        assert any(task.text("status") == "running" for task in first.each("tasks"))


@pytest.mark.criterion("endpoint-runs-pause", "twelve-endpoints")
def test_pause(controlled: Controlled) -> None:
    said = reported(controlled.answers["pause"])
    assert said.text("status") == "paused"
    first, *later = controlled.paused
    assert first.text("status") == "paused"
    assert _standing(first)[0], "nothing had begun when it was paused, so nothing is shown"
    for look in later:
        assert _standing(look) == _standing(first), "a task began or ended while it was paused"


def _standing(status: Reported) -> tuple[list[str], list[str]]:
    tasks = status.each("tasks")
    begun = [task.text("task_id") for task in tasks if task["started_at"] is not None]
    over = [task.text("task_id") for task in tasks if task["finished_at"] is not None]
    return begun, over


@pytest.mark.criterion("endpoint-runs-resume", "twelve-endpoints")
def test_resume(controlled: Controlled) -> None:
    assert reported(controlled.answers["resume"]).text("status") == "executing"
    last = controlled.resumed[-1]
    assert last.text("status") == "completed", f"after its resume it ends {last['status']}"
    done = last.whole("tasks_completed")
    assert done == last.whole("tasks_total") > 0, f"{done} of {last['tasks_total']} tasks are done"


@pytest.mark.criterion("endpoint-runs-terminate", "twelve-endpoints")
def test_terminate(controlled: Controlled) -> None:
    assert reported(controlled.answers["terminate"]).text("status") == "terminated"
    first, *later = controlled.terminated
    assert first.text("status") == "terminated"
    for look in later:
        assert look.text("status") == "terminated", f"it goes on as {look['status']}"
        assert _standing(look)[0] == _standing(first)[0], "a task began after the end of its run"
        succeeded = [t for t in look.each("tasks") if t.text("status") in ("succeeded", "running")]
        assert not succeeded, f"{len(succeeded)} tasks went on after the end of their run"
    waiting = len(first.each("tasks")) - len(_standing(first)[0])
    assert waiting > 0, "no task was left to do, so nothing is shown"


@pytest.mark.criterion("endpoint-runs-simulate", "twelve-endpoints")
def test_simulate(work: Work) -> None:
    for sent in work.sent:
        for said in sent.rehearsals.values():
            assert 0 <= said.number("strata_coverage") <= 1
            assert said.number("rehearsal_tokens") > 0
            assert said.number("projected_tokens") > 0
            assert 0 <= said.number("risk_score") <= 1
            assert said.number("ci_lower") != said.number("ci_upper")


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
def test_status(work: Work) -> None:
    """The counts are those of the tasks, at each look."""
    for sent in work.sent:
        for look in work.looks:
            said = look.runs[sent.run]
            assert said.text("run_id") == sent.run
            assert said.text("status") in STATES
            states = [task.text("status") for task in said.each("tasks")]
            assert said.whole("tasks_total") == len(states) == len(sent.nodes)
            for count, state in COUNTS.items():
                counted = states.count(state)
                assert said.whole(count) == counted, f"{count} is {said[count]}, not {counted}"
            assert isinstance(said["kpi_violations"], list)
            for name, part in SPENT.items():
                used = sum(task.number_or_none(part) or 0 for task in said.each("tasks"))
                assert abs(said.number(name) - used) < 1e-6, f"{name} is {said[name]}, not {used:g}"
            began = said.moment("started_at")
            ended = None if said["ended_at"] is None else said.moment("ended_at")
            assert (ended is not None) == (said["status"] in ENDED), (
                f"it ends at {said['ended_at']}"
            )
            assert said.moment("created_at") <= began <= (ended or began)
            last = [task.moment("finished_at") for task in said.each("tasks") if ended]
            assert not last or max(last) == ended, f"it ends at {ended}, its last task {max(last)}"
            assert said.number_or_none("runway_minutes") is None or said["runway_minutes"] >= 0


@pytest.mark.criterion("endpoint-runs-status", "twelve-endpoints")
@pytest.mark.effect("change")
def test_only_what_succeeded_is_completed(pas: Pas, phase: Stage) -> None:
    """One task succeeds, one fails, and one that needs it is never done."""
    run, clock = pas.new_run("counts"), phase.target("pas").clock
    bad = pas.card(run, "Code-Impl", payload={"expression": "a +", "cases": [{"expect": 1}]})
    pas.card(run, "Vector-Ops", [bad])
    pas.card(run, "Vector-Ops")
    pas.start(run)
    for _ in every(clock, 5, until=clock.now() + timedelta(minutes=1)):
        if pas.status(run).text("status") in ENDED:
            break
    said = pas.status(run)
    assert said.text("status") == "failed", (
        f"with a task that cannot be done it is {said['status']}"
    )
    counted = said.whole("tasks_total"), said.whole("tasks_completed"), said.whole("tasks_failed")
    assert counted == (3, 1, 1), f"of three tasks, completed and failed are counted as {counted}"


@pytest.mark.criterion("endpoint-portfolio-status", "twelve-endpoints")
def test_portfolio(work: Work) -> None:
    for look in (work.idle, *work.looks):
        said = look.portfolio
        if look.steady:
            running = {lane: said.inner("running_tasks").number(lane) for lane in LANES}
            counted = {lane: look.working[lane] for lane in LANES}
            assert running == counted, f"running are said to be {running}, and {counted} are"
        for name in ("lane_utilization", "lane_caps"):
            lacking = set(LANES) - set(said.inner(name))
            assert not lacking, f"{name} lacks {sorted(lacking)}"
        executing = [run for run in look.runs.values() if run.text("status") == "executing"]
        if work.embedded:
            assert said.whole("active_runs") == len(executing)
            queued = [
                task for run in executing for task in run.each("tasks")
                if task.text("status") == "queued"
            ]  # fmt: skip
            assert said.whole("queued_tasks") == len(queued), "queued tasks are miscounted"
        assert said.whole("queued_tasks") >= 0
    most = max(look.portfolio.whole("queued_tasks") for look in work.looks)
    assert most > 0, "no task ever waited, so the count of waiting tasks shows nothing"


@pytest.mark.criterion("endpoint-heartbeats", "twelve-endpoints")
@pytest.mark.effect("change")
def test_heartbeat(pas: Pas) -> None:
    run = pas.new_run("beat")
    pas.card(run, "Vector-Ops")
    said = reported(pas.tell("heartbeats", {"run_id": run, "agent": "suite"}))
    assert said.text("status") == "acknowledged"
    beats = pas.status(run).inner("heartbeats")
    assert set(beats) == {"suite"}, f"the run has the heartbeats of {sorted(beats)}"
    assert beats.moment("suite") >= pas.status(run).moment("created_at"), "it is older than its run"


@pytest.mark.criterion("endpoint-receipts", "twelve-endpoints")
@pytest.mark.effect("change")
def test_receipt(pas: Pas) -> None:
    run = pas.new_run("receipt")
    card = pas.card(run, "Vector-Ops")
    before = pas.get("/health").whole("total_receipts")
    spent = pas.status(run)
    body = {"run_id": run, "task_id": card.task, "agent": "suite", "tokens": 1200}
    body |= {"time_ms": 900, "cost_usd": 0.25, "energy_kwh": 0.0005}
    said = reported(pas.tell("receipts", body))
    assert said.text("status") == "stored"
    assert pas.get("/health").whole("total_receipts") == before + 1
    now = pas.status(run)
    for name, used in (("usd", 0.25), ("tokens", 1200), ("energy_kwh", 0.0005)):
        rise = now.number(f"spend_{name}") - spent.number(f"spend_{name}")
        assert abs(rise - used) < 1e-9, f"a receipt of {used:g} raises spend_{name} by {rise:g}"


@pytest.mark.criterion("idempotency-same-key")
@pytest.mark.effect("change")
def test_a_key_holds_for_each_operation(pas: Pas) -> None:
    """Receipts and KPIs are kept once; a pause and a start are answered as they were."""
    run, key = pas.new_run("keys"), uuid.uuid4().hex
    card = pas.card(run, "Narrative")
    of = {"run_id": run, "task_id": card.task}
    before = pas.get("/health").whole("total_receipts")
    asked: dict[str, dict[str, object]] = {
        "receipts": {**of, "cost_usd": 0.5},
        "kpis": {**of, "kpi": "BLEU", "value": 0.5},
        "runs/start": {"project_id": pas.project, "run_id": run},
        "runs/pause": {"run_id": run},
    }
    for path, body in asked.items():
        headers = {"Idempotency-Key": key}  # of each operation: a key belongs to its own
        first, again = (
            reported(pas.client.post(f"/pas/v1/{path}", json=body, headers=headers))
            for _ in range(2)
        )
        unlike = [name for name in first if first[name] != again.get(name)]
        assert not set(unlike) - {"idempotent_replay"}, f"{path} again has another {unlike}"
    kept = pas.get("/health").whole("total_receipts") - before
    assert kept == 2, f"a receipt and a KPI, each sent twice under its key, are kept {kept} times"
    assert pas.status(run).number("spend_usd") == 0.5, "a receipt under one key is spent twice"


@pytest.mark.criterion("endpoint-kpis", "twelve-endpoints")
@pytest.mark.effect("change")
@pytest.mark.parametrize("kpi", list(LIMITS))
def test_kpi(pas: Pas, kpi: str) -> None:
    """At its threshold a KPI passes, beyond it the run shows a violation."""
    limit = LIMITS[kpi]
    for value in (limit, limit - 0.01 if due_verdict(kpi, limit + 1, limit) else limit + 1):
        run = pas.new_run("kpi")
        card = pas.card(run, "Code-Impl")
        body = {"run_id": run, "task_id": card.task, "kpi": kpi, "value": value}
        assert reported(pas.tell("kpis", body)).text("status") == "stored"
        missed = [
            kpi_name(violation.text("kpi")) for violation in pas.status(run).each("kpi_violations")
        ]
        due = [] if due_verdict(kpi, value, limit) else [kpi]
        assert missed == due, f"{kpi} of {value} shows {missed or 'no violation'}"


# What must be refused


@pytest.mark.criterion("unknown-run-404", "twelve-endpoints")
@pytest.mark.effect("change")
def test_an_unknown_run(pas: Pas, observe: Observe) -> None:
    tell = Told(observe)
    run = pas.new_run("nobody")
    calls: dict[str, Callable[[], int]] = {
        "status": lambda: pas.client.get("/pas/v1/runs/status", params={"run_id": run}).status_code,
        "heartbeats": lambda: pas.tell("heartbeats", {"run_id": run}).status_code,
        **{
            verb: lambda verb=verb: pas.control(verb, run).status_code  # type: ignore[misc]
            for verb in ("pause", "resume", "terminate", "simulate")
        },
    }
    for name, ask in calls.items():
        tell("unknown_run_answered", ask() != 404, call=name)
    pas.card(run, "Vector-Ops")
    known = calls["status"]()
    assert known == 200, f"once the run has a card its status answers {known}"
    tell.none_bad("an unknown run is not answered 404")


MALFORMED: dict[str, dict[str, object]] = {
    "empty": {},
    "no lane": {"project_id": 42, "run_id": "suite-malformed"},
    "no run": {"project_id": 42, "lane": "Code-Impl"},
    "no project": {"run_id": "suite-malformed", "lane": "Code-Impl"},
    "unknown lane": {"lane": "Fast-Lane"},
    "project is a text": {"project_id": "forty-two"},
    "deps are a text": {"deps": "t01"},
    "priority is 99": {"priority": 99},
    "budget below zero": {"budget_usd": -1},
    "payload is a list": {"payload": [1, 2]},
    "interval wider than all": {"ci_width_hint": 7},
}


@pytest.mark.criterion("invalid-body-422", "twelve-endpoints")
@pytest.mark.effect("change")
def test_a_malformed_card(pas: Pas, observe: Observe) -> None:
    tell = Told(observe)
    run = pas.new_run("malformed")
    sound = {"project_id": 42, "run_id": run, "lane": "Code-Impl", "deps": [], "payload": {}}
    pas.card(run, "Code-Impl")
    for name, odd in MALFORMED.items():
        whole = name.startswith(("empty", "no "))
        body = dict(odd) if whole else {**sound, **odd}
        if "run_id" in body:
            body["run_id"] = run
        status = pas.client.post("/pas/v1/jobcards", json=body).status_code
        tell("malformed_taken", status not in (400, 422), card=name, status=status)
    total = pas.status(run).whole("tasks_total")
    if total == 0:
        raise NoValueError("the sound card is not in the run either")
    assert total == 1, f"the run has {total} tasks after one sound card and malformed ones"
    tell.none_bad("a malformed card was taken, or refused otherwise")
