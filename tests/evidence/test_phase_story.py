"""What a report tells of a phase: its events in order of time, and freezes with their end."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

from pytest_rollout.evidence import opening
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.phase_story import happened, unknown
from pytest_rollout.model.evidence import Lost
from pytest_rollout.model.story import Kind
from tests.evidence.runs import Writer
from tests.judge.worlds import plan_of
from tests.report import report_decisions as given


def test_a_freeze_lasts_until_it_is_lifted_and_not_until_somebody_says_so(tmp_path: Path) -> None:
    decision, (phase, *_) = given.decision(), plan_of("    title: One\n").phases
    events = [("freeze", 10, "stand-up"), ("change", 20, "resume traffic"), ("resume", 30, "over")]
    with closing(opening.to_write(str(tmp_path / "ledger.db"))) as ledger:
        life = PhaseLife(ledger, decision.address, decision.environment)
        for type_, at_us, says in reversed(events):
            life.record(StoredEvent(type=type_, t_us=at_us, says=says))
        told = happened(ledger, decision, phase)
    assert [(one.kind, one.at_us) for one in told] == [
        (Kind.FREEZE, 10),
        (Kind.CHANGE, 20),
        (Kind.RESUME, 30),
    ]
    assert told[0].until_us == 30


def test_what_a_run_may_have_seen_is_unknown_from_its_begin(tmp_path: Path) -> None:
    with closing(opening.to_write(str(tmp_path / "ledger.db"))) as ledger:
        writer = Writer(ledger, run="r1")
        writer.start()
        (began, *_) = ledger.of_run("r1")
        later = began.at_us + 5_000_000
        lost = [Lost("r1", later, "it was killed"), Lost("gone", later, "it is not here")]
        told = list(unknown(ledger, lost))
    assert [(one.kind, one.at_us, one.until_us) for one in told] == [
        (Kind.UNKNOWN, began.at_us, later)
    ]
    assert told[0].says == "run r1: it was killed"
