"""Verifying a whole ledger: any edit, deletion or reordering, and a cut tail with an anchor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pytest_rollout.evidence.anchors import Anchor
from pytest_rollout.evidence.records import Record
from pytest_rollout.evidence.verify import Verification, verify
from pytest_rollout.model.evidence import Head
from tests.evidence.runs import Place, Writer, opened, reading, tamper


@pytest.fixture
def path(place: Place) -> Place:
    """A ledger with two good runs."""
    with opened(place) as ledger:
        Writer(ledger, "r1").good()
        Writer(ledger, "r2").good()
    return place


def verified(path: Place, *anchors: Anchor) -> Verification:
    """What verifying finds."""
    with reading(path) as ledger:
        return verify(ledger, anchors)


def head(path: Place) -> Anchor:
    """The chain's head, as somebody noted it."""
    with opened(path) as ledger:
        return Anchor(ledger.head(), "notes.json")


def test_a_whole_ledger(path: Place) -> None:
    anchor = head(path)
    found = verified(path, anchor)
    assert found.problems == ()
    assert found.unfinished == ()
    assert found.anchored == anchor
    assert (found.records, found.runs) == (anchor.head.sequence, 2)


DAMAGE = {
    "an edited record": "UPDATE records SET body = body || ' ' WHERE sequence = 4",
    "an edited time": "UPDATE records SET at_us = at_us + 1 WHERE sequence = 5",
    "an edited observation": "UPDATE observations SET value = '7' WHERE id = 1",
    "a deleted observation": "DELETE FROM observations WHERE id = 2",
    "an added observation": "INSERT INTO observations (batch, plan, phase, metric, labels, t_us,"
    " seen_us, seq, value) SELECT batch, plan, phase, metric, labels, t_us, seen_us, 99, value"
    " FROM observations WHERE id = 1",
    "a deleted record": "DELETE FROM records WHERE sequence = 5",
    "a deleted run": "DELETE FROM records WHERE run = 'r1'",
    "two records exchanged": "UPDATE records SET sequence = CASE sequence WHEN 4 THEN -5"
    " ELSE -4 END WHERE sequence IN (4, 5);"
    " UPDATE records SET sequence = -sequence WHERE sequence < 0",
}


@pytest.mark.parametrize("what", DAMAGE)
def test_damage_is_found_and_the_first_bad_place_named(path: Place, what: str) -> None:
    for statement in DAMAGE[what].split(";"):
        tamper(path, statement)
    problems = verified(path).problems
    assert problems
    assert any(char.isdigit() for char in problems[0]), "a place is named"


def test_since_an_anchor_only_what_was_written_from_it_on_is_read(
    path: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    anchor = head(path)
    with opened(path) as ledger:
        Writer(ledger, "r3").good()
        read: list[int] = []
        between, of_run = ledger.between, ledger.of_run

        def noted_run(run: str) -> list[Record]:
            records = of_run(run)
            read.extend(record.sequence for record in records)
            return records

        def noted(first: int, last: int | None = None) -> Iterator[Record]:
            for record in between(first, last):
                read.append(record.sequence)
                yield record

        monkeypatch.setattr(ledger, "between", noted)
        monkeypatch.setattr(ledger, "of_run", noted_run)
        found = verify(ledger, [anchor], since_anchor=True)
        assert (found.problems, found.anchored) == ((), anchor)
        assert min(read) == of_run("r2")[0].sequence  # the anchor is in it
        read.clear()
        assert verify(ledger, (), since_anchor=True).problems == ()
        assert min(read) == 1  # no anchor fits


@pytest.mark.parametrize("what", DAMAGE)
def test_what_follows_an_anchor_is_checked(path: Place, what: str) -> None:
    with reading(path) as ledger:
        first = next(ledger.between(1, 1))
    for statement in DAMAGE[what].split(";"):
        tamper(path, statement)
    with reading(path) as ledger:
        assert verify(ledger, [Anchor(first.first, "notes")], since_anchor=True).problems


def test_a_record_that_is_missing_before_an_anchor_is_found(path: Place) -> None:
    anchor = head(path)
    tamper(path, "DELETE FROM records WHERE sequence = 5")
    with reading(path) as ledger:
        assert verify(ledger, [anchor], since_anchor=True).problems


def test_a_run_that_an_anchor_cuts_is_checked_whole(path: Place) -> None:
    anchor = head(path)  # the last record of r2
    newest = "(SELECT max(id) FROM observations)"
    tamper(path, f"UPDATE observations SET value = '7' WHERE id = {newest}")
    with reading(path) as ledger:
        assert "r2" in verify(ledger, [anchor], since_anchor=True).problems[0]


def test_a_cut_tail_shows_with_an_anchor_only(path: Place) -> None:
    anchor = head(path)
    tamper(
        path,
        "DELETE FROM records WHERE run = 'r2'",
        "DELETE FROM observations WHERE batch > (SELECT max(sequence) FROM records)",
    )
    Path(f"{path}.head").unlink(missing_ok=True)  # which notes the newest record, too
    assert verified(path).problems == ()
    assert verified(path).anchored is None
    assert (
        f"record {anchor.head.sequence}, noted in notes.json, is gone"
        in verified(path, anchor).problems
    )


def test_a_chain_that_was_written_anew_does_not_fit_its_anchor(path: Place) -> None:
    forged = Anchor(Head(head(path).head.sequence, "0" * 64), "notes.json")
    assert "was cut off or replaced" in verified(path, forged).problems[0]


def test_a_run_that_did_not_end_is_shown(path: Place) -> None:
    with opened(path) as ledger:
        Writer(ledger, "r3").start()
    assert verified(path).unfinished == ("r3",)
