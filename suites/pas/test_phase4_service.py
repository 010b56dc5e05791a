"""The full service around its work: store, restart, webhooks, contract, client."""

from __future__ import annotations

from collections import Counter

import pytest

from pytest_rollout import NoValueError, Observe, Stage
from suites.pas.scenarios.bursting import Burst
from suites.pas.scenarios.interrupted import Interrupted
from suites.pas.scenarios.notifying import KINDS, Told
from suites.pas.scenarios.unchanged import Answer, Both
from suites.pas.views.contract import gone, lacking, operations
from suites.pas.views.graph import by_id
from suites.pas.views.hooked import figures_wrong, kept_wrong, learnt_wrong, resent_wrong
from suites.pas.views.store import TABLES, Store

pytestmark = pytest.mark.pas_phase4

GOOD = 12  # the first of what is asked is answered with 200, the rest refused
FAILED = 1  # the exit status of what a service refuses


# The store


@pytest.mark.criterion("receipts-persisted")
def test_receipts_outlive_a_restart(phase: Stage, burst: Burst, observe: Observe) -> None:
    if not burst.restarts:
        raise NoValueError("the full service was not restarted")
    for table in TABLES:
        after = burst.after.rows[table]
        for receipt, row in burst.before.rows[table].items():
            observe("receipt_lost", after.get(receipt) != row, table=table)
    for run, said in burst.before.runs.items():
        now = burst.after.runs[run]
        for field in ("status", "tasks_completed", "spend_usd", "tasks"):
            assert now[field] == said[field], f"after the restart {field} of {run} is another one"
    for name, cards in burst.cards.items():
        card = cards[0]
        again = burst.again[name]
        assert again == card.task, f"after the restart a card under its key becomes {again}"
    last = burst.restarts[-1]
    counts = (last.whole("receipts_before"), last.whole("receipts_after"))
    if phase.embedded:
        held = sum(len(burst.before.rows[table]) for table in TABLES)
        assert counts == (held, held), f"the record counts {counts}, and there were {held}"
    assert counts[0] == counts[1], f"of {counts[0]} receipts {counts[1]} were left"


@pytest.mark.criterion("receipts-persisted")
def test_a_run_outlives_a_restart_in_its_middle(interrupted: Interrupted) -> None:
    """What was done is in the store by then and stays done; the rest is done once."""
    run = interrupted.run
    then = by_id(interrupted.before.runs[run])
    done = [name for name, task in then.items() if task.text("status") == "succeeded"]
    for kept in (interrupted.before, interrupted.after):
        for table in TABLES:
            there = kept.counted(table, run)
            missing = [name for name in done if there[name] != 1]
            assert not missing, f"{missing[0]} is done, and has {there[missing[0]]} rows in {table}"
    now, end = by_id(interrupted.after.runs[run]), interrupted.end.runs[run]
    again = [name for name in done if now[name] != then[name] or by_id(end)[name] != then[name]]
    assert not again, f"{again[0]} was done before the restart, and is another one after it"
    assert end.text("status") == "completed", f"the run is {end['status']}: {end['reason']}"
    stopped = interrupted.restarted.moment("at")
    for name in (name for name, task in then.items() if task.text("status") == "running"):
        task = by_id(end)[name]
        took = task.moment("finished_at") - task.moment("started_at")
        assert task.moment("started_at") >= stopped, f"{name} began before, and went on"
        off = abs(took.total_seconds() * 1000 - task.number("time_ms"))
        assert off < 10, f"{name} took {took}, and worked for {task['time_ms']} ms"
    for table in TABLES:
        there = interrupted.end.counted(table, run)
        odd = [name for name in then if there[name] != 1]
        assert not odd, f"in the end {odd[0]} has {there[odd[0]]} rows in {table}"


@pytest.mark.criterion("receipts-backend-postgres")
def test_the_store_is_postgresql(phase: Stage) -> None:
    said = Store.named_in(phase.file("receipts")).engine()
    assert said.startswith("PostgreSQL"), f"the store says that it is {said}"


# Webhooks


@pytest.mark.criterion("webhook-to-plms")
def test_plms_is_told_of_each_run_once(told: Told, observe: Observe) -> None:
    wrongs = []
    for name, run in told.runs.items():
        wrong = _wrong_of(told, name)
        observe("webhook_wrong", bool(wrong), run=run.text("run_id"))
        wrongs += [f"{name}: {wrong}"] if wrong else []
    assert not wrongs, "; ".join(wrongs)
    failed = [message for message in told.arrived if message.whole("status") >= 500]
    if told.failed_first and not failed:
        raise NoValueError("PLMS failed nobody, so nothing was sent again")


def _wrong_of(told: Told, name: str) -> str:
    """What is wrong with what PLMS was told of a run, and learnt of it; empty: nothing."""
    run, learns = told.runs[name], KINDS[name][2]
    arrived = told.of(run.text("run_id"))
    taken = [
        message
        for message in arrived
        if 200 <= message.whole("status") < 300 and not message["duplicate"]
    ]
    if len(taken) != 1:
        return f"PLMS took it {len(taken)} times"
    if (
        len(
            {message.text("delivery_id") for message in arrived if message.whole("status") >= 500}
            | {taken[0].text("delivery_id")}
        )
        != 1
    ):
        return "it was sent again under another id"
    if not taken[0].flag("signed"):
        return "its signature does not hold"
    body = taken[0].inner("body")
    for field in ("run_id", "project_id", "run_kind", "status", "validation_pass"):
        if body[field] != run[field]:
            return f"it says {field} {body[field]}, and PAS {run[field]}"
    wrong = figures_wrong(body, run) or kept_wrong(told.registry.run(run.text("run_id")), run)
    wrong = wrong or resent_wrong(arrived)
    return wrong or learnt_wrong(told.registry.priors(run.text("run_id")), run, learns=learns)


@pytest.mark.criterion("webhook-idempotent", "webhook-to-plms")
def test_a_second_message_teaches_nothing(told: Told, observe: Observe) -> None:
    twice = [
        run
        for run in {message.text("run_id") for message in told.arrived}
        if sum(200 <= message.whole("status") < 300 for message in told.of(run)) > 1
    ]
    missed = set(told.redelivered) - set(twice)
    if told.failed_first and missed:
        raise NoValueError(f"{', '.join(sorted(missed))} was not told a second time")
    for run in twice:
        lanes = Counter(row["lane"] for row in told.registry.priors(run))
        most = max(lanes.values(), default=0)
        observe("priors_of_run", most, run=run)
        assert most <= 1, f"of {run}, which it was told again, PLMS learnt {most} times"


# The contract


@pytest.mark.criterion("contract-unchanged")
def test_the_full_service_keeps_the_contract(both: Both) -> None:
    stub, full = both.published["pas"], both.published["full"]
    known = len(operations(stub))
    if known != GOOD:
        raise NoValueError(f"the stub publishes {known} operations, not {GOOD}")
    missed = [*lacking(stub, full)]
    assert not missed, "; ".join(missed[:3])
    for name, ours in both.answers["pas"].items():
        theirs = both.answers["full"][name]
        lost = [*gone(ours.said, theirs.said)]
        assert not lost, f"{name}: the full service does not say {', '.join(lost[:3])}"


@pytest.mark.criterion("client-unchanged")
def test_what_was_asked_today_still_works(both: Both, observe: Observe) -> None:
    wrongs = []

    def see(name: str, wrong: str) -> None:
        observe("today_failed", bool(wrong), asked=name)
        wrongs.extend([f"{name}: {wrong}"] if wrong else [])

    for name, done in both.done.items():
        see(f"vp {name}", done.said if done.status else "")
    see("vp start, again", _refused(both))
    for number, (name, ours) in enumerate(both.answers["pas"].items()):
        see(name, _differs(ours, both.answers["full"][name], good=number < GOOD))
    assert not wrongs, "; ".join(wrongs[:3])


def _refused(both: Both) -> str:
    """What is wrong with how the client tells that a run was started already; empty: nothing."""
    done = both.again
    if done.status != FAILED:
        return f"it ends with {done.status}, not {FAILED}"
    lines = done.err.strip().splitlines()
    if len(lines) != 1 or not lines[0].startswith("vp: "):
        return f"it prints {done.err.strip()[-200:]!r}"
    return ""


def _differs(ours: Answer, theirs: Answer, *, good: bool) -> str:
    if (ours.status == 200) != good:
        raise NoValueError(f"the stub itself answers {ours.status}")
    if theirs.status != ours.status:
        return f"it answers {theirs.status}, and the stub {ours.status}"
    if not good and not isinstance(theirs.said.get("detail"), type(ours.said.get("detail"))):
        return f"it says {theirs.said}, and the stub {ours.said}"
    return ""
