"""An older or another copy of a ledger in its place is noticed before anything is written."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pytest_rollout.evidence import heads, opening
from pytest_rollout.evidence.merging import merge
from pytest_rollout.model.errors import LedgerError
from tests.evidence.runs import Place, Writer, opened, reading, tamper


def nobody(process: object) -> bool:
    """No process runs."""
    return False


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of a run."""
    with opened(tmp_path / "ledger.db") as ledger:
        Writer(ledger, "r1").good()
    return tmp_path / "ledger.db"


def test_an_older_copy_is_refused_and_left_as_it_is(path: Path, tmp_path: Path) -> None:
    older = shutil.copy(path, tmp_path / "older.db")
    with opened(path) as ledger:
        Writer(ledger, "r2").good()
        last = ledger.head().sequence
    shutil.copy(older, path)
    before = path.read_bytes()
    with pytest.raises(LedgerError) as caught:
        opening.to_write(path)
    assert f"record {last} (decision) of run r2, noted in ledger.db.head" in str(caught.value)
    assert "rollout merge" in str(caught.value)
    assert path.read_bytes() == before
    with reading(path) as ledger:  # looking at it is harmless
        assert ledger.head().sequence < last


def test_an_older_copy_and_the_other_one_are_brought_together(path: Path, tmp_path: Path) -> None:
    older = shutil.copy(path, tmp_path / "older.db")
    with opened(path) as ledger:
        Writer(ledger, "r2").good()
    with opened(older) as ledger:
        Writer(ledger, "r3").good()
    copy = shutil.move(path, tmp_path / "copy.db")
    with opened(path) as ledger, reading(older) as this, reading(copy) as other:
        merge(ledger, [this, other], running=nobody)
    with opened(path) as ledger:
        assert {one.run for one in ledger.between(0)} == {"r1", "r2", "r3"}


def test_another_machines_ledger_in_its_place_is_refused(path: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "ci.db") as ledger:
        for run in ("c1", "c2", "c3"):
            Writer(ledger, run).good()
    shutil.copy(tmp_path / "ci.db", path)
    with pytest.raises(LedgerError, match="older or another copy"):
        opening.to_write(path)


def test_a_newer_copy_is_taken(path: Path, tmp_path: Path) -> None:
    newer = shutil.copy(path, tmp_path / "newer.db")
    with opened(newer) as ledger:
        Writer(ledger, "r2").good()
    shutil.copy(newer, path)
    with opened(path) as ledger:
        Writer(ledger, "r3").good()


def test_a_merged_ledger_holds_what_was_noted_of_both(path: Path, tmp_path: Path) -> None:
    with opened(tmp_path / "ci.db") as other:
        Writer(other, "c1").good()
    alone = shutil.copy(path, tmp_path / "alone.db")
    with opened(path) as ledger, opened(tmp_path / "ci.db") as other:
        merge(ledger, [other], running=nobody)
    merged = shutil.copy(path, tmp_path / "merged.db")
    with opened(path):
        pass
    shutil.copy(merged, tmp_path / "ci.db")
    with opened(tmp_path / "ci.db"):
        pass
    shutil.copy(alone, path)  # all that the other brought is gone again
    with pytest.raises(LedgerError, match="of run c1"):
        opening.to_write(path)


def test_damage_is_not_taken_for_an_older_copy(path: Path) -> None:
    tamper(path, "UPDATE records SET body = body || ' ' WHERE sequence >= 9")
    with opened(path) as ledger:
        Writer(ledger, "r2").good()
    tamper(path, "DELETE FROM records WHERE sequence = 5")
    with opened(path):
        pass


def test_a_ledger_that_was_taken_away_begins_anew(path: Path) -> None:
    path.unlink()
    with opened(path) as ledger:
        Writer(ledger, "r2").good()
        assert ledger.head().sequence > 1


def test_a_note_that_cannot_be_read_says_nothing(path: Path) -> None:
    for text in ("", "x", "x y z\n", "0 -1 w\n", "\udcff".encode("utf-8", "replace").decode()):
        path.with_name("ledger.db.head").write_text(text)
        with opened(path):
            pass


def test_the_note_is_of_the_newest_records(place: Place) -> None:
    with opened(place) as ledger:
        assert heads.note_of(ledger.store) == ""
        Writer(ledger, "r1").good()
        note = heads.note_of(ledger.store)
        head = ledger.head()
        assert note == f"{head.hash} {head.sequence} record {head.sequence} (decision) of run r1\n"
        assert heads.lost(ledger.store, note) == ""
        assert heads.lost(ledger.store, f"{'1' * 64} {head.sequence} it\n") == "it"
