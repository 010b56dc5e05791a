"""Whatever is changed in a sealed run is named, and its decision is no longer GO."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_rollout.evidence.history import History
from pytest_rollout.evidence.integrity import damage
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.run_log import RunLog
from pytest_rollout.evidence.sqlite.schema import RECORD, ROW
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.verdict import Answer
from tests.evidence.runs import (
    ENTRY,
    EXIT,
    FAIL,
    PASS,
    Place,
    Writer,
    append,
    copied,
    opened,
    rows,
    tamper,
)
from tests.words import reasons

RECORD_COLUMNS = RECORD.split(", ")
ROW_COLUMNS = ["batch", *ROW.split(", ")]
COUNT = 12  # RUN, RELEASE, MANIFEST, three BATCH, RELEASE, SEAL, two DECISION, and those of r2


@pytest.fixture(scope="module", params=["sqlite", "memory"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A ledger with a good run, and the beginning of another."""
    folder = tmp_path_factory.mktemp("whole")
    path = folder / "ledger.db" if request.param == "sqlite" else f"memory://{folder}"
    with opened(path) as ledger:
        Writer(ledger).good()
        later = Writer(ledger, "r2", gates=())
        later.start()
    if request.param == "sqlite":
        tamper(path, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE")
    return path


@pytest.fixture
def copy(whole: Place, tmp_path: Path) -> Place:
    """A copy of it to be damaged."""
    return copied(whole, tmp_path)


def standing(path: Place) -> tuple[str | None, Answer]:
    """What is named of the first run, and its exit gate's decision when it is read back."""
    with opened(path) as ledger:
        wrong = damage(ledger, RunLog(ledger.of_run("r1")))
        return wrong, Writer(ledger).judged().answer


def kinds(path: Place) -> dict[int, str]:
    """The kind of every record of the first run."""
    return dict(rows(path, "SELECT sequence, kind FROM records WHERE run = 'r1'"))


def test_a_run_that_nobody_touched_is_whole_and_go(copy: Place) -> None:
    assert standing(copy) == (None, Answer.GO)
    assert len(rows(copy, "SELECT 1 FROM records")) == COUNT
    with opened(copy) as ledger:
        found = History(ledger).standing(EXIT, "embedded")
        assert found is not None
        assert found.decision is not None
        assert found.decision.answer is Answer.GO


def not_believed(path: Place) -> None:
    """Neither judging again nor showing the stored decision gives GO."""
    with opened(path) as ledger:
        for gate in (ENTRY, EXIT):
            found = History(ledger).standing(gate, "embedded")
            assert found is None or found.decision is None
        if ledger.of_run("r1"):
            assert Writer(ledger).judged(EXIT).answer is Answer.HOLD
            assert Writer(ledger).judged(ENTRY).answer is Answer.HOLD


def values(column: str) -> list[str]:
    """Other values for a column, as SQL: near, empty and absurd."""
    number = column in ("sequence", "at_us", "batch", "t_us", "seen_us", "seq")
    near = f"{column} + 100" if number else f"{column} || 'x'"
    return [near, "-1" if number else "''", "'x'", "x'00'", "1e300"]


@pytest.mark.parametrize("column", RECORD_COLUMNS)
def test_any_column_of_any_record_of_a_sealed_run(copy: Place, tmp_path: Path, column: str) -> None:
    for sequence, kind in kinds(copy).items():
        for value in values(column):
            fresh = copied(copy, tmp_path, "one.db")
            try:
                tamper(fresh, f"UPDATE records SET {column} = {value} WHERE sequence = {sequence}")
            except sqlite3.IntegrityError:
                continue  # the store itself refuses it
            if rows(fresh, "SELECT * FROM records") == rows(copy, "SELECT * FROM records"):
                continue  # it was so before
            not_believed(fresh)
            if column not in ("run", "kind", "sequence") and kind != "decision":
                assert standing(fresh)[0] is not None, (kind, value)


@pytest.mark.parametrize("column", ROW_COLUMNS)
def test_any_column_of_any_observation(copy: Place, tmp_path: Path, column: str) -> None:
    for (id_,) in rows(copy, "SELECT id FROM observations"):
        for value in values(column):
            fresh = copied(copy, tmp_path, "one.db")
            tamper(fresh, f"UPDATE observations SET {column} = {value} WHERE id = {id_}")
            wrong, answer = standing(fresh)
            assert wrong is not None, (id_, value)
            assert "observation" in wrong
            assert answer is Answer.HOLD
            not_believed(fresh)


def test_any_record_deleted(copy: Place, tmp_path: Path) -> None:
    for sequence, kind in kinds(copy).items():
        fresh = copied(copy, tmp_path, "one.db")
        tamper(fresh, f"DELETE FROM records WHERE sequence = {sequence}")
        not_believed(fresh)
        if kind not in ("decision", "seal"):
            assert standing(fresh)[0] is not None, kind


def test_any_observation_deleted(copy: Place, tmp_path: Path) -> None:
    for (id_,) in rows(copy, "SELECT id FROM observations"):
        fresh = copied(copy, tmp_path, "one.db")
        tamper(fresh, f"DELETE FROM observations WHERE id = {id_}")
        wrong, answer = standing(fresh)
        assert wrong is not None
        assert "sealed 3 observations, the ledger holds 2" in wrong
        assert answer is Answer.HOLD


def swap(table: str, key: str, one: int, other: int) -> list[str]:
    return [
        f"UPDATE {table} SET {key} = -1 WHERE {key} = {one}",
        f"UPDATE {table} SET {key} = {one} WHERE {key} = {other}",
        f"UPDATE {table} SET {key} = {other} WHERE {key} = -1",
    ]


def test_two_records_swapped(copy: Place, tmp_path: Path) -> None:
    for one in range(1, 8):
        fresh = copied(copy, tmp_path, "one.db")
        tamper(fresh, *swap("records", "sequence", one, one + 1))
        assert standing(fresh)[0] is not None
        not_believed(fresh)


def test_two_observations_swapped(copy: Place) -> None:
    tamper(copy, *swap("observations", "id", 1, 2))
    assert standing(copy)[0] is not None
    not_believed(copy)


def test_an_observation_added(copy: Place) -> None:
    columns = f"batch, {ROW}"
    tamper(copy, f"INSERT INTO observations ({columns}) SELECT {columns} FROM observations LIMIT 1")
    wrong, answer = standing(copy)
    assert wrong is not None
    assert "sealed 3 observations, the ledger holds 4" in wrong
    assert answer is Answer.HOLD


AFTERWARDS: dict[str, Callable[[Writer], None]] = {
    "batch": lambda run: run.batch("t.py::test_works", PASS),
    "manifest": lambda run: run.manifest(items={}),
    "release": lambda run: run.identify("end"),
    "seal": lambda run: run.seal(),
    "stop": lambda run: run.stop("later"),
    "run": lambda run: run.start(),
    "decision": lambda run: run.append(
        RecordKind.DECISION, {"document": "{}", "look": True, "release": "v1"}, "demo", str(EXIT)
    ),
}


@pytest.mark.parametrize("what", AFTERWARDS)
def test_a_record_that_is_chained_on_after_the_fact(copy: Place, what: str) -> None:
    with opened(copy) as ledger:
        AFTERWARDS[what](Writer(ledger))
    wrong, answer = standing(copy)
    assert wrong is not None
    assert "after the seal" in wrong or "decided 2 times" in wrong
    assert answer is Answer.HOLD
    not_believed(copy)


def test_a_pass_added_after_the_seal_does_not_heal_a_failure(ledger: Ledger) -> None:
    run = Writer(ledger)
    run.good(works=FAIL)
    assert run.decisions[1].answer is Answer.NO_GO
    run.batch("t.py::test_works", PASS)
    assert run.judged().answer is Answer.HOLD


@pytest.mark.parametrize("sequence", [11, 12])
def test_a_later_record_that_is_gone_or_changed_is_seen_from_the_run_before(
    copy: Place, sequence: int
) -> None:
    with opened(copy) as ledger:
        append(ledger, RecordKind.EVENT, "r3", {})
    tamper(copy, f"DELETE FROM records WHERE sequence = {sequence}")
    not_believed(copy)


def test_a_decision_that_was_edited_is_not_shown(copy: Place) -> None:
    tamper(
        copy,
        "UPDATE records SET body = replace(body, 'GO', 'NO-GO') WHERE kind = 'decision'",
    )
    not_believed(copy)


@pytest.mark.parametrize(
    "body", ["", "[]", "null", "7", '"x"', "{}", "{", "[" * 100_000], ids=range(8)
)
def test_a_body_that_is_not_what_is_written_is_damage(
    copy: Place, tmp_path: Path, body: str
) -> None:
    for sequence in kinds(copy):
        fresh = copied(copy, tmp_path, "one.db")
        tamper(fresh, f"UPDATE records SET body = '{body}' WHERE sequence = {sequence}")
        not_believed(fresh)


_OF_NO_RUN = (  # and so no evidence of any
    *(RecordKind.DECISION, RecordKind.RUN, RecordKind.ATTESTATION),
    *(RecordKind.DRILL, RecordKind.MUTANTS, RecordKind.RESET, RecordKind.SIGNATURE),
)
INFINITE = {"type": "begin", "t_us": float("inf")}


@pytest.mark.parametrize(
    "body", [{}, {"items": 7}, {"attempts": [["good", ""]]}, {"problems": 7}, INFINITE]
)
@pytest.mark.parametrize("kind", [kind for kind in RecordKind if kind is not RecordKind.UNKNOWN])
def test_a_well_chained_record_of_another_shape_is_no_go(
    ledger: Ledger, kind: RecordKind, body: dict[str, object]
) -> None:
    run = Writer(ledger)
    run.start()
    run.manifest()
    run.checks()
    run.append(kind, body, "demo", "demo.canary")
    run.seal()
    if kind not in _OF_NO_RUN:
        assert run.judged().answer is Answer.HOLD


def test_a_run_without_its_first_record_says_so(copy: Place) -> None:
    tamper(copy, "DELETE FROM records WHERE sequence = 1")
    with opened(copy) as ledger:
        assert damage(ledger, RunLog(ledger.of_run("r1"))) == "its first record is gone"
        decision = Writer(ledger).judged()
    assert "its first record is gone" in reasons(decision)[0]


def test_evidence_ends_with_the_seal(copy: Place) -> None:
    with opened(copy) as ledger:
        kept = RunLog(ledger.of_run("r1")).evidence
    assert kept[-1].kind is RecordKind.SEAL
    assert len(kept) == 8


@pytest.mark.parametrize("index", ["records_by_subject", "records_by_run"])
def test_a_later_run_that_an_index_hides_takes_the_answer_back(tmp_path: Path, index: str) -> None:
    path = tmp_path / "ledger.db"
    with opened(path) as ledger:
        Writer(ledger).good()
        last = ledger.head().sequence
        Writer(ledger, "r2").good(works=FAIL)
    ((sql,),) = rows(path, f"SELECT sql FROM sqlite_master WHERE name = '{index}'")
    narrowed = f"{sql} {'AND' if ' WHERE ' in sql else 'WHERE'} sequence <= {last}"
    tamper(path, f"DROP INDEX {index}", narrowed)
    quoted = sql.replace("'", "''")
    whole = f"UPDATE sqlite_master SET sql = '{quoted}' WHERE name = '{index}'"
    tamper(path, "PRAGMA writable_schema = ON", whole)
    with opened(path) as ledger:
        found = History(ledger).standing(EXIT, "embedded")
        assert found is not None
        assert found.decision is None
        assert found.damage == f"the store hides record {last + 1} (run)"
        assert Writer(ledger).judged().answer is Answer.HOLD
        assert any(index in problem for problem in verify(ledger, []).problems)
