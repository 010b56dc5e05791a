"""The execution core of PAS: order, lanes, fair share, gates, budgets, pauses and replays."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest

from fixtures.kit.postgres import Postgres, programs
from fixtures.pas.service.draws import Draws
from fixtures.pas.service.lanes import LANES
from fixtures.pas.service.rehearsal import Rehearsing, rehearse
from fixtures.pas.service.service import RefusedError
from fixtures.pas.service.store import SqlStore, postgresql_store, sqlite_store
from fixtures.pas.service.work import bleu
from fixtures.pas.times import instant
from tests.pas.services import BEGIN, Bench


def test_a_task_begins_when_those_it_needs_have_succeeded() -> None:
    bench = Bench()
    bench.card("r", "Narrative", "left", "right", task_id="end")  # handed in first
    bench.card("r", "Vector-Ops", "begin", task_id="right")
    bench.card("r", "Code-Impl", "begin", task_id="left")
    bench.card("r", "Data-Schema", task_id="begin")
    bench.start("r")
    bench.passes(60)
    tasks = bench.tasks("r")
    assert bench.status("r")["status"] == "completed"
    for task in tasks.values():
        begun = instant(task["started_at"])
        assert begun == max(
            [BEGIN, *(instant(tasks[need]["finished_at"]) for need in task["deps"])]
        )
        low, high = LANES[task["lane"]].seconds
        assert low <= instant(task["finished_at"]) - begun <= high


def test_what_needs_a_failed_task_is_cancelled_and_the_run_fails() -> None:
    bench = Bench()
    bench.card("r", "Code-Impl", task_id="bad", payload={"tools": ["read_file", "shell"]})
    bench.card("r", "Code-Impl", "bad", task_id="after")
    bench.card("r", "Code-Impl", "after", task_id="last")
    bench.card("r", "Vector-Ops", task_id="beside")
    bench.start("r")
    bench.passes(60)
    tasks = bench.tasks("r")
    assert [task["status"] for task in tasks.values()] == [
        *("failed", "cancelled", "cancelled", "succeeded")
    ]
    assert (tasks["bad"]["tools"], tasks["bad"]["refused_tools"]) == (["read_file"], ["shell"])
    assert bench.status("r")["validation_pass"] is False
    assert bench.ended == ["r"]


@pytest.mark.parametrize(
    ("lane", "payload", "value", "passes"),
    [
        ("Code-Impl", {"expression": "a*2", "cases": [{"a": 1, "expect": 2}] * 10}, 1.0, True),
        (
            "Code-Impl",
            {"expression": "a", "cases": [{"a": 1, "expect": 1}] * 8 + [{"a": 1, "expect": 2}]},
            8 / 9,
            False,
        ),
        ("Data-Schema", {"before": {"a": "int"}, "after": {"a": "int"}}, 0, True),
        ("Data-Schema", {"before": {"a": "int"}, "after": {"b": "int"}}, 2, False),
        ("Narrative", {"text": "a b c", "reference": "a b c"}, 1.0, True),
        ("Narrative", {"text": "a b", "reference": "c d"}, 0.0, False),
    ],
)
def test_a_kpi_is_that_of_the_work(
    lane: str, payload: dict[str, Any], value: float, *, passes: bool
) -> None:
    bench = Bench()
    task_id = bench.card("r", lane, payload=payload)
    bench.start("r")
    bench.passes(30)
    (receipt,) = bench.tasks("r")[task_id]["kpis"]
    assert (receipt["value"], receipt["pass"]) == (pytest.approx(value), passes)
    assert bench.status("r")["status"] == ("completed" if passes else "failed")


def test_bleu_counts_each_word_once_and_punishes_brevity() -> None:
    assert bleu(["the"] * 4, ["the", "cat"]) == 0  # no two in a row are the reference's
    assert bleu(["a", "b"], ["a", "b", "c", "d"]) == pytest.approx(2.718281828**-1, rel=1e-6)


def test_lanes_keep_their_caps_and_two_runs_share_them() -> None:
    bench = Bench()
    for run_id, project in (("first", 1), ("second", 2)):
        for _ in range(20):
            bench.card(run_id, "Data-Schema", project_id=project)
        bench.start(run_id, project_id=project)
    while bench.status("first")["tasks_queued"] and bench.status("second")["tasks_queued"]:
        running = [bench.status(run_id)["tasks_running"] for run_id in ("first", "second")]
        assert sum(running) == LANES["Data-Schema"].cap
        bench.passes(1)
        done = [bench.status(run_id)["tasks_completed"] for run_id in ("first", "second")]
        assert abs(done[0] - done[1]) <= 3
    bench.passes(60)
    assert {bench.status(run_id)["status"] for run_id in ("first", "second")} == {"completed"}


def test_a_heavier_run_gets_more() -> None:
    bench = Bench()
    for run_id, weight in (("light", 1.0), ("heavy", 3.0)):
        for _ in range(40):
            bench.card(run_id, "Data-Schema")
        bench.start(run_id, weight=weight)
    bench.passes(100)
    light, heavy = (bench.status(run_id)["tasks_completed"] for run_id in ("light", "heavy"))
    assert 2 < heavy / light < 4


def test_nothing_happens_while_a_run_is_paused_or_after_it_was_terminated() -> None:
    bench = Bench()
    first = bench.card("r", "Narrative")
    bench.card("r", "Narrative", first)
    bench.start("r")
    bench.passes(4)
    bench.service.pause({"run_id": "r"})
    before = bench.status("r")
    bench.passes(500)
    assert bench.status("r") == before
    assert bench.service.worker.used.total() == 0
    bench.service.resume({"run_id": "r"})
    bench.passes(16)
    task = bench.tasks("r")[first]
    seconds = instant(task["finished_at"]) - instant(task["started_at"])
    assert task["time_ms"] == pytest.approx(1000 * (seconds - 500))
    bench.service.terminate({"run_id": "r", "reason": None})
    ended, receipts = bench.status("r"), bench.store.receipts
    bench.passes(500)
    assert (bench.status("r"), bench.store.receipts) == (ended, receipts)
    assert ended["validation_pass"] is False
    with pytest.raises(RefusedError, match="is terminated"):
        bench.service.resume({"run_id": "r"})


def test_a_run_never_spends_more_than_its_cap() -> None:
    bench = Bench()
    for _ in range(5):
        bench.card("over", "Vector-Ops", payload={"spend_usd": 1.0})
        bench.card("at", "Vector-Ops", payload={"spend_usd": 1.0})
    bench.start("over", budget_caps={"usd": 4.99})
    bench.start("at", budget_caps={"usd": 5.0})
    bench.passes(60)
    over, at = bench.status("over"), bench.status("at")
    assert (over["status"], at["status"]) == ("terminated", "completed")
    assert over["spend_usd"] <= 4.99
    assert at["spend_usd"] == 5.0
    assert "budget" in over["reason"]


def test_an_empty_run_is_never_validated() -> None:
    bench = Bench()
    bench.start("r")
    bench.passes(299)
    assert bench.status("r")["status"] == "executing"
    bench.passes(2)
    assert bench.status("r")["status"] == "failed"
    assert bench.status("r")["validation_pass"] is False


def test_cycles_and_missing_dependencies_are_refused() -> None:
    bench = Bench()
    bench.card("r", "Code-Impl", "b", task_id="a")
    with pytest.raises(RefusedError, match="no card of it"):
        bench.start("r")
    with pytest.raises(RefusedError, match="lead back"):
        bench.card("r", "Code-Impl", "a", task_id="b")
    with pytest.raises(RefusedError, match="lead back"):
        bench.card("r", "Code-Impl", "c", task_id="c")
    bench.card("r", "Code-Impl", task_id="b")
    bench.start("r")
    bench.passes(60)
    assert bench.status("r")["status"] == "completed"


def test_a_replay_comes_out_as_its_run() -> None:
    bench = Bench()
    first = bench.card("r", "Code-Impl")
    bench.card("r", "Narrative", first, payload={"garble": True})
    bench.start("r")
    bench.passes(60)
    bench.start("again", run_kind="replay", replay_of="r")
    bench.passes(60)
    names = ("task_id", "status", "time_ms", "tokens", "kpis", "echo", "output")
    told = [
        [{name: task[name] for name in names} for task in bench.tasks(run_id).values()]
        for run_id in ("r", "again")
    ]
    assert told[0] == told[1]
    assert bench.status("again")["status"] == bench.status("r")["status"] == "failed"


def test_a_restart_keeps_what_was_done_and_does_the_rest(tmp_path: Path) -> None:
    bench = Bench(tmp_path / "store.db")
    first = bench.card("r", "Vector-Ops")
    second = bench.card("r", "Narrative", first)
    bench.start("r")
    bench.passes(6)
    done = bench.tasks("r")[first]
    assert (done["status"], bench.tasks("r")[second]["status"]) == ("succeeded", "running")
    bench.store.commit()
    again = Bench(tmp_path / "store.db")
    assert again.tasks("r")[first] == done
    again.passes(30)
    assert again.status("r")["status"] == "completed"
    assert again.store.receipts == 4  # of two tasks, each with its KPI


def test_what_runs_take_lies_in_nine_of_ten_intervals() -> None:
    hits, runs = 0, 120
    for number in range(runs):
        bench = Bench()
        for lane in ("Code-Impl", "Data-Schema", "Narrative", "Vector-Ops"):
            bench.card(f"r{number}", lane)
        run = bench.service.run(f"r{number}")
        told = rehearse(run, 0.01, Rehearsing(), stratified=True)
        assert told["strata_coverage"] == 1.0
        draws = [Draws(run.snapshot, task.task_id, task.lane) for task in run.tasks.values()]
        taken = sum(each.tokens()["total"] for each in draws)
        hits += told["ci_lower"] <= taken <= told["ci_upper"]
    assert 0.84 < hits / runs < 0.96


def test_a_rehearsal_at_random_may_leave_a_lane_out() -> None:
    bench = Bench()
    for _ in range(8):
        bench.card("r", "Code-Impl")
    bench.card("r", "Vector-Ops")
    run, coverage = bench.service.run("r"), []
    for number in range(1, 20):
        told = rehearse(run, number / 10_000, Rehearsing(), stratified=False)
        coverage.append(told["strata_coverage"])
    assert min(coverage) == 0.5


def _stored(store: SqlStore) -> list[tuple[Any, ...]]:
    receipt = {"kpi": "BLEU", "value": 0.5, "threshold": 0.4, "comparison": ">=", "pass": True}
    store.add_receipt("r", None, "agent", BEGIN, {"tokens": 3})
    store.add_kpi("r", "t", BEGIN, receipt)
    store.keep_answer("/p", "k", ("{}", {"a": 1}))
    store.commit()
    assert store.answer("/p", "k") == ("{}", {"a": 1})
    query = "SELECT run_id, task_id, kpi, value, threshold, comparison, pass FROM kpi_receipts"
    rows: list[tuple[Any, ...]] = store._db.execute(query).fetchall()
    return rows


@pytest.mark.skipif(programs() is None, reason="PostgreSQL is not installed")
def test_postgresql_keeps_what_sqlite_keeps(tmp_path: Path) -> None:
    found = programs()
    assert found is not None
    server = Postgres(found)
    try:
        server.start()
        store = postgresql_store(server.url)
        assert _stored(store) == _stored(sqlite_store(tmp_path / "store.db"))
        store.close()
        store = postgresql_store(server.url)
        assert store.receipts == 2
        store.close()
    finally:
        server.stop()
    with pytest.raises(RuntimeError, match="cannot be opened"):
        postgresql_store(server.url)


def test_a_store_counts_what_was_there(tmp_path: Path) -> None:
    _stored(sqlite_store(tmp_path / "store.db"))
    assert sqlite_store(tmp_path / "store.db").receipts == 2
    with sqlite3.connect(tmp_path / "store.db") as db:
        assert db.execute("SELECT source FROM receipts").fetchall() == [("agent",)]
