"""Nights of a pinned release: collected while they are too few, compared with afterwards."""

from __future__ import annotations

from typing import Any

from pytest_rollout.evidence.bodies import PhaseBegun
from pytest_rollout.evidence.ledger import Ledger
from pytest_rollout.evidence.phase_life import PhaseLife
from pytest_rollout.judge.since_begin import statements_of
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.verdict import Answer
from tests.evidence.runs import EXIT, FAIL, PASS, PLAN, Writer, plan_of

DAY_US = 86_400_000_000
NIGHTLY = ', versus: {release: v1, as: nightly, baseline: 5}, pass: "<= 1.15"'
TEXT = PLAN.replace(', pass: "<= 0"', NIGHTLY).replace("take: max", "take: mean")


def night(
    ledger: Ledger,
    number: int,
    value: int,
    release: str = "v1",
    again: str = "",
    works: tuple[tuple[str, str], ...] = PASS,
) -> Decision:
    """What the exit decides of one run of a night."""
    one = Writer(ledger, f"{release}-{number}{again}", "prod", TEXT, release=release)
    one.good(errors=(value, value), t_us=number * DAY_US + 60_000_000 * len(again), works=works)
    return one.decisions[1]


def test_the_nights_of_the_release_itself_are_collected_whatever_they_say(ledger: Ledger) -> None:
    for number, value in enumerate((100, 103, 97, 140, 99)):
        decision = night(ledger, number, value)
        assert decision.answer is Answer.HOLD
        reason = decision.criteria[-1].parts[-1].reason
        assert (reason.code, reason.facts["n"]) == ("nightly.few", number)
    reason = night(ledger, 20, 100, "v2").criteria[-1].parts[-1].reason
    assert (reason.code, reason.facts["noise"]) == ("nightly.ask", "16.6 %")


def test_another_release_is_not_among_them(ledger: Ledger) -> None:
    for number in range(4):
        night(ledger, number, 100)
    night(ledger, 4, 100, "v2")
    assert night(ledger, 5, 100, "v2").criteria[-1].parts[-1].reason.facts["n"] == 4


def test_a_night_that_lacks_something_else_is_not_collected(ledger: Ledger) -> None:
    night(ledger, 0, 100, works=FAIL)
    assert night(ledger, 1, 100).criteria[-1].parts[-1].reason.facts["n"] == 0


def test_two_runs_of_one_night_are_one_night(ledger: Ledger) -> None:
    night(ledger, 0, 100)
    night(ledger, 0, 101, again="b")
    assert night(ledger, 1, 100).criteria[-1].parts[-1].reason.facts["n"] == 1


def test_a_night_is_confirmed_and_the_nights_before_it_are_read(ledger: Ledger) -> None:
    for number, value in enumerate((100, 103, 97, 101, 99)):
        night(ledger, number, value)
    first = night(ledger, 9, 150, "v2")
    assert first.criteria[-1].parts[-1].reason.code == "nightly.ask"
    second = night(ledger, 9, 150, "v2", "b")
    assert second.answer is Answer.NO_GO
    third = night(ledger, 10, 100, "v2")
    assert third.criteria[-1].parts[-1].reason.code == "nightly.ask"
    assert third.criteria[-1].parts[-1].reason.facts["nights"] == 2
    assert night(ledger, 20, 100, "v2").answer.value.startswith("GO")


def begin(ledger: Ledger, text: str) -> None:
    """The phase begins, with baselines frozen."""
    facts: dict[str, Any] = {"release": "v1", "configuration": None, "entry": "e", "asked": "a"}
    stated = statements_of(plan_of(text).phases[0])
    body = PhaseBegun(
        type="begin", t_us=1, by="A", baselines={}, plan_digest="p", stated=stated, **facts
    )
    PhaseLife(ledger, EXIT, "prod").record(body)


def test_pinned_nights_are_collected_after_the_begin_too(ledger: Ledger) -> None:
    begin(ledger, TEXT)
    for number in range(3):
        reason = night(ledger, number, 100).criteria[-1].parts[-1].reason
        assert (reason.code, reason.facts["n"]) == ("nightly.few", number)


def test_a_plain_comparison_with_the_same_release_stays_frozen(ledger: Ledger) -> None:
    plain = "take: max, pass: '<= 9', versus: {release: v1}"
    text = f"{TEXT.rstrip()}\n      - {{id: plain, kind: slo, metric: errors, {plain}}}\n"
    begin(ledger, text)
    for number in range(2):
        one = Writer(ledger, f"v1-{number}", "prod", text, release="v1")
        one.good(errors=(100, 100), t_us=number * DAY_US)
        assert one.read().world.past == ()


def test_a_suspicious_run_counts_once_its_release_was_accepted(ledger: Ledger) -> None:
    """Else the noise of a release that is pinned later would seem smaller than it is."""
    for number, value in enumerate((100, 103, 97, 101, 99)):
        night(ledger, number, value)
    assert night(ledger, 10, 106, "v2").answer is Answer.HOLD
    assert compared(ledger) == []
    assert night(ledger, 10, 99, "v2", "b").answer.value.startswith("GO")
    assert compared(ledger) == [99, 106]
    assert night(ledger, 11, 150, "v2").answer is Answer.HOLD
    assert night(ledger, 11, 150, "v2", "b").answer is Answer.NO_GO
    assert compared(ledger) == [99, 106]
    assert night(ledger, 20, 101, "v2").answer.value.startswith("GO")
    assert compared(ledger) == [99, 101, 106, 150]


def compared(ledger: Ledger) -> list[int]:
    """What a run that is compared with the nights of v2 reads of them, each night once."""
    text = TEXT.replace("release: v1", "release: v2")
    one = Writer(ledger, f"now-{ledger.head().sequence}", "prod", text, release="v3")
    one.start()
    one.manifest()
    one.checks()
    one.seal()
    values = (seen.value for seen in one.read().world.past if seen.release == "v2")
    return sorted({int(value[0][0]) for value in values if isinstance(value, tuple)})


def tonight(ledger: Ledger, run: str, values: tuple[int, ...], *, drill: str | None = None) -> str:
    """What the exit finds of a run that looks now; one without values was refused its load."""
    one = Writer(ledger, run, "prod", TEXT, release="v2", drill=drill)
    one.start()
    one.manifest()
    one.batch("t.py::test_ready")
    one.batch("t.py::test_works")
    works = PASS if values else (("missing", "its load was refused"),)
    one.batch("t.py::test_errors", works, values, one.ledger_now() - 2_000_000)
    one.seal()
    one.decide()
    return one.decisions[1].criteria[-1].parts[-1].reason.code


def test_a_refused_run_is_a_run_of_its_night(ledger: Ledger) -> None:
    for number, value in enumerate((100, 103, 97, 101, 99)):
        night(ledger, number, value)
    assert tonight(ledger, "a", (100, 100)) == "nightly.alike"
    assert tonight(ledger, "drill", (), drill="d") == "few"
    assert tonight(ledger, "b", (100, 100)) == "nightly.alike"


def test_a_refused_run_leaves_its_night_open(ledger: Ledger) -> None:
    for number, value in enumerate((100, 103, 97, 101, 99)):
        night(ledger, number, value)
    assert tonight(ledger, "a", ()) == "few"
    for run in ("b", "c", "d"):
        assert tonight(ledger, run, (100, 100)) == "nightly.unknown"
    one = Writer(ledger, "e", "prod", TEXT, release="v2").good()
    assert [tried.run for tried in one.read().world.tried] == ["a", "b", "c", "d"]
    assert "rollout-run:a" in {used.uri for used in one.read().world.inputs}
