"""What recording and reading a run costs, in statements and parses: never in time."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.evidence import heads
from pytest_rollout.evidence.attached_files import kept_of
from pytest_rollout.evidence.bodies import ItemReport, StoredEvent
from pytest_rollout.evidence.decoding import encoded
from pytest_rollout.evidence.integrity import damage
from pytest_rollout.evidence.ledger import Draft, Ledger
from pytest_rollout.evidence.phase_story import evaluations, happened
from pytest_rollout.evidence.records import Batch, Record, RecordKind
from pytest_rollout.evidence.run_log import RunLog, log_of
from pytest_rollout.evidence.sqlite.sqlite_store import SqliteStore
from pytest_rollout.evidence.world import read_world
from pytest_rollout.model import coding
from pytest_rollout.model.decision import canonical
from pytest_rollout.model.verdict import Verdict
from tests.evidence.runs import EXIT, PASS, Writer, opened, plan_of

_MANY = 60


@contextmanager
def statements(ledger: Ledger) -> Iterator[list[str]]:
    """What SQLite is told meanwhile."""
    told: list[str] = []
    db: sqlite3.Connection = vars(ledger.store)["_db"]
    db.set_trace_callback(told.append)
    yield told
    db.set_trace_callback(None)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with opened(tmp_path / "ledger.db") as ledger:
        yield ledger


def _run(ledger: Ledger, items: int) -> Writer:
    """A sealed run of so many checks of one criterion, each with an observation."""
    names = tuple(f"t.py::test_{n}" for n in range(items))
    run = Writer(ledger, f"r{items}")
    run.start()
    run.manifest(items={"demo.canary.works": names})
    for name in names:
        run.batch(name, errors=(0,))
    run.seal()
    return run


def test_a_check_is_one_transaction_of_four_statements(ledger: Ledger) -> None:
    batch = Batch("t.py::test_1", "demo.canary", PASS)
    ledger.append_batch("r", "embedded", batch, "main")
    with statements(ledger) as told:
        ledger.append_batch("r", "embedded", batch, "main")
    assert [words.split()[0] for words in told] == ["BEGIN", "SELECT", "INSERT", "COMMIT"]


def test_what_another_process_wrote_between_is_looked_past(ledger: Ledger, tmp_path: Path) -> None:
    batch = Batch("t.py::test_1", "demo.canary", PASS)
    ledger.append_batch("r", "embedded", batch, "main")
    with opened(tmp_path / "ledger.db") as other:
        other.append_batch("s", "embedded", batch, "main")
    with statements(ledger) as told:
        assert ledger.append_batch("r", "embedded", batch, "main").sequence == 3
    assert [words.split()[0] for words in told].count("SELECT") == 2  # its last record is there


def test_more_checks_take_no_more_statements_to_judge(ledger: Ledger) -> None:
    counts = []
    for items in (2, _MANY):
        run = _run(ledger, items)
        phase = plan_of().phase("canary")
        assert phase is not None
        with statements(ledger) as told:
            read_world(ledger, run.run, EXIT, phase)
        counts.append(len(told))
    assert counts[0] == counts[1]


def _stretches(ledger: Ledger, run: Writer) -> list[str]:
    """The stretches of the chain that are read to judge a run."""
    phase = plan_of().phase("canary")
    assert phase is not None
    with statements(ledger) as told:
        read_world(ledger, run.run, EXIT, phase)
    return [words.rpartition("BETWEEN ")[2] for words in told if "sequence BETWEEN" in words]


def test_a_run_is_read_once_where_no_other_wrote_between(ledger: Ledger) -> None:
    run = _run(ledger, _MANY)
    last = ledger.head().sequence
    assert _stretches(ledger, run) == [f"{last} AND {2**62} ORDER BY sequence"]


def test_what_another_run_wrote_between_is_checked(ledger: Ledger, tmp_path: Path) -> None:
    run = Writer(ledger, "r1")
    run.start()
    Writer(ledger, "r2").start()
    run.seal()
    assert len(_stretches(ledger, run)) == 2
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("UPDATE records SET hash = 'other' WHERE run = 'r2'")
    db.close()
    wrong = damage(ledger, RunLog(ledger.of_run("r1")))
    assert wrong == "record 3 (run) was changed after it was written"


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are parsed as JSON from now on."""
    texts: list[str] = []
    parse = json.loads

    def noted(text: str) -> Any:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(json, "loads", noted)
    return texts


def test_a_run_that_is_remembered_is_parsed_once(ledger: Ledger, parsed: list[str]) -> None:
    run = _run(ledger, _MANY)
    ledger.remember(run.run)
    phase = plan_of().phase("canary")
    assert phase is not None
    parsed.clear()
    first = read_world(ledger, run.run, EXIT, phase)
    reports = [text for text in parsed if '"attempts"' in text]
    assert len(reports) == _MANY
    parsed.clear()
    assert read_world(ledger, run.run, EXIT, phase) == first
    assert not [text for text in parsed if '"attempts"' in text]


def test_reports_that_differ_in_their_item_alone_are_parsed_once(
    ledger: Ledger, parsed: list[str]
) -> None:
    run = Writer(ledger, "alike")
    run.start()
    for number in range(_MANY):
        run.batch(f't.py::test["{number}"]')
    parsed.clear()
    batches = RunLog(ledger.of_run(run.run)).batches
    assert [batch.body.item for batch in batches] == [
        f't.py::test["{number}"]' for number in range(_MANY)
    ]
    assert len([text for text in parsed if '"attempts"' in text]) <= 1


def test_a_run_that_is_remembered_is_taken_apart_once(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = _run(ledger, _MANY)
    ledger.remember(run.run)
    taken: list[RecordKind] = []
    take = RunLog._of

    def noted(log: RunLog, kind: RecordKind, body: Any) -> Any:
        taken.append(kind)
        return take(log, kind, body)

    monkeypatch.setattr(RunLog, "_of", noted)
    run.decide()
    list(kept_of(ledger, run.run, "demo.canary"))
    assert taken.count(RecordKind.BATCH) == 1
    log = log_of(ledger, run.run)
    assert [record.subject for record in log.decisions] == ["demo.canary/entry", "demo.canary/exit"]
    assert log.evidence == RunLog(ledger.store.of_run(run.run)).evidence


def test_a_decision_at_hand_is_not_read_again(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(ledger, 1).decide()
    run = _run(ledger, 2)
    ledger.remember(run.run)
    (*_, decision) = run.decide().decisions
    read: list[str] = []
    about = SqliteStore.about

    def noted(store: SqliteStore, *where: Any, **how: Any) -> Iterator[Record]:
        for record in about(store, *where, **how):
            read.append(record.run)
            yield record

    monkeypatch.setattr(SqliteStore, "about", noted)
    told = evaluations(ledger, decision)
    assert [evaluation.decided_at for evaluation in told[1:]] == [decision.decided_at]
    assert (len(told), read) == (2, ["r1"])
    with opened(tmp_path / "ledger.db") as other:
        _run(other, 3).decide()
    read.clear()
    assert len(evaluations(ledger, decision)) == 3, "another run decided since"
    assert read == ["r3", "r2", "r1"]


def test_files_and_events_are_found_without_reading_decisions(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Writer(ledger, "r1")
    run.start()
    run.manifest(items={"demo.canary.works": ("t.py::test_it",)})
    file = {"name": "a.txt", "digest": ledger.attach(b"a").digest, "size": 1, "type": "text/plain"}
    kept = Batch("t.py::test_it", "demo.canary", PASS, (), (file,))
    ledger.append_batch("r1", run.environment, kept, "main")
    event = StoredEvent(type="begin", t_us=time.time_ns() // 1000, says="it began")
    ledger.append(Draft(event, "r1", "demo", "demo.canary", run.environment))
    run.seal()
    ledger.remember("r1")
    (*_, decision) = run.decide().decisions
    phase = run.plan.phase("canary")
    assert phase is not None
    read: list[Record] = []
    between = SqliteStore.between

    def noted(store: SqliteStore, first: int, last: int | None) -> Iterator[Record]:
        for record in between(store, first, last):
            read.append(record)
            yield record

    monkeypatch.setattr(SqliteStore, "between", noted)
    files = [file.name for file in kept_of(ledger, "r1", "demo.canary")]
    events = [event.says for event in happened(ledger, decision, phase)]
    assert (files, events, read) == (["a.txt"], ["it began"], [])


def test_a_note_is_made_without_reading_a_decision_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path / "ledger.db") as ledger:
        _run(ledger, 2).decide()
        assert isinstance(ledger.store, SqliteStore)
        due = heads.note_of(ledger.store)
        monkeypatch.setattr(heads, "note_of", lambda store: "read again")
    assert (tmp_path / "ledger.db.head").read_text(encoding="utf-8") == due


def test_what_is_chained_later_is_read_though_a_run_is_remembered(ledger: Ledger) -> None:
    run = _run(ledger, 2)
    ledger.remember(run.run)
    before = ledger.of_run(run.run)
    assert damage(ledger, RunLog(before)) is None
    run.batch("t.py::test_0", errors=(0,))
    after = ledger.of_run(run.run)
    assert after[:-1] == before
    assert after[-1].kind is RecordKind.BATCH
    assert "was added after the seal" in str(damage(ledger, RunLog(after)))


def test_a_run_is_read_anew_once_its_chain_was_replaced(ledger: Ledger, tmp_path: Path) -> None:
    run = _run(ledger, 2)
    ledger.remember(run.run)
    assert damage(ledger, RunLog(ledger.of_run(run.run))) is None
    with sqlite3.connect(tmp_path / "ledger.db") as db:
        db.execute("UPDATE records SET hash = 'other' WHERE kind = 'seal'")
    db.close()
    assert ledger.of_run(run.run)[-1].hash == "other"
    assert "was changed after it was written" in str(damage(ledger, RunLog(ledger.of_run(run.run))))


@pytest.mark.parametrize("attempts", [(), ((Verdict.PASS, ""),), ((Verdict.FAIL, 'é "x"'),) * 2])
def test_a_report_is_written_as_any_other_body(attempts: tuple[tuple[Verdict, str], ...]) -> None:
    body = ItemReport("t.py::test_é", "demo.canary", "gw1", attempts, 3, "0" * 64)
    shape = coding.encode(body)
    del shape["attachments"]
    assert encoded(body) == canonical(shape)


@pytest.mark.parametrize("kind", [RecordKind.RUN, RecordKind.EVENT, RecordKind.DECISION])
def test_records_are_found_by_their_index(ledger: Ledger, kind: RecordKind) -> None:
    with statements(ledger) as told:
        list(ledger.newest(kind, "demo", "demo.canary", "prod", word="x"))
    (query,) = told
    db: sqlite3.Connection = vars(ledger.store)["_db"]
    (plan,) = db.execute(f"EXPLAIN QUERY PLAN {query}").fetchall()
    assert "USING INDEX records_by_subject" in plan[-1]
