"""The matrix of a drill: what counts as caught, and what as nothing proven."""

from __future__ import annotations

import pytest

from pytest_rollout.drill.matrix import Named, matches, named, provable, row, sample
from pytest_rollout.model.drill import Cell, DrillOutcome, Rehearsal, exit_status
from pytest_rollout.model.plan import Gate, Phase
from pytest_rollout.model.verdict import Verdict
from tests.evidence.runs import plan_of

PLAN = """\
plan: p
phases:
  - id: one
    criteria:
      - {id: up, kind: demo, gate: entry, faults: [down]}
      - {id: fast, kind: demo, faults: [slow, "slow:ms=9,at=db", down]}
      - {id: free, kind: demo}
    guardrails:
      - {id: rail, metric: m, take: max, fail: "> 0", faults: [slow]}
"""
PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SLOW = Named("slow", {"fast": Gate.EXIT})


def phase() -> Phase:
    return plan_of(PLAN).phases[0]


def seen(trouble: str = "", **verdicts: Verdict) -> Rehearsal:
    """A rehearsal in which all passes that is not said to do otherwise."""
    known = {"up": PASS, "fast": PASS, "free": PASS, "rail": PASS}
    return Rehearsal({**known, **verdicts}, guardrails=frozenset({"rail"}), trouble=trouble)


def outcome(fault: Rehearsal, healthy: Rehearsal | None = None) -> DrillOutcome:
    """What became of `fast` under a fault."""
    return row(SLOW, healthy or seen(), fault).cells[0].outcome


def test_faults_come_in_the_order_of_the_plan_with_all_that_name_them() -> None:
    assert {one.fault: dict(one.by) for one in named(phase())} == {
        "down": {"up": Gate.ENTRY, "fast": Gate.EXIT},
        "slow": {"fast": Gate.EXIT, "rail": Gate.EXIT},
        "slow:at=db,ms=9": {"fast": Gate.EXIT},
    }


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        *(
            (verdict, DrillOutcome.CAUGHT)
            for verdict in Verdict
            if verdict.rank <= Verdict.WAIVED.rank
        ),
        (Verdict.WARN, DrillOutcome.MISSED),
        (Verdict.PASS, DrillOutcome.MISSED),
        (Verdict.NOT_APPLICABLE, DrillOutcome.MISSED),
    ],
)
def test_a_fault_is_caught_where_the_verdict_leaves_pass_and_warn(
    verdict: Verdict, expected: DrillOutcome
) -> None:
    assert outcome(seen(fast=verdict)) is expected


@pytest.mark.parametrize("verdict", [v for v in Verdict if v.holds_back or v is Verdict.WAIVED])
def test_what_does_not_pass_without_the_fault_proves_nothing(verdict: Verdict) -> None:
    healthy = seen(fast=verdict)
    assert outcome(seen(fast=FAIL), healthy) is DrillOutcome.UNPROVEN
    assert not provable(SLOW, healthy)
    assert provable(SLOW, seen(fast=Verdict.WARN))


def test_what_does_not_apply_here_is_not_asked() -> None:
    healthy = seen(fast=Verdict.NOT_APPLICABLE)
    assert outcome(seen(fast=Verdict.NOT_APPLICABLE), healthy) is DrillOutcome.NOT_APPLICABLE
    assert not provable(SLOW, healthy)


def test_a_guardrail_notices_where_it_is_no_longer_quiet() -> None:
    rail = Named("slow", {"rail": Gate.EXIT})
    assert row(rail, seen(), seen(rail=FAIL)).cells[0].outcome is DrillOutcome.CAUGHT
    assert row(rail, seen(), seen()).cells[0].outcome is DrillOutcome.MISSED


def test_a_broken_rehearsal_without_a_fault_proves_nothing() -> None:
    broken = Rehearsal(trouble="pytest ended with status 4")
    cell = row(SLOW, broken, seen(fast=FAIL)).cells[0]
    assert (cell.outcome, cell.because) == (
        DrillOutcome.UNPROVEN,
        "without the fault: pytest ended with status 4",
    )


def test_a_rehearsal_that_could_not_be_run_catches_nothing() -> None:
    cell = row(SLOW, seen(), seen("it took more than 5 s", fast=FAIL)).cells[0]
    assert (cell.outcome, cell.because) == (DrillOutcome.NOT_RUN, "it took more than 5 s")
    assert outcome(Rehearsal({"up": PASS})) is DrillOutcome.NOT_RUN, "it was not judged"


def test_where_nothing_can_be_measured_nobody_said_no() -> None:
    dead = seen(up=ERROR, fast=Verdict.MISSING, free=ERROR)
    assert outcome(dead) is DrillOutcome.COLLAPSED
    assert row(SLOW, seen(), dead).collapsed


def test_a_phase_that_collapses_with_something_seen_is_caught_and_marked() -> None:
    found = row(SLOW, seen(), seen(up=FAIL, fast=ERROR, free=ERROR))
    assert found.cells[0].outcome is DrillOutcome.CAUGHT
    assert found.collapsed
    assert not row(SLOW, seen(), seen(up=ERROR, fast=ERROR)).collapsed


def test_what_left_pass_unasked_is_shown_unless_it_was_not_passing_anyway() -> None:
    found = row(SLOW, seen(up=FAIL), seen(up=FAIL, fast=FAIL, free=ERROR, rail=FAIL))
    assert found.collateral == {"free": ERROR, "rail": FAIL}


@pytest.mark.parametrize(
    ("outcomes", "status"),
    [
        ([DrillOutcome.CAUGHT, DrillOutcome.CAUGHT], 0),
        ([DrillOutcome.CAUGHT, DrillOutcome.MISSED, DrillOutcome.NOT_RUN], 10),
        ([DrillOutcome.CAUGHT, DrillOutcome.NOT_RUN], 11),
        ([DrillOutcome.COLLAPSED], 11),
        ([DrillOutcome.UNPROVEN, DrillOutcome.CAUGHT], 11),
        ([DrillOutcome.NOT_APPLICABLE, DrillOutcome.CAUGHT], 0),
        ([DrillOutcome.NOT_APPLICABLE], 11),
        ([], 11),
    ],
)
def test_only_all_caught_is_a_yes(outcomes: list[DrillOutcome], status: int) -> None:
    assert exit_status(tuple(Cell("c", Gate.EXIT, one, None, "") for one in outcomes)) == status


@pytest.mark.parametrize(("total", "size"), [(20, 2), (7, 3), (5, 4), (3, 9)])
def test_samples_take_turns_until_every_fault_was_planted(total: int, size: int) -> None:
    faults = [Named(f"f{number}", {}) for number in range(total)]
    turns = [sample(faults, size, seed) for seed in range(-(-total // size))]
    assert {one.fault for taken in turns for one in taken} == {one.fault for one in faults}
    assert all(len(taken) == min(size, total) for taken in turns)
    assert sample(faults, size, 1) == sample(list(faults), size, 1)


def test_a_fault_is_meant_by_its_name_or_its_whole_text() -> None:
    text = "slow:at=db,ms=9"
    assert matches("slow", text)
    assert matches("slow:ms=9,at=db", text)
    assert not matches("slow:ms=8", text)
    assert not matches("slo", text)
