"""A ledger that was edited or broken is said to be so, in one line."""

from __future__ import annotations

import random

import pytest

from pytest_rollout.evidence.records import RecordKind
from tests.cli.conftest import Project
from tests.evidence.runs import EXIT, Writer, tamper

REHEARSED = ("--env", "embedded")
VERBS = [
    ["decide", "demo.canary", *REHEARSED],
    ["decide", "demo.canary", "--json", *REHEARSED],
    ["explain", "demo.canary.errors", *REHEARSED],
    ["report", "demo.canary", *REHEARSED],
    ["report", "demo.canary", "--format", "json", *REHEARSED],
    ["status", *REHEARSED],
    ["status", "--json", *REHEARSED],
]


@pytest.fixture
def decided(project: Project) -> Project:
    """A project whose gates are GO."""
    with project.ledger() as ledger:
        Writer(ledger).good()
    tamper(project.store, "PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA journal_mode = DELETE")
    return project


EDITS = {
    "observation": "UPDATE observations SET value = '-1' WHERE id = 1",
    "every record": "UPDATE records SET body = replace(body, '\"fail\"', '\"pass\"') || ' '",
    "one record": "UPDATE records SET at_us = at_us - 1 WHERE sequence = 4",
    "gone": "DELETE FROM records WHERE sequence = 5",
    "decision": "UPDATE records SET body = replace(body, 'both', 'all') WHERE sequence = 10",
}


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_ledger_is_hold_and_says_so(decided: Project, edit: str) -> None:
    tamper(decided.store, EDITS[edit])
    said = decided.rollout("decide", "demo.canary")
    assert said.status == 11
    assert "the evidence was damaged: " in said.out
    assert said.out.splitlines()[-1].startswith(("NOT what was decided", "nothing to compare"))
    assert "exit HOLD (the ledger was damaged: " in decided.rollout("status").out
    for verb in ("report", "explain"):
        shown = decided.rollout(verb, "demo.canary" + ".errors" * (verb == "explain"))
        assert shown.status == 4
        assert "GO" not in shown.out


NOT_A_DECISION = [
    "replace(hex(zeroblob(60000)), '0', '[')",
    "'not JSON'",
    "'[]'",
    "'{}'",
    "'null'",
    '\'{"document":"x"}\'',
    "''",
]


@pytest.mark.parametrize("body", NOT_A_DECISION)
def test_a_stored_decision_that_cannot_be_read(decided: Project, body: str) -> None:
    tamper(decided.store, f"UPDATE records SET body = {body} WHERE kind = 'decision'")
    for verb in VERBS:
        said = decided.rollout(*verb)
        assert said.status in (0, 4, 11)
        assert verb[0] == "status" or said.status != 0


@pytest.mark.parametrize("document", ["not JSON", "[]", "{}", "null", '{"schema": 99}'])
def test_a_well_chained_decision_that_cannot_be_read(project: Project, document: str) -> None:
    with project.ledger() as ledger:
        run = Writer(ledger, gates=(EXIT,))
        run.start()
        run.manifest()
        run.checks()
        run.seal()
        body = {"document": document, "look": True, "release": "v1"}
        run.append(RecordKind.DECISION, body, "demo", str(EXIT))
    assert project.rollout("report", "demo.canary").status == 4
    assert project.rollout("explain", "demo.canary.errors").status == 4
    assert "exit HOLD (the ledger was damaged" in project.rollout("status").out
    assert project.rollout("decide", "demo.canary", *REHEARSED).status == 0


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("part", [0.0, 0.1, 0.5, 0.9])
def test_a_truncated_ledger(decided: Project, verb: list[str], part: float) -> None:
    data = decided.store.read_bytes()
    decided.store.write_bytes(data[: int(len(data) * part)])
    said = decided.rollout(*verb)
    assert said.status in (4, 11), said
    assert len(said.err.splitlines()) <= 1


@pytest.mark.parametrize("seed", range(12))
def test_random_bytes_in_the_middle(decided: Project, seed: int) -> None:
    data = bytearray(decided.store.read_bytes())
    chance = random.Random(seed)
    where = chance.randrange(100, len(data) - 400)
    data[where : where + 400] = chance.randbytes(400)
    decided.store.write_bytes(data)
    for verb in VERBS:
        said = decided.rollout(*verb)
        assert said.status in (0, 4, 11)
        assert len(said.err.splitlines()) <= 1


def test_a_ledger_of_a_newer_version(decided: Project) -> None:
    tamper(decided.store, "PRAGMA user_version = 4")
    for verb in VERBS:
        said = decided.rollout(*verb)
        assert said.status == 4
        assert "has ledger schema 4; this version reads 1 to 3" in said.err


def test_a_folder_in_the_ledgers_place(project: Project) -> None:
    project.store.mkdir(parents=True)
    assert project.rollout("decide", "demo.canary").status == 4


def test_a_file_that_is_no_ledger(project: Project) -> None:
    said = project.rollout("decide", "demo.canary", "--ledger", "pytest.ini")
    assert said.status == 4
    assert "not a database" in said.err


def test_the_address_of_another_database_is_one_message(project: Project) -> None:
    address = "mysql://bob:open@db/ledger"
    for verb in (("status",), ("verify",), ("decide", "demo.canary")):
        said = project.rollout(*verb, "--ledger", address)
        assert said.status == 4
        assert said.err.splitlines() == [
            "rollout: no store for mysql:// is installed; a ledger is a file (write a path, as "
            ".rollout/ledger.db) or in PostgreSQL (postgresql://HOST/DATABASE)"
        ]
    assert not (project.root / "mysql:").exists()
