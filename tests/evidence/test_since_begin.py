"""What followed a begin, as the ledger has it: records that are lost let nothing pass."""

from __future__ import annotations

from typing import Any

import pytest

from pytest_rollout.evidence.bodies import PhaseBegun, StatementAmended, StoredEvent
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.evidence.since_begin import life_of
from pytest_rollout.judge.since_begin import statements_of
from pytest_rollout.model.life import RecordedChange, TargetReading
from pytest_rollout.model.verdict import Answer
from tests.evidence.runs import EXIT, PLAN, Place, Writer, opened, plan_of, tamper

LOOSER = PLAN.replace('pass: "<= 0"', 'pass: "<= 4"')


def of(text: str) -> dict[str, str]:
    return statements_of(plan_of(text).phases[0])


def begin(ledger: Ledger, **changes: Any) -> int:
    """The phase begins in prod on v0; returns the place of the record."""
    facts: dict[str, Any] = {"release": "v0", "configuration": None, "entry": "e", "asked": "a"}
    facts |= {"plan_digest": "p", "stated": of(PLAN), "targets": {"api": "http://a"}, **changes}
    body = PhaseBegun(type="begin", t_us=1, by="Ada", **facts)
    return PhaseLife(ledger, EXIT, "prod").record(body).record.sequence


def change(ledger: Ledger) -> None:
    PhaseLife(ledger, EXIT, "prod").record(StoredEvent(type="change", t_us=1, says="v1 is out"))


def amend(ledger: Ledger) -> None:
    people: dict[str, Any] = {"by": "Ada", "approved_by": "Bob", "why": "a guess"}
    words: dict[str, Any] = {"stated": "0", "amended": "4", "runs": 0, "failed": 0}
    digests = {"was": of(PLAN)["errors"], "now": of(LOOSER)["errors"]}
    what: dict[str, Any] = {"criterion": "errors", **people, **words, **digests}
    body = StatementAmended(type="amendment", t_us=2, **what)
    PhaseLife(ledger, EXIT, "prod").record(body)


def whole(ledger: Ledger) -> Writer:
    """A life with a change and an amendment, and a run of the exit that rests on both."""
    begin(ledger)
    change(ledger)
    amend(ledger)
    return Writer(ledger, "r1", "prod", LOOSER, gates=(EXIT,)).good(errors=(3, 3))


def test_a_life_is_read_as_it_was_recorded(ledger: Ledger) -> None:
    run = whole(ledger)
    life = run.read().world.life
    assert life is not None
    assert life.begin is not None
    assert (life.begin.by, life.begin.read) == ("Ada", {"release": "v0", "target api": "http://a"})
    kinds = [type(step) for step in life.since]
    assert kinds == [RecordedChange, TargetReading, TargetReading]
    (amendment,) = life.amendments
    assert (amendment.criterion, amendment.approved_by) == ("demo.canary.errors", "Bob")
    (decision,) = run.decisions
    assert decision.answer is Answer.GO
    assert [one.reason.code for one in decision.conditions] == ["amended", "begin.new-release"]


def test_a_recorded_change_covers_an_address_and_what_nobody_recorded_stays(
    ledger: Ledger,
) -> None:
    begin(ledger, release="v1")
    answers = []
    for run, address in (
        ("r0", "http://a"),
        ("r1", "http://b"),
        ("r2", "http://a"),
        ("r3", "http://b"),
    ):
        if run == "r1":
            change(ledger)
        asks = Writer(ledger, run, "prod", gates=(EXIT,), targets={"api": address})
        answers.append(asks.good().decisions[0])
    assert [one.answer for one in answers] == [Answer.GO, Answer.GO, Answer.HOLD, Answer.HOLD]
    assert [one.id for one in answers[3].reasons] == ["phase.drift"]


@pytest.mark.parametrize("type_", ["begin", "change", "amendment"])
@pytest.mark.parametrize("how", ["DELETE FROM records", "UPDATE records SET body = '{}'"])
def test_what_is_lost_of_it_lets_nothing_pass(place: Place, type_: str, how: str) -> None:
    with opened(place) as ledger:
        run = whole(ledger)
        assert run.judged().answer is Answer.GO
    tamper(place, f"{how} WHERE kind = 'event' AND body LIKE '%\"type\":\"{type_}\"%'")
    with opened(place) as ledger:
        again = Writer(ledger, "r1", "prod", LOOSER, gates=(EXIT,)).judged()
    assert again.answer is Answer.HOLD


def test_a_reading_that_is_lost_hides_no_drift(place: Place) -> None:
    with opened(place) as ledger:
        begin(ledger, release="v1")
        Writer(ledger, "r0", "prod", release="v7", gates=(EXIT,)).good()
        held = Writer(ledger, "r1", "prod", gates=(EXIT,)).good()
        assert [one.id for one in held.decisions[0].reasons] == ["phase.drift"]
    tamper(place, "DELETE FROM records WHERE run = 'r0' AND kind = 'release'")
    with opened(place) as ledger:
        again = Writer(ledger, "r1", "prod", gates=(EXIT,)).judged()
    assert again.answer is Answer.HOLD
    (cause,) = again.reasons
    assert "what followed the begin was damaged: records are missing" in str(cause.reason.facts)


@pytest.mark.parametrize("lost", ["change", "amendment"])
def test_without_one_of_them_it_never_passed(ledger: Ledger, lost: str) -> None:
    begin(ledger)
    if lost != "change":
        change(ledger)
    if lost != "amendment":
        amend(ledger)
    run = Writer(ledger, "r1", "prod", LOOSER, gates=(EXIT,)).good(errors=(3, 3))
    assert run.decisions[0].answer is Answer.HOLD


def test_what_came_after_the_run_is_no_part_of_its_world(ledger: Ledger) -> None:
    before = whole(ledger)
    begin(ledger, release="v7")
    change(ledger)
    assert before.judged().substance_digest == before.decisions[0].substance_digest


def test_each_begin_starts_anew(ledger: Ledger) -> None:
    whole(ledger)
    place = begin(ledger, stated=of(LOOSER), release="v1")
    run = Writer(ledger, "r2", "prod", LOOSER, gates=(EXIT,)).good(errors=(3, 3))
    assert (run.decisions[0].answer, run.decisions[0].amendments) == (Answer.GO, ())
    assert life_of(ledger, EXIT, "prod", ledger.head().sequence + 1).sequence == place


def test_a_begin_of_before_freezes_nothing(ledger: Ledger) -> None:
    begin(ledger, plan_digest="")
    run = Writer(ledger, "r1", "prod", LOOSER, gates=(EXIT,)).good(errors=(3, 3))
    (decision,) = run.decisions
    assert decision.answer is Answer.GO
    assert "phase.begun" not in [one.id for one in decision.demands]


def test_other_environments_and_rehearsals_have_lives_of_their_own(ledger: Ledger) -> None:
    begin(ledger)
    for environment in ("stage", "embedded"):
        run = Writer(ledger, environment, environment, LOOSER).good(errors=(3, 3))
        assert run.read().world.life is None
