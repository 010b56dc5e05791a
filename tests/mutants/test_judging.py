"""What rehearsals with a mutant show beside the healthy one."""

from __future__ import annotations

import pytest

from pytest_rollout.model.drill import Demanded, Rehearsal
from pytest_rollout.model.mutants import Mutant, MutantOutcome
from pytest_rollout.model.mutation import MutantResult, Trial, Weight
from pytest_rollout.model.plan import Gate, Phase
from pytest_rollout.model.verdict import Verdict
from pytest_rollout.mutants import judging
from tests.evidence.runs import plan_of

MUTANT = Mutant("app.py:1", "app.py", 1, "number", "1", "2", 0, 1, "2")
PLAN = """\
plan: p
phases:
  - id: one
    criteria:
      - {id: hard, kind: demo, gate: entry}
      - {id: soft, kind: demo, severity: soft}
      - {id: free, kind: demo, severity: optional}
    guardrails:
      - {id: stops, metric: m, take: max, fail: "> 0", then: pause}
      - {id: warns, metric: m, take: max, fail: "> 0", then: warn}
"""
FAIL, ERROR = Verdict.FAIL, Verdict.ERROR
NAMES = ("hard", "soft", "free", "stops", "warns")
RELEASE = Demanded("run.release", Gate.EXIT, Verdict.MISSING, "no release")


def phase() -> Phase:
    return plan_of(PLAN).phases[0]


def seen(trouble: str = "", *demands: Demanded, **verdicts: Verdict) -> Rehearsal:
    """A rehearsal in which all passes that is not said to do otherwise."""
    known = {**dict.fromkeys(NAMES, Verdict.PASS), **verdicts}
    rails = frozenset({"stops", "warns"})
    return Rehearsal(known, guardrails=rails, trouble=trouble, demands=demands)


def tried(with_it: Rehearsal, healthy: Rehearsal | None = None, *, hung: bool = False) -> Trial:
    return judging.trial(phase(), healthy or seen(), with_it, ("hard",), hung=hung)


def came_to(*rehearsals: Rehearsal) -> MutantResult:
    return judging.result(MUTANT, [tried(one) for one in rehearsals])


@pytest.mark.parametrize(
    ("verdicts", "weight"),
    [
        ({}, None),
        ({"hard": FAIL}, Weight.HARD),
        ({"hard": Verdict.HOLD}, Weight.HARD),
        ({"hard": Verdict.WARN}, None),
        ({"hard": Verdict.NOT_APPLICABLE}, None),
        ({"soft": FAIL}, Weight.SOFT),
        ({"soft": FAIL, "free": FAIL}, Weight.SOFT),
        ({"free": FAIL}, Weight.OPTIONAL),
        ({"stops": FAIL}, Weight.HARD),
        ({"warns": FAIL}, Weight.SOFT),
        ({"warns": Verdict.MISSING}, Weight.HARD),  # a blind guardrail holds the gate
    ],
    ids=str,
)
def test_the_strongest_that_left_pass_counts(
    verdicts: dict[str, Verdict], weight: Weight | None
) -> None:
    assert tried(seen("", **verdicts)).weight is weight


def test_what_does_not_pass_without_the_mutant_notices_nothing() -> None:
    assert tried(seen(hard=FAIL), seen(hard=FAIL)).notices == ()
    assert tried(seen("", RELEASE), seen("", RELEASE)).notices == ()


def test_what_is_asked_of_the_run_itself_notices_as_a_hard_criterion() -> None:
    (notice,) = tried(seen("", RELEASE)).notices
    assert (notice.id, notice.gate, notice.weight) == ("run.release", Gate.EXIT, Weight.HARD)
    result = came_to(seen("", RELEASE))
    assert result.outcome is MutantOutcome.HARD
    assert result.as_error


def test_a_criterion_that_is_gone_is_missing() -> None:
    gone = Rehearsal({name: Verdict.PASS for name in NAMES if name != "hard"})
    assert [(one.id, one.verdict) for one in tried(gone).notices] == [("hard", Verdict.MISSING)]


def test_a_phase_in_which_nothing_could_be_measured_proves_nothing() -> None:
    dead = seen(hard=ERROR, soft=ERROR, free=Verdict.MISSING)
    assert tried(dead).weight is None
    assert came_to(dead).outcome is MutantOutcome.BROKEN
    assert came_to(seen(hard=ERROR, soft=ERROR)).outcome is MutantOutcome.HARD


def test_errors_are_told_from_failures() -> None:
    assert came_to(seen(hard=ERROR)).as_error
    assert not came_to(seen(hard=ERROR, stops=FAIL)).as_error
    assert not came_to(seen(soft=ERROR)).as_error


def test_a_hard_notice_of_a_later_phase_counts_whatever_came_before() -> None:
    dead = seen(hard=ERROR, soft=ERROR, free=ERROR)
    assert came_to(dead, seen(hard=FAIL)).outcome is MutantOutcome.HARD
    assert came_to(seen(soft=FAIL), seen(hard=FAIL)).outcome is MutantOutcome.HARD
    assert came_to(seen(free=FAIL), seen()).outcome is MutantOutcome.OPTIONAL
    assert came_to(dead, seen()).outcome is MutantOutcome.SURVIVED
    assert came_to(dead, seen(soft=FAIL)).outcome is MutantOutcome.SOFT


def test_what_hangs_is_said_apart() -> None:
    slow = tried(seen("it took more than 9 s"), hung=True)
    assert judging.result(MUTANT, [tried(seen()), slow]).outcome is MutantOutcome.HUNG
    assert judging.result(MUTANT, [slow]).because == "it took more than 9 s"
    assert judging.result(MUTANT, []).outcome is MutantOutcome.NOT_RUN_THROUGH


def test_phases_are_tried_until_one_settles_it() -> None:
    dead = tried(seen(hard=ERROR, soft=ERROR, free=ERROR))
    assert not judging.settled([])
    assert not judging.settled([tried(seen(soft=FAIL))])
    assert judging.settled([tried(seen(soft=FAIL)), tried(seen(hard=FAIL))])
    assert not judging.settled([dead])
    assert judging.settled([dead, tried(seen("pytest ended with status 3"))])
    assert judging.settled([tried(seen("it took more than 9 s"), hung=True)])


@pytest.mark.parametrize(
    ("healthy", "why"),
    [
        (seen(), ""),
        (seen("it took more than 9 s"), "it took more than 9 s"),
        (Rehearsal({"hard": FAIL}), "nothing of it passes without a mutant"),
    ],
    ids=["passes", "trouble", "fails"],
)
def test_a_phase_that_does_not_pass_without_a_mutant_is_not_asked(
    healthy: Rehearsal, why: str
) -> None:
    assert judging.usable(healthy) == why
