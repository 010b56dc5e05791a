"""What a waiver lifts when a change is to start, and which waivers a GO still rests on."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waiver, Waives
from pytest_rollout.signoff.clearance import Clearance, GateFacts, clearance
from tests.signoff.test_clearance import decision_of, plan
from tests.words import because

STAND_UP = "2025-11-10T10:40:00-05:00"
SATURDAY = "2025-11-15T03:00:00-05:00"
DATED = '    date: 2025-11-10\n    hours: "09:00-10:30"\n'


def waiver(
    kind: Waives, what: str, until: str = "2025-11-30", release: str | None = None
) -> Waiver:
    last = dt.date.fromisoformat(until)
    return Waiver(kind, "one", what, "agreed", "A. One", "B. Two", last, release=release)


def cleared(
    at: str, *waivers: Waiver, more: str = "", required: dict[str, str] | None = None
) -> Clearance:
    """The clearance of the entry gate, decided good on Monday at ten, with waivers."""
    judged = plan(more)
    judged = replace(
        judged,
        waivers=waivers,
        environments={
            name: replace(one, max_age_us=None) for name, one in judged.environments.items()
        },
    )
    decision = decision_of(judged)
    known = GateFacts("r1", decision, decision, release="v1", required=required or {})
    moment = dt.datetime.fromisoformat(at)
    return clearance(judged, Address("p", "one", Gate.ENTRY), known, moment)


def states(answer: Clearance) -> list[str]:
    """What the calendar and the prerequisites came to."""
    names = ("clearance.window", "clearance.requires")
    return [one.verdict.value for one in answer.findings if one.id in names]


@pytest.mark.parametrize(
    ("at", "more", "opening"),
    [
        (STAND_UP, "", "freeze"),
        (SATURDAY, "", "change"),
        ("2025-11-10T10:50:00-05:00", DATED, "phase"),
    ],
)
def test_each_sort_of_window_has_a_waiver_of_its_own(at: str, more: str, opening: str) -> None:
    assert cleared(at, more=more).answer is Answer.HOLD
    answer = cleared(at, waiver(Waives.WINDOW, opening), more=more)
    assert (answer.answer, states(answer)) == (Answer.GO, ["waived"])
    (finding,) = [one for one in answer.findings if one.verdict is Verdict.WAIVED]
    assert because(finding).endswith("waived until 2025-11-30, approved by B. Two: agreed")
    others = [waiver(Waives.WINDOW, one) for one in ("freeze", "change", "phase") if one != opening]
    assert cleared(at, *others, more=more).answer is Answer.HOLD


def test_all_that_stands_against_a_moment_must_be_waived() -> None:
    freeze = waiver(Waives.WINDOW, "freeze")
    assert states(cleared(STAND_UP, freeze, more=DATED)) == ["missing", "waived"]
    both = cleared(STAND_UP, freeze, waiver(Waives.WINDOW, "phase"), more=DATED)
    assert (both.answer, states(both)) == (Answer.GO, ["waived", "waived"])


def test_an_open_window_needs_no_waiver() -> None:
    answer = cleared("2025-11-10T11:00:00-05:00", waiver(Waives.WINDOW, "change"))
    assert states(answer) == ["pass"]


def test_a_waiver_of_a_window_ends_with_its_day_and_release() -> None:
    over = cleared(SATURDAY, waiver(Waives.WINDOW, "change", "2025-11-14"))
    assert over.answer is Answer.HOLD
    assert "its waiver expired at the end of 2025-11-14" in because(over.findings[0])
    assert cleared(SATURDAY, waiver(Waives.WINDOW, "change", "2025-11-15")).answer is Answer.GO
    other = waiver(Waives.WINDOW, "change", release="v0")
    assert cleared(SATURDAY, other).answer is Answer.HOLD
    mine = waiver(Waives.WINDOW, "change", release="v1")
    assert cleared(SATURDAY, other, mine).answer is Answer.GO


@pytest.mark.parametrize(
    ("answered", "clear"),
    [("HOLD", True), ("NO-GO", True), ("ROLLBACK", False), ("undecided", False)],
)
def test_a_prerequisite_that_was_looked_at_can_be_waived(answered: str, *, clear: bool) -> None:
    required = {} if answered == "undecided" else {"zero": answered}
    requires = "    requires: [zero]\n"
    at = "2025-11-10T11:00:00-05:00"
    bare = cleared(at, more=requires, required=required)
    assert bare.answer is Answer.HOLD
    answer = cleared(at, waiver(Waives.REQUIRES, "zero"), more=requires, required=required)
    assert (answer.answer is Answer.GO) is clear
    assert states(answer)[0] == ("waived" if clear else "missing")


def resting(*, today: tuple[Waiver, ...], at: str = "2025-11-10T11:00:00-05:00") -> Clearance:
    """The clearance of a GO that rests on a waiver of `ready`, with the waivers of today."""
    judged = plan()
    phase = judged.phases[0]
    good = replace(phase.criteria[0], id="good")
    phases = (replace(phase, criteria=(*phase.criteria, good)), *judged.phases[1:])
    judged = replace(judged, phases=phases, waivers=(waiver(Waives.CRITERION, "ready"),))
    decision = decision_of(judged, verdict=Verdict.FAIL)
    assert decision.answer is Answer.GO
    known = GateFacts("r1", decision, decision, release="v1")
    now = dt.datetime.fromisoformat(at)
    return clearance(
        replace(judged, waivers=today), Address("p", "one", Gate.ENTRY), known, now, 10**15
    )


def test_the_waivers_of_a_go_must_still_stand() -> None:
    mine = waiver(Waives.CRITERION, "ready")
    assert resting(today=(mine,)).answer is Answer.GO
    for today in ((), (replace(mine, reason="another"),), (replace(mine, approver="C"),)):
        answer = resting(today=today)
        assert answer.answer is Answer.HOLD
        (found,) = [because(one) for one in answer.findings if one.verdict.holds_back]
        assert found == "the waiver of p.one.ready was changed or withdrawn since"
    moved = replace(mine, file="elsewhere.yaml", line=99)
    assert resting(today=(moved,)).answer is Answer.GO


def test_a_go_ends_with_the_waiver_it_rests_on() -> None:
    mine = waiver(Waives.CRITERION, "ready")
    late = resting(today=(mine,), at="2025-12-01T11:00:00-05:00")
    found = [because(one) for one in late.findings if one.verdict.holds_back]
    assert "the waiver of p.one.ready expired at the end of 2025-11-30" in found
