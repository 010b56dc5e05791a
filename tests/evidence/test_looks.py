"""Which looks of a release a decision counts, and what it knows to have failed in them."""

from __future__ import annotations

import pytest

from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.records import RecordKind
from pytest_rollout.model.plan import EMBEDDED
from pytest_rollout.model.verdict import Answer
from pytest_rollout.report.stored import to_json
from tests.evidence.runs import ENTRY, EXIT, FAIL, PLAN, Place, Writer, opened, tamper
from tests.words import because, reasons

SOFT = PLAN.replace("id: works, kind: demo", "id: works, kind: demo, severity: soft")


def look(ledger: Ledger, run: str, **more: object) -> Writer:
    """A whole run in prod that was decided; `works` fails where `works=FAIL`."""
    seen = {key: more.pop(key) for key in ("works", "errors") if key in more}
    facts = {"environment": "prod", **more}
    return Writer(ledger, run, **facts).good(**seen)  # type: ignore[arg-type]


def looks(ledger: Ledger, run: str, **more: object) -> int:
    """How many looks its exit gate counts."""
    return look(ledger, run, **more).decisions[1].looks


def failed(writer: Writer) -> list[tuple[str, tuple[str, ...]]]:
    """What its exit gate knows to have failed before it: run and criteria."""
    found = writer.read(EXIT).world.failed_before
    ends = [_sealed_us(writer.ledger, one.run) for one in found]
    assert [one.ended_us for one in found] == ends == sorted(ends)
    return [(one.run, one.criteria) for one in found]


def _sealed_us(ledger: Ledger, run: str) -> int:
    (seal,) = [one for one in ledger.of_run(run) if one.kind is RecordKind.SEAL]
    return seal.at_us


def test_looks_are_counted_and_partial_runs_and_drills_are_none(ledger: Ledger) -> None:
    assert looks(ledger, "r1", works=FAIL) == 1
    assert looks(ledger, "r2", drill="x") == 1
    assert looks(ledger, "r3", partial=["-k"]) == 1
    assert looks(ledger, "r4", release="v2") == 1
    assert looks(ledger, "r5") == 2
    assert looks(ledger, "r7", release="v2") == 2
    assert looks(ledger, "r8") == 3


def test_a_rehearsal_is_no_look(ledger: Ledger) -> None:
    assert looks(ledger, "r1", environment=EMBEDDED, works=FAIL) == 0
    again = look(ledger, "r2", environment=EMBEDDED)
    assert (again.decisions[1].looks, failed(again)) == (0, [])
    assert looks(ledger, "r3") == 1


def test_a_rehearsal_that_is_damaged_is_no_look_either(ledger: Ledger) -> None:
    run = look(ledger, "r1", environment=EMBEDDED)
    tamper(ledger.name, "UPDATE records SET body = '?' WHERE run = 'r1' AND kind = 'manifest'")
    assert (run.judged().answer, run.judged().looks) == (Answer.HOLD, 0)


def test_looks_count_where_no_release_is_read(ledger: Ledger) -> None:
    assert [looks(ledger, run, release=None) for run in ("r1", "r2", "r3")] == [1, 2, 3]


def at_once(ledger: Ledger) -> None:
    """Two runs that both fail and know nothing of each other."""
    pair = [Writer(ledger, run, "prod") for run in ("r1", "r2")]
    for run in pair:
        run.start()
        run.manifest()
        run.checks(FAIL)
    for run in pair:
        run.seal()
    for run in pair:
        run.decide()


def test_looks_that_are_decided_at_the_same_time_all_count(ledger: Ledger) -> None:
    at_once(ledger)
    assert looks(ledger, "r3") == 3
    assert looks(ledger, "r4") == 4


def test_what_failed_before_is_known_to_each_later_look(ledger: Ledger) -> None:
    first = look(ledger, "r1", works=FAIL)
    assert failed(first) == []
    both = look(ledger, "r2", works=FAIL, errors=(0, 5))
    assert failed(both) == [("r1", ("demo.canary.works",))]
    known = [*failed(both), ("r2", ("demo.canary.works", "demo.canary.errors"))]
    assert [failed(look(ledger, run)) for run in ("r3", "r4")] == [known, known]


def test_a_go_says_what_failed_before_and_in_which_run(ledger: Ledger) -> None:
    look(ledger, "r1", works=FAIL)
    again = look(ledger, "r2")
    decision = again.decisions[1]
    assert decision.answer is Answer.GO
    (condition,) = decision.conditions
    assert (condition.id, condition.owner) == ("demo.canary.works", "sre")
    said = because(condition, decision.timezone)
    assert said.startswith("it failed earlier on release v1, in run r1, ended ")
    look(ledger, "r3", works=FAIL)
    assert to_json(again.judged()) == to_json(decision)


def test_what_failed_elsewhere_or_in_part_or_was_not_hard_is_not_meant(ledger: Ledger) -> None:
    look(ledger, "r1", works=FAIL, release="v2")
    look(ledger, "r2", works=FAIL, drill="x")
    look(ledger, "r3", works=FAIL, partial=["-k"])
    look(ledger, "r4", works=FAIL, environment=EMBEDDED)
    look(ledger, "r5", works=FAIL, text=SOFT)
    look(ledger, "r6", works=(("missing", "skipped"),))
    last = look(ledger, "r7")
    assert failed(last) == []
    assert last.read(ENTRY).world.failed_before == ()
    assert last.decisions[1].conditions == ()


def test_looks_at_the_same_time_all_say_what_failed(ledger: Ledger) -> None:
    at_once(ledger)
    both = [("r1", ("demo.canary.works",)), ("r2", ("demo.canary.works",))]
    assert [failed(look(ledger, run)) for run in ("r3", "r4")] == [both, both]


def test_a_later_release_does_not_make_an_earlier_one_forgotten(ledger: Ledger) -> None:
    look(ledger, "r1", works=FAIL)
    look(ledger, "r2", works=FAIL, release="v2")
    assert failed(look(ledger, "r3")) == [("r1", ("demo.canary.works",))]
    assert failed(look(ledger, "r4", release="v2")) == [("r2", ("demo.canary.works",))]


def test_records_that_do_not_say_what_failed_are_read_one_by_one(ledger: Ledger) -> None:
    """As older versions wrote them, and as those do that could not read what came before."""
    for number in (1, 2):
        run = Writer(ledger, f"r{number}", "prod", gates=())
        run.good(works=FAIL if number == 1 else (("pass", ""),))
        decision = run.judged()
        body = {"document": to_json(decision), "look": True, "release": "v1"}
        run.append(RecordKind.DECISION, body, "demo", str(EXIT))
    third = look(ledger, "r3")
    assert [run for run, _ in failed(third)] == ["r1"]
    assert third.decisions[1].looks == 3
    assert [run for run, _ in failed(look(ledger, "r4"))] == ["r1"]


@pytest.mark.parametrize(
    "change", ["body = '?'", "body = replace(body, 'NO-GO', 'GO')", "body = '{\"look\": 1}'"]
)
def test_a_look_that_cannot_be_read_still_counts_and_is_damage(place: Place, change: str) -> None:
    with opened(place) as ledger:
        for run in ("r1", "r2", "r3"):
            look(ledger, run, works=FAIL)
        tamper(
            place,
            f"UPDATE records SET {change} WHERE run = 'r3' AND kind = 'decision'",
        )
        for number, run in enumerate(("r4", "r5"), 4):  # r5 does not believe r4 either
            held = look(ledger, run).decisions[1]
            assert (held.answer, held.looks) == (Answer.HOLD, number)
            assert f"an earlier decision of {EXIT}, cannot be read" in reasons(held)[0]
        assert look(ledger, "r6", release="v2").decisions[1].answer is Answer.HOLD


def test_what_a_run_could_not_know_it_does_not_say(ledger: Ledger) -> None:
    """One that is not sealed knows nothing of those before it, so the next one reads on."""
    look(ledger, "r1", works=FAIL)
    stopped = Writer(ledger, "r2", "prod")
    stopped.start()
    stopped.manifest()
    stopped.stop("Ctrl-C")
    stopped.decide()
    third = look(ledger, "r3")
    assert (third.decisions[1].looks, [run for run, _ in failed(third)]) == (3, ["r1"])
