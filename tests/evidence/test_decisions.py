"""Since when a gate stands where it stands."""

from __future__ import annotations

from pytest_rollout.evidence.decisions import first_decided
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from tests.evidence.runs import EXIT, PASS, Writer, tamper


def decided(ledger: Ledger, run: str, ready: tuple[tuple[str, str], ...] = PASS) -> Writer:
    writer = Writer(ledger, run=run, environment="prod", gates=(EXIT,))
    writer.start()
    writer.manifest()
    writer.checks(ready)
    writer.seal()
    return writer.decide()


def times(ledger: Ledger) -> list[int]:
    """When each decision of the gate was recorded."""
    found = ledger.oldest(RecordKind.DECISION, "demo", str(EXIT), "prod")
    return [record.at_us for record in found]


def test_a_second_look_that_changes_nothing_is_the_same_state(ledger: Ledger) -> None:
    decided(ledger, "r1")
    (second,) = decided(ledger, "r2").decisions
    assert first_decided(ledger, EXIT, "prod", second) == times(ledger)[0]


def test_a_state_that_comes_back_is_as_new(ledger: Ledger) -> None:
    """Who approved it before has not seen what happened in between."""
    (first,) = decided(ledger, "r1").decisions
    (held,) = decided(ledger, "r2", (("error", "no answer"),)).decisions
    decided(ledger, "r3")
    (last,) = decided(ledger, "r4").decisions
    assert last.substance_digest == first.substance_digest != held.substance_digest
    assert first_decided(ledger, EXIT, "prod", last) == times(ledger)[2]


def test_what_is_not_there_was_decided_when_it_says(ledger: Ledger) -> None:
    (first,) = decided(ledger, "r1").decisions
    tamper(ledger.name, "DELETE FROM records WHERE kind = 'decision'")
    assert first_decided(ledger, EXIT, "prod", first) > 0
