"""Both stores struck with the campaign's edits: none of them makes a GO of what was none."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import pytest

from pytest_rollout.evidence.history import History
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.verdict import Answer
from tests.campaign.storage import EDITS
from tests.evidence.runs import EXIT, FAIL, Place, Writer, copied, opened, rows, tamper

ENVIRONMENT = "prod"


@pytest.fixture(scope="module", params=["sqlite", "memory"])
def struck(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A ledger in which a gate was GO, and is so no more."""
    folder = tmp_path_factory.mktemp("struck")
    place = folder / "ledger.db" if request.param == "sqlite" else f"memory://{folder}"
    with opened(place) as ledger:
        Writer(ledger, "r1", ENVIRONMENT).good()
        Writer(ledger, "r2", ENVIRONMENT).good(works=FAIL)
    if request.param == "sqlite":
        tamper(place, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE")
    return place


def believed(place: Place) -> Answer | None:
    """What is cleared of the gate: the answer of its last full run, in a ledger that is whole."""
    with opened(place) as ledger:
        try:
            standing = History(ledger).standing(EXIT, ENVIRONMENT)
            if standing is None or standing.decision is None or verify(ledger, ()).problems:
                return None
        except LedgerError:
            return None
        return standing.decision.answer


@pytest.mark.parametrize("edit", EDITS)
def test_an_edit_makes_no_go(struck: Place, tmp_path: Path, edit: str) -> None:
    assert believed(struck) is Answer.NO_GO
    records = [one for (one,) in rows(struck, "SELECT sequence FROM records")]
    seen = [one for (one,) in rows(struck, "SELECT id FROM observations")]
    chance = random.Random(edit)
    cut = "sequence > " in edit  # what no anchor was noted of may be cut off unseen
    first = min(
        one for (one,) in rows(struck, "SELECT min(sequence) FROM records WHERE run = 'r2'")
    )
    places = [*chance.sample(records, 6), records[-1]]
    for record in (one for one in places if not cut or one >= first):
        statement = edit.format(record=record, seen=chance.choice(seen))
        place = copied(struck, tmp_path, f"{record}.db")
        try:
            tamper(place, statement)
        except sqlite3.IntegrityError:
            continue  # the tables refuse it
        assert believed(place) in (None, Answer.NO_GO), statement
