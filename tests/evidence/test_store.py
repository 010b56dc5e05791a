"""What every store must do, with nothing of the ledger on top: the protocol, line by line."""

from __future__ import annotations

import pytest

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.opening import exists
from pytest_rollout.evidence.records import Entry, RecordKind, as_written, spelled
from pytest_rollout.evidence.store import Store
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.evidence import Head
from tests.evidence.runs import Place, opened, reading

PLACE = ("demo", "demo.canary", "prod")
ROW = ("demo", "canary", "m", "{}", 1, 2, 0, "0.1")


@pytest.fixture
def store(ledger: Ledger) -> Store:
    """An empty store."""
    return ledger.store


def entry(run: str, words: str | None, kind: RecordKind = RecordKind.EVENT) -> Entry:
    """Something to chain."""
    return Entry(kind, run, *PLACE, "{}", words)


def about(store: Store, word: str | None, *, newest: bool = False) -> list[str]:
    """The runs whose records are found for a word."""
    found = store.about(RecordKind.EVENT, *PLACE, word=word, newest=newest)
    return [one.run for one in found]


def test_there_is_nothing_until_it_is_made(place: Place) -> None:
    assert not exists(place)
    with pytest.raises(LedgerError, match="there is no ledger at"), reading(place):
        pass
    with opened(place) as ledger:
        assert exists(place)
        assert ledger.name == str(place)


def test_what_is_appended_is_chained_with_its_rows(store: Store) -> None:
    heads = [store.append(entry(f"r{n}", None), [ROW] * n) for n in range(3)]
    records = list(store.between(1, None))
    assert [(one.sequence, one.hash) for one in records] == [(o.sequence, o.hash) for o in heads]
    assert all(as_written(one) for one in records)
    assert store.head() == store.last == heads[-1]
    assert [store.holds(one) for one in heads] == [True] * 3
    assert [len(store.rows_of(one.sequence)) for one in heads] == [0, 1, 2]
    assert store.rows_of(2) == [ROW]
    assert store.count() == 3
    assert sorted(store.batches_seen()) == [2, 3]
    assert [one.run for one in store.between(2, 2)] == ["r1"]
    assert [one.run for one in store.of_run("r1")] == ["r1"]
    assert store.hashes_of("r1") == [one.hash for one in store.of_run("r1")]
    assert not any(store.hides(one) for one in records)
    assert store.problems() == []


def test_a_word_finds_what_has_it_and_what_was_written_without_words(store: Store) -> None:
    store.append(entry("with", spelled(("trip", "ROLLBACK"))), [])
    store.append(entry("other", spelled(("ROLLBACKS", "NO ROLLBACK"))), [])
    store.append(entry("older", None), [])
    store.append(entry("none", spelled(())), [])
    assert about(store, "ROLLBACK") == ["with", "older"]
    assert about(store, "ROLLBACK", newest=True) == ["older", "with"]
    assert about(store, "trip") == ["with", "older"]
    assert about(store, None) == ["with", "other", "older", "none"]


def test_the_rows_of_a_run_come_with_their_records_in_order(store: Store) -> None:
    other = (*ROW[:-1], "0.2")
    for run, rows in (("r1", [ROW, other]), ("r2", [ROW]), ("r1", []), ("r1", [other])):
        store.append(entry(run, None), rows)
    assert list(store.rows_of_run("r1")) == [(1, ROW), (1, other), (4, other)]
    assert list(store.rows_of_run("r3")) == []


def test_only_what_was_written_before_a_record(store: Store) -> None:
    for run in ("r1", "r2", "r3"):
        store.append(entry(run, spelled(("w",))), [])
    found = store.about(RecordKind.EVENT, *PLACE, word="w", newest=True, before=3)
    assert [one.run for one in found] == ["r2", "r1"]
    assert not list(store.about(RecordKind.EVENT, *PLACE, word=None, newest=False, before=1))


def test_the_first_after_an_instant(store: Store) -> None:
    assert store.first_after(0) is None
    store.append(entry("r1", None), [])
    (record,) = store.between(1, None)
    assert (store.first_after(record.at_us - 1), store.first_after(record.at_us)) == (1, None)


def test_files_are_kept_by_their_digest(store: Store) -> None:
    digest = "ab" * 32
    assert (store.has(digest), store.get(digest)) == (False, None)
    store.put(digest, b"minutes")
    store.put(digest, b"minutes")
    assert (store.has(digest), store.get(digest)) == (True, b"minutes")


def test_texts_are_kept_once(store: Store) -> None:
    store.keep_text("d", "first")
    store.keep_text("d", "second")
    assert (store.text("d"), store.text("e")) == ("first", None)


def test_as_it_was_at_an_instant(place: Place) -> None:
    with opened(place) as ledger:
        for run in ("r1", "r2"):
            ledger.store.append(entry(run, spelled(("w",))), [])
        (first, second) = ledger.between(1)
    until_us = first.at_us if first.at_us < second.at_us else first.at_us - 1
    with reading(place, until_us) as then:
        assert len(list(then.between(1))) == (1 if first.at_us < second.at_us else 0)
        assert then.head().sequence == len(list(then.between(1)))
        assert then.holds(Head(first.sequence, first.hash)) == (first.at_us <= until_us)
        assert not then.holds(Head(second.sequence, second.hash))
