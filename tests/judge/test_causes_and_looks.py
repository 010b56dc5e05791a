"""What a decision lists: conditions of earlier runs, all causes, and the level of each look."""

from __future__ import annotations

import dataclasses

import pytest

from pytest_rollout.judge import Case
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Attempt, FailedBefore, ReleaseFact
from pytest_rollout.model.finding import Estimate, Finding
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.report.trust import worth
from tests.judge.worlds import (
    AT,
    HEADER,
    NINE,
    SECOND,
    criterion,
    decided,
    guardrail,
    plan_of,
    samples,
    seen,
    text,
    told,
    world_of,
)

PASS, INCONCLUSIVE = Verdict.PASS, Verdict.INCONCLUSIVE


def estimate_of(finding: Finding) -> Estimate:
    """The measurement of a criterion without groups."""
    estimate = finding.parts[-1].estimate
    assert estimate is not None
    return estimate


# --- what an earlier run of the release saw ---------------------------------------------------

RELEASED = HEADER.replace("phases:", "release: {target: api, path: /version}\nphases:")
V1 = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))


def after(*failed: FailedBefore, phase: str = "", **world: object) -> Decision:
    plan = plan_of(phase or criterion(), header=RELEASED)
    run = {"environment": "prod", "releases": V1, **world}
    known = world_of(plan, **run)  # type: ignore[arg-type]
    return decided(plan, dataclasses.replace(known, failed_before=failed))


def test_a_hard_criterion_that_failed_before_carries_a_condition() -> None:
    first = FailedBefore("r-1", NINE - 3600 * SECOND, ("p.one.c",))
    decision = after(first, FailedBefore("r-2", NINE, ("p.one.c", "p.one.x")))
    assert decision.answer is Answer.GO
    (condition,) = decision.conditions
    assert (condition.id, condition.verdict) == ("p.one.c", PASS)
    assert (condition.owner, condition.due) == ("engineering", "the end of p")
    assert text(condition) == (
        "it failed earlier on release v1, in run r-1, ended 2025-11-10 08:00:00 EST; "
        "run r-2, ended 2025-11-10 09:00:00 EST"
    )
    clean = after()
    assert clean.conditions == ()
    assert clean.substance_digest != decision.substance_digest


@pytest.mark.parametrize(
    ("phase", "failed", "world"),
    [
        ("", "p.one.other", {}),
        ("", "p.one.c", {"environment": "embedded"}),
        ("", "p.one.c", {"sealed": False}),
        (
            "    criteria: [{id: ok, kind: load}, {id: c, kind: load, severity: soft}]\n",
            "p.one.c",
            {},
        ),
        (
            "    criteria: [{id: ok, kind: load, gate: entry}, {id: c, kind: load}]\n",
            "p.one.ok",
            {},
        ),
    ],
    ids=["of another", "in a rehearsal", "of an unsealed run", "soft", "of the other gate"],
)
def test_nothing_else_that_failed_before_is_a_condition(
    phase: str, failed: str, world: dict[str, object]
) -> None:
    before = FailedBefore("r-1", NINE, (failed,))
    assert after(before, phase=phase, **world).conditions == ()


def test_what_still_fails_is_a_reason_and_no_condition() -> None:
    before = FailedBefore("r-1", NINE, ("p.one.c",))
    decision = after(before, checks={"t.py::test_c": ()})
    assert (decision.answer, decision.conditions) == (Answer.HOLD, ())


# --- all that stands in the way, worst first --------------------------------------------------

MANY = """\
    criteria:
      - {id: missing, kind: load}
      - {id: fails, kind: load}
      - {id: ok, kind: load}
      - {id: open, kind: load, metric: o, take: max, pass: "< 1", need: 2}
      - {id: also-fails, kind: load}
      - {id: soft, kind: load, severity: soft}
    guardrails:
      - {id: paused, metric: m, take: max, fail: "> 1", then: [pause]}
      - {id: rolled, metric: m, take: max, fail: "> 1", then: [rollback]}
      - {id: warned, metric: m, take: max, fail: "> 1", then: [warn]}
      - {id: blind, metric: n, take: max, fail: "> 1", then: [notify]}
      - {id: quiet, metric: m, take: max, fail: "> 9", then: [rollback]}
"""


def test_everything_that_stands_in_the_way_is_listed_worst_first() -> None:
    plan = plan_of(MANY)
    bad = {"fails": Verdict.FAIL, "also-fails": Verdict.FAIL, "soft": Verdict.FAIL}
    checks = {f"t.py::test_{name}": [Attempt(verdict, "it broke")] for name, verdict in bad.items()}
    checks["t.py::test_missing"] = []
    observed = [*samples(5), *samples(0, series="o")]
    decision = decided(plan, world_of(plan, observed, checks=checks, partial=("-k",)))
    assert decision.answer is Answer.ROLLBACK
    assert [(cause.id, cause.answer.value, cause.state) for cause in decision.reasons] == [
        ("p.one.rolled", "ROLLBACK", "tripped"),
        ("p.one.fails", "NO-GO", ""),
        ("p.one.also-fails", "NO-GO", ""),
        ("run.whole", "HOLD", ""),
        ("run.reported", "HOLD", ""),
        ("p.one.missing", "HOLD", ""),
        ("p.one.open", "HOLD", ""),
        ("p.one.paused", "HOLD", "tripped"),
        ("p.one.blind", "HOLD", "blind"),
    ]
    assert [one.id for one in decision.conditions] == ["p.one.soft", "p.one.warned"]


def test_of_what_holds_the_worst_verdict_leads_whatever_the_order_of_the_plan() -> None:
    text = "    criteria:\n" + "".join(
        f"      - {{id: {name}, kind: demo}}\n" for name in ("open", "missing", "broken")
    )
    text = text.replace("{id: open, kind: demo}", "{id: open, kind: load, " + RATE + "}")
    plan = plan_of(text)
    checks = {"t.py::test_broken": [Attempt(Verdict.ERROR, "no answer")], "t.py::test_missing": []}
    decision = decided(plan, world_of(plan, samples(1), checks=checks))
    assert [cause.id for cause in decision.reasons if cause.id.startswith("p.")] == [
        "p.one.broken",
        "p.one.missing",
        "p.one.open",
    ]


def test_a_guardrail_that_rolls_back_and_is_blind_elsewhere_is_one_cause() -> None:
    rule = 'metric: m, each: {lane: [A, B]}, take: max, fail: "> 1"'
    plan = plan_of(guardrail(rule))
    decision = decided(plan, world_of(plan, samples(5, lane="A")))
    (cause,) = decision.reasons
    assert (cause.answer, cause.state) == (Answer.ROLLBACK, "tripped")
    assert told(decision)[0].startswith("p.one.g: lane A: tripped: max of m was 5")
    assert "lane B: blind: no sample of m was seen" in told(decision)[0]


# --- looks ------------------------------------------------------------------------------------

RATE = 'metric: m, take: rate, pass: ">= 0.9", confidence: 95%'


def look(number: int, good: int, *, environment: str = "prod", rule: str = RATE) -> Finding:
    """The finding of the k-th look at so many good samples."""
    plan = plan_of(criterion(rule))
    world = world_of(plan, [seen(1, n) for n in range(good)], environment=environment)
    return decided(plan, dataclasses.replace(world, looks=number)).criteria[0]


def test_the_level_of_a_look_is_said_where_looks_have_lowered_it() -> None:
    first, second, fourth = (text(look(number, 60)) for number in (1, 2, 4))
    assert "(at least 0.951297 at 95 % confidence)" in first
    assert (
        "(at least 0.94037 at 97.5 % confidence, which the 2nd evaluation of this release "
        "makes of 95 %)" in second
    )
    assert (
        "at 99.375 % confidence, which the 4th evaluation of this release makes of 95 %)" in fourth
    )
    assert estimate_of(look(2, 60)).confidence == "97.5 %"
    assert "at 97.5 % confidence)." in next(worth(estimate_of(look(2, 60))))
    assert "which look" not in text(look(2, 60, environment="embedded"))


@pytest.mark.parametrize(("number", "environment"), [(1, "prod"), (2, "prod"), (5, "embedded")])
@pytest.mark.parametrize("good", [1, 10, 27, 28])
def test_as_many_more_good_samples_as_are_asked_for_pass_at_the_next_run(
    number: int, environment: str, good: int
) -> None:
    finding = look(number, good, environment=environment)
    more = estimate_of(finding).more
    assert finding.verdict is INCONCLUSIVE
    assert more is not None
    following = number + 1
    assert look(following, good + more, environment=environment).verdict is PASS
    assert look(following, good + more - 1, environment=environment).verdict is INCONCLUSIVE


def test_a_share_counts_the_next_look_too() -> None:
    rule = 'metric: m, take: {share: "< 5"}, pass: ">= 0.9", confidence: 95%'
    more = estimate_of(look(1, 20, rule=rule)).more
    assert more == 36 - 20  # at 97.5 %, which the second look asks
    assert look(2, 36, rule=rule).verdict is PASS
    assert look(2, 35, rule=rule).verdict is INCONCLUSIVE


def test_a_watched_share_uses_no_looks() -> None:
    plan = plan_of(guardrail('metric: m, take: rate, fail: "< 0.9", confidence: 95%'))
    world = world_of(plan, [seen(int(n % 2), n) for n in range(30)], environment="prod")
    once, again = (
        judge_guardrail(
            Case(plan, plan.phases[0], dataclasses.replace(world, looks=number), AT),
            plan.phases[0].guardrails[0],
        )
        for number in (1, 8)
    )
    assert once == again
    assert once.state is State.TRIPPED
