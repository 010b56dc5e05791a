"""Runs that were ended early: what of them counts, and what a settlement lifts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.evidence.contrary import contrary
from pytest_rollout.evidence.history import last_full_run
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind, seal_digest
from pytest_rollout.evidence.settlements import known_at, settle
from pytest_rollout.evidence.verify import verify
from pytest_rollout.model.evidence import decode
from pytest_rollout.model.settlement import Settlement
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import sentences
from tests.evidence.runs import EXIT, FAIL, PASS, Place, Writer, copied, opened, reaching
from tests.evidence.test_merging import joined

SPAN = reaching("{span: 7d}")
ENDED = "the run was ended by SIGTERM"


def prod(ledger: Ledger, run: str, text: str = SPAN, **more: Any) -> Writer:
    return Writer(ledger, run, "prod", text, **more)


def begun(ledger: Ledger, run: str, **more: Any) -> Writer:
    """A run of which one check has ended, a moment ago."""
    writer = prod(ledger, run, **more)
    writer.start()
    writer.manifest()
    writer.batch("t.py::test_ready")
    return writer


def cancel(run: Writer, *problems: str, release: bool = True) -> None:
    """A signal ends a run, which is sealed then."""
    if release:
        run.identify("end")
    records = run.ledger.of_run(run.run)
    body = {
        "problems": [ENDED, *problems],
        "records": len(records),
        "digest": seal_digest(record.hash for record in records),
        "cancelled": ENDED,
    }
    run.append(RecordKind.SEAL, body)


def saw(run: Writer, *errors: int, item: str = "t.py::test_errors") -> Writer:
    """A check of a run ended just now, and observed something."""
    t_us = run.ledger_now() - 3_000_000
    run.batch(item, errors=errors, t_us=t_us)
    return run


def good(ledger: Ledger, run: str) -> Writer:
    whole = begun(ledger, run)
    whole.batch("t.py::test_works")
    saw(whole, 0, 0, 0).seal()
    return whole.decide()


def settled(ledger: Ledger, run: str) -> Settlement:
    return settle(ledger, EXIT, "prod", Settlement(run, "A. Person", "a push came", 1, ""))


def why(run: Writer) -> list[str]:
    return [sentences.text(cause.reason, "UTC") for cause in run.judged().reasons]


def test_what_ended_counts_and_the_rest_is_unknown_for_as_long_as_the_rule_reaches(
    ledger: Ledger,
) -> None:
    early = saw(begun(ledger, "early"), 0, 0)
    cancel(early)
    last = early.ledger_now()
    run = good(ledger, "r1")
    world = run.read().world
    values = [one.value for one in world.seen if one.run == "early"]
    assert values == [decode("0")] * 2
    (lost,) = world.lost
    assert (lost.run, lost.ended_early) == ("early", True)
    assert lost.why == f"{ENDED}; 1 of its checks did not finish"
    assert last <= lost.t_us
    assert run.judged().answer is Answer.HOLD
    (reason,) = why(run)
    assert "1 of 6 samples of errors cannot be judged: run early: " in reason
    assert "counts as unknown until 20" in reason


def test_a_cancelled_run_that_finished_all_of_its_checks_loses_nothing(ledger: Ledger) -> None:
    early = saw(begun(ledger, "early"), 0, 0)
    early.batch("t.py::test_works")
    cancel(early)
    run = good(ledger, "r1")
    assert run.read().world.lost == ()
    assert run.judged().answer is Answer.GO


@pytest.mark.parametrize("verdict", ["error", "missing"])
def test_a_check_that_was_broken_off_did_not_finish(ledger: Ledger, verdict: str) -> None:
    early = saw(begun(ledger, "early"), 0, 0)
    early.batch("t.py::test_works", ((verdict, "KeyboardInterrupt"),))
    cancel(early)
    assert len(good(ledger, "r1").read().world.lost) == 1


def test_bad_values_of_a_cancelled_run_count(ledger: Ledger) -> None:
    cancel(saw(begun(ledger, "early"), 1))
    run = good(ledger, "r1")
    assert run.judged().answer is Answer.NO_GO
    settled(ledger, "early")
    assert good(ledger, "r2").judged().answer is Answer.NO_GO


@pytest.mark.parametrize("how", ["a worker wrote rubbish", "no release at its end"])
def test_a_cancelled_run_with_other_troubles_is_holes_whatever_people_say(
    ledger: Ledger, how: str
) -> None:
    early = saw(begun(ledger, "early"), 0, 0)
    problems = (how,) if "worker" in how else ()
    cancel(early, *problems, release=bool(problems))
    settled(ledger, "early")
    world = good(ledger, "r1").read().world
    assert {type(one.value).__name__ for one in world.seen if one.run == "early"} == {"Hole"}


@pytest.mark.parametrize("end", ["cancelled", "killed", "stopped"])
def test_a_settlement_lifts_what_was_not_finished_and_is_a_condition(
    ledger: Ledger, end: str
) -> None:
    early = saw(begun(ledger, "early"), 0, 0)
    if end == "cancelled":
        cancel(early)
    elif end == "stopped":
        early.stop("the run was stopped by an internal error")
    before = good(ledger, "r1")
    told = settled(ledger, "early")
    run = good(ledger, "r2")
    decision = run.judged()
    assert before.judged().answer is Answer.HOLD, "what is said later changes nothing before"
    assert decision.answer is Answer.GO
    (condition,) = [one for one in decision.conditions if one.id == "run.settled"]
    assert (condition.verdict, condition.owner) == (Verdict.WARN, "sre")
    assert f"by {told.by}: {told.why}" in sentences.text(condition.reason, "UTC")
    assert run.read().world.settled == (told,)
    named = [one.uri for one in decision.inputs]
    assert "rollout-run:early" in named
    assert [uri for uri in named if uri.startswith("rollout-event:demo.canary@")]
    assert verify(ledger, ()).problems == ()


def test_a_settlement_of_another_phase_or_environment_lifts_nothing(ledger: Ledger) -> None:
    cancel(begun(ledger, "early"))
    settle(ledger, EXIT, "staging", Settlement("early", "A", "B", 1, ""))
    other = type(EXIT)("demo", "other", EXIT.gate)
    settle(ledger, other, "prod", Settlement("early", "A", "B", 1, ""))
    assert good(ledger, "r1").judged().answer is Answer.HOLD


def last(ledger: Ledger) -> str:
    asked = last_full_run(ledger, EXIT, "prod")
    assert asked is not None
    return asked.run


def test_the_run_before_is_the_last_full_one_again(ledger: Ledger) -> None:
    good(ledger, "r1")
    cancel(begun(ledger, "early"))
    assert last(ledger) == "early"
    settled(ledger, "early")
    assert last(ledger) == "r1"


def test_a_run_that_ended_by_itself_is_never_passed_over(ledger: Ledger) -> None:
    good(ledger, "r1")
    bad = begun(ledger, "bad")
    bad.batch("t.py::test_works", FAIL)
    bad.seal()
    settled(ledger, "bad")
    assert last(ledger) == "bad"


@pytest.mark.parametrize(("works", "against"), [(PASS, 0), (FAIL, 1)])
def test_a_settled_run_that_saw_a_check_fail_stands_against_the_decision(
    ledger: Ledger, works: tuple[tuple[str, str], ...], against: int
) -> None:
    good(ledger, "r1")
    early = begun(ledger, "early")
    early.batch("t.py::test_works", works)
    settled(ledger, "early")
    asked = last_full_run(ledger, EXIT, "prod")
    assert asked is not None
    assert asked.run == "r1"
    others = contrary(ledger, EXIT, "prod", asked, "v1", running=lambda _: False)
    assert [one.run for one in others if one.failed] == ["early"] * against
    assert len(others) == against


@pytest.mark.parametrize("knew", [False, True], ids=["a-part", "all"])
def test_a_settlement_counts_where_its_ledger_held_all_of_the_run(
    place: Place, tmp_path: Path, *, knew: bool
) -> None:
    with opened(place) as ledger:
        good(ledger, "r1")
        early = begun(ledger, "early")
        if knew:
            saw(early, 0)
    copy = copied(place, tmp_path)
    with opened(place) as ledger:
        early = prod(ledger, "early")
        if not knew:
            saw(early, 9)
        settle(ledger, EXIT, "staging", Settlement("other", "A", "B", 1, ""))
    with opened(copy) as ledger:
        settled(ledger, "early")
        assert last(ledger) == "r1"
    joined(place, copy)
    with opened(place) as ledger:
        assert [*known_at(ledger, EXIT.name, "prod")] == ["early"] * knew
        assert last(ledger) == ("r1" if knew else "early")
        settled(ledger, "early")  # now all of it is known
        assert last(ledger) == "r1"


def test_what_a_run_writes_after_it_was_settled_is_not_settled(ledger: Ledger) -> None:
    good(ledger, "r1")
    early = begun(ledger, "early")
    settled(ledger, "early")
    assert last(ledger) == "r1"
    saw(early, 9)
    assert last(ledger) == "early"
