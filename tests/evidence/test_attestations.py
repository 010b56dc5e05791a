"""Attestations in the ledger: what a run is judged by, and what shows when they are touched."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from pytest_rollout.evidence.attestations import attest
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.errors import LedgerError
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.stored import to_json
from tests.evidence.runs import EXIT, ITEMS, PLAN, START, Place, Writer, append, opened, tamper
from tests.words import reasons

TEXT = PLAN.replace("max_age: 24h", "").replace(
    "      - {id: works,",
    "      - {id: read, kind: manual, says: It was read}\n      - {id: works,",
)
FULL = "demo.canary.read"


def say(
    ledger: Ledger,
    *,
    passed: bool = True,
    note: str = "read",
    file: bytes | None = None,
    release: str = "v1",
    environment: str = "prod",
    criterion: str = FULL,
) -> None:
    """Somebody answers."""
    digest = hashlib.sha256(file).hexdigest() if file is not None else ""
    one = Attestation(
        criterion, "A. Person", "sre", note, passed, 0, release, "e.pdf" * bool(file), digest
    )
    attest(ledger, one, environment, file)


def run(ledger: Ledger, name: str = "r1") -> Writer:
    """A whole run in prod that asks for the exit gate."""
    return Writer(ledger, run=name, environment="prod", text=TEXT, gates=(EXIT,)).good()


def test_what_was_said_before_the_run_ended_counts(ledger: Ledger) -> None:
    say(ledger)
    assert run(ledger).decisions[0].answer is Answer.GO


def test_what_is_said_later_counts_at_the_next_run(ledger: Ledger) -> None:
    first = run(ledger)
    assert first.decisions[0].answer is Answer.HOLD
    say(ledger)
    assert to_json(first.judged()) == to_json(first.decisions[0])
    assert run(ledger, "r2").decisions[0].answer is Answer.GO
    say(ledger, passed=False)
    assert to_json(first.judged()) == to_json(first.decisions[0])
    assert run(ledger, "r3").decisions[0].answer is Answer.NO_GO


def test_during_a_run_counts(ledger: Ledger) -> None:
    writer = Writer(ledger, environment="prod", text=TEXT, gates=(EXIT,))
    writer.start()
    writer.manifest()
    say(ledger)
    writer.checks()
    writer.seal()
    assert writer.judged().answer is Answer.GO


@pytest.mark.parametrize(
    "other", [{"release": "v0"}, {"environment": "lab"}, {"criterion": "demo.canary.works"}]
)
def test_of_something_else_does_not_count(ledger: Ledger, other: dict[str, str]) -> None:
    say(ledger, **other)  # type: ignore[arg-type]
    assert run(ledger).decisions[0].answer is Answer.HOLD


def test_a_rehearsal_reads_none(ledger: Ledger) -> None:
    say(ledger, environment="embedded")
    writer = Writer(ledger, text=TEXT, gates=(EXIT,)).good()
    assert writer.decisions[0].answer is Answer.HOLD
    assert writer.read().world.attestations == ()


TAMPERED = {
    "a no is taken out": "DELETE FROM records WHERE sequence = 2",
    "a no becomes a yes": "UPDATE records SET body = replace(body, 'false', 'true')"
    " WHERE sequence = 2",
    "a no is given to another": "UPDATE records SET subject = 'demo.canary.x' WHERE sequence = 2",
    "a no is moved elsewhere": "UPDATE records SET environment = 'lab' WHERE sequence = 2",
    "a no becomes something else": "UPDATE records SET kind = 'event' WHERE sequence = 2",
}


@pytest.mark.parametrize("statement", TAMPERED.values(), ids=TAMPERED)
def test_a_later_no_cannot_be_made_to_vanish(place: Place, statement: str) -> None:
    with opened(place) as ledger:
        say(ledger)
        say(ledger, passed=False)
        writer = run(ledger)
        assert writer.decisions[0].answer is Answer.NO_GO
    tamper(place, statement)
    with opened(place) as ledger:
        decision = Writer(ledger, environment="prod", text=TEXT, gates=(EXIT,)).judged()
        assert decision.answer is not Answer.GO
        assert verify(ledger, ()).problems


def test_a_no_between_two_answers_cannot_be_made_to_vanish(place: Place) -> None:
    with opened(place) as ledger:
        say(ledger)
        say(ledger, passed=False)
        say(ledger)
        decision = run(ledger).decisions[0]
        assert [one.id for one in decision.conditions] == [FULL]
    tamper(place, "DELETE FROM records WHERE sequence = 2")
    with opened(place) as ledger:
        decision = Writer(ledger, environment="prod", text=TEXT, gates=(EXIT,)).judged()
        assert decision.answer is Answer.HOLD
        assert "an attestation was damaged: records are missing" in reasons(decision)[0]


def test_a_well_chained_answer_of_another_shape_is_damage(ledger: Ledger) -> None:
    append(ledger, RecordKind.ATTESTATION, "", {"by": 1}, "demo", FULL, "prod")
    say(ledger)
    decision = run(ledger).decisions[0]
    assert decision.answer is Answer.HOLD
    assert "record 1 (attestation) cannot be read: no `role`" in reasons(decision)[0]


def test_its_file_is_kept_by_its_digest_and_missed_when_it_is_gone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with opened(path) as ledger:
        say(ledger, file=b"minutes")
        run(ledger)
        assert verify(ledger, ()).problems == ()
        (kept,) = (tmp_path / "attachments").iterdir()
        assert kept.read_bytes() == b"minutes"
        assert kept.name == hashlib.sha256(b"minutes").hexdigest()
        kept.write_bytes(b"other minutes")
        assert "record 1 (e.pdf) was changed" in verify(ledger, ()).problems[0]
        kept.unlink()
        assert "record 1 (e.pdf) is gone" in verify(ledger, ()).problems[0]


def test_a_file_that_cannot_be_kept_leaves_no_record(tmp_path: Path) -> None:
    with opened(tmp_path / "ledger.db") as ledger:
        (tmp_path / "attachments").write_text("in the way")
        with pytest.raises(LedgerError, match="cannot be written"):
            say(ledger, file=b"minutes")
        assert ledger.head().sequence == 0


def test_texts_beside_a_plan_are_missed_when_they_are_gone(place: Place) -> None:
    with opened(place) as ledger:
        digest = hashlib.sha256(b"waivers: []\n").hexdigest()
        ledger.keep_text(digest, "waivers: []\n")
        beside = {"demo": {"waivers.yaml": digest}}
        append(ledger, RecordKind.RUN, "r1", {**START, "beside": beside})
        assert verify(ledger, ()).problems == ()
    tamper(place, "DELETE FROM texts")
    with opened(place) as ledger:
        assert verify(ledger, ()).problems == (f"the text of waivers.yaml {digest[:12]} is gone",)


def test_the_item_of_a_check_is_not_asked(ledger: Ledger) -> None:
    assert FULL not in ITEMS
    say(ledger)
    (finding,) = [one for one in run(ledger).decisions[0].criteria if one.id == FULL]
    assert [part.subject.name for part in finding.parts] == ["attestation"]
