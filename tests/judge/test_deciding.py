"""From findings to the decision of a gate."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.evidence import Attempt, ReleaseFact, World
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.model.verdict import Answer, Verdict, worst, worst_answer
from pytest_rollout.report.stored import to_json
from tests.judge.worlds import (
    AT,
    HEADER,
    criterion,
    decided,
    plan_of,
    samples,
    seen,
    text,
    told,
    world_of,
)

GO, HOLD, NO_GO, ROLLBACK = Answer.GO, Answer.HOLD, Answer.NO_GO, Answer.ROLLBACK
ITEM = "t.py::test_c"
DAY = 86_400
BESIDE_A_HARD_ONE = (
    "    criteria:\n      - {{id: hard, kind: load}}\n      - {{id: c, kind: load, {}}}\n"
)


def attempts(*verdicts: str) -> dict[str, tuple[Attempt, ...]]:
    reasons = {"pass": ""}
    return {ITEM: tuple(Attempt(Verdict(v), reasons.get(v, f"it said {v}")) for v in verdicts)}


def answer_of(phase: str, **world: object) -> Decision:
    plan = plan_of(phase)
    return decided(plan, world_of(plan, **world))  # type: ignore[arg-type]


def test_a_hard_criterion_whose_check_passed_is_go() -> None:
    decision = answer_of(criterion())
    assert decision.answer is GO
    assert told(decision) == ["the one hard criterion holds, on evidence of a sealed run"]
    assert decision.conditions == ()


@pytest.mark.parametrize(
    ("seen_verdicts", "answer", "verdict"),
    [
        (("fail",), NO_GO, Verdict.FAIL),
        (("error",), HOLD, Verdict.ERROR),
        (("missing",), HOLD, Verdict.MISSING),
        (("pass", "fail"), NO_GO, Verdict.FAIL),
        (("fail", "fail", "pass"), GO, Verdict.WARN),
        (("pass", "error"), HOLD, Verdict.ERROR),
        ((), HOLD, Verdict.MISSING),
    ],
)
def test_the_attempts_of_a_check(
    seen_verdicts: tuple[str, ...], answer: Answer, verdict: Verdict
) -> None:
    decision = answer_of(criterion(), checks=attempts(*seen_verdicts))
    assert (decision.answer, decision.criteria[0].verdict) == (answer, verdict)


def test_a_criterion_that_failed_and_then_passed_carries_a_condition() -> None:
    decision = answer_of(criterion(), checks=attempts("fail", "pass"))
    (condition,) = decision.conditions
    assert condition.owner == "engineering"
    assert "passed only at attempt 2; before: fail: it said fail" in text(condition)
    between = answer_of(criterion(), checks=attempts("pass", "fail", "pass"))
    assert "before: fail: it said fail" in text(between.conditions[0])


def test_every_bound_item_must_have_passed() -> None:
    items = {"p.one.c": (ITEM, "t.py::test_c[2]")}
    passed = (Attempt(Verdict.PASS),)
    both = {ITEM: passed, "t.py::test_c[2]": passed}
    assert answer_of(criterion(), items=items, checks=both).answer is GO
    decision = answer_of(
        criterion(),
        items=items,
        checks={**both, "t.py::test_c[2]": ()},
        dropped={"t.py::test_c[2]": "deselected by -k"},
    )
    assert decision.answer is HOLD
    assert told(decision) == ["p.one.c: test_c[2]: deselected by -k"]


def test_a_criterion_without_a_bound_check_is_missing() -> None:
    decision = answer_of(criterion(), items={"p.one.c": ()})
    assert decision.answer is HOLD
    assert "no test carries criterion('c')" in told(decision)[0]
    manual = plan_of("    criteria: [{id: c, kind: manual}]")
    attested = decided(manual, world_of(manual, items={"p.one.c": ()}))
    assert "nobody has attested it" in told(attested)[0]


def test_a_good_measurement_does_not_replace_the_bound_check() -> None:
    phase = criterion('metric: m, take: max, pass: "< 10"')
    assert answer_of(phase, observed=samples(1)).answer is GO
    assert answer_of(phase, observed=samples(1), items={"p.one.c": ()}).answer is HOLD
    assert answer_of(phase, observed=samples(1), checks=attempts("fail")).answer is NO_GO
    assert answer_of(phase, observed=samples(11)).answer is NO_GO


def test_a_check_of_the_plan_that_was_not_collected_is_missing_beside_a_bound_test() -> None:
    phase = criterion(check='{sql: "select 1", on: api}', **{"pass": '">= 4"'})
    decision = answer_of(phase)
    assert decision.answer is HOLD
    assert "its `check:` was not collected" in told(decision)[0]
    both = ("test_x.py::test_c", "p/rollout.yaml::one:c")
    seen = samples(4, series="c")
    passed = {item: (Attempt(Verdict.PASS),) for item in both}
    assert answer_of(phase, observed=seen, items={"p.one.c": both}, checks=passed).answer is GO


@pytest.mark.parametrize("verdict", ["fail", "error", "missing"])
def test_a_soft_criterion_becomes_a_condition_with_owner_and_due_gate(verdict: str) -> None:
    phase = (
        "    criteria:\n      - {id: hard, kind: load}\n      - {id: c, kind: load, severity: soft}"
    )
    decision = answer_of(phase, checks=attempts(verdict))
    assert decision.answer is GO
    (condition,) = decision.conditions
    assert (condition.id, condition.verdict.value) == ("p.one.c", verdict)
    assert (condition.owner, condition.due) == ("engineering", "the end of p")


def test_a_condition_has_the_owner_and_the_due_gate_that_the_plan_states() -> None:
    phase = (
        "    criteria:\n      - {id: hard, kind: load}\n"
        "      - {id: c, kind: load, severity: soft, owner: ann, due: p.three/exit}\n"
        "      - {id: d, kind: load, severity: soft}\n"
        "  - id: two\n  - id: three\n    requires: [one]\n"
    )
    failed = (Attempt(Verdict.FAIL, "no"),)
    decision = answer_of(phase, checks={ITEM: failed, "t.py::test_d": failed})
    assert [(one.owner, one.due) for one in decision.conditions] == [
        ("ann", "p.three/exit"),
        ("engineering", "p.three/entry"),
    ]


@pytest.mark.parametrize(
    ("verdict", "due", "answer"),
    [
        ("fail", "2025-11-09", HOLD),  # the day before the run
        ("missing", "2025-11-09", HOLD),
        ("fail", "2025-11-10", GO),  # its own day is not over
        ("pass", "2025-11-09", GO),
    ],
)
def test_a_condition_that_is_not_met_by_its_last_day_holds(
    verdict: str, due: str, answer: Answer
) -> None:
    phase = BESIDE_A_HARD_ONE.format(f"severity: soft, due: {due}")
    decision = answer_of(phase, checks=attempts(verdict))
    assert decision.answer is answer
    if answer is HOLD:
        (said,) = told(decision)
        assert said.endswith("; the last day to meet it was 2025-11-09")


def test_a_condition_of_the_entry_is_due_at_the_exit() -> None:
    plan = plan_of(
        "    criteria:\n      - {id: c, kind: load, gate: entry}\n"
        "      - {id: s, kind: load, gate: entry, severity: soft}"
    )
    world = world_of(plan, checks={"t.py::test_s": [Attempt(Verdict.FAIL, "no")]})
    decision = decided(plan, world, Gate.ENTRY)
    assert (decision.answer, decision.conditions[0].due) == (GO, "p.one/exit")


def test_an_optional_criterion_is_only_reported() -> None:
    decision = answer_of(BESIDE_A_HARD_ONE.format("severity: optional"), checks=attempts("fail"))
    assert (decision.answer, decision.conditions) == (GO, ())
    assert decision.criteria[1].verdict is Verdict.FAIL


def test_the_hold_band_of_a_hard_criterion_holds_and_its_warning_is_a_condition() -> None:
    phase = criterion('metric: m, take: max, pass: "< 10", warn: ">= 8", fail: "> 12"')
    assert answer_of(phase, observed=samples(11)).answer is HOLD
    decision = answer_of(phase, observed=samples(9))
    assert (decision.answer, [c.verdict for c in decision.conditions]) == (GO, [Verdict.WARN])


TWO_RAILS = (
    "    criteria: [{id: c, kind: load}]\n    guardrails:\n"
    '      - {id: g, metric: m, take: max, fail: "> 0", then: [THEN]}\n'
)


@pytest.mark.parametrize(
    ("then", "check", "value", "answer"),
    [
        ("rollback", "pass", 1, ROLLBACK),
        ("rollback", "fail", 1, ROLLBACK),
        ("pause", "pass", 1, HOLD),
        ("pause", "fail", 1, NO_GO),
        ("pause", "error", 1, HOLD),
        ("warn", "pass", 1, GO),
        ("notify", "pass", 1, GO),
        ("rollback", "pass", 0, GO),
        ("rollback", "fail", 0, NO_GO),
        ("warn", "pass", None, HOLD),
        ("warn", "fail", None, NO_GO),
    ],
)
def test_rollback_comes_before_no_go_before_hold_before_go(
    then: str, check: str, value: object, answer: Answer
) -> None:
    phase = TWO_RAILS.replace("THEN", then)
    decision = answer_of(phase, observed=samples(value), checks=attempts(check))
    assert decision.answer is answer


def test_a_warning_of_a_guardrail_is_a_condition() -> None:
    decision = answer_of(TWO_RAILS.replace("THEN", "warn"), observed=samples(1))
    assert [condition.id for condition in decision.conditions] == ["p.one.g"]


def test_a_guardrail_watches_the_exit_only() -> None:
    plan = plan_of(TWO_RAILS.replace("THEN", "rollback").replace("load}", "load, gate: entry}"))
    decision = decided(plan, world_of(plan, samples(1)), Gate.ENTRY)
    assert (decision.answer, decision.guardrails) == (GO, ())


@pytest.mark.parametrize(("answer", "status"), [(ROLLBACK, 12), (NO_GO, 10), (HOLD, 11), (GO, 0)])
def test_exit_statuses(answer: Answer, status: int) -> None:
    assert answer.exit_status == status


def test_verdicts_and_answers_have_one_order() -> None:
    assert [verdict.value for verdict in sorted(Verdict, key=lambda v: v.rank)] == [
        "fail",
        "error",
        "missing",
        "inconclusive",
        "hold",
        "waived",
        "warn",
        "pass",
        "not_applicable",
    ]
    assert worst([Verdict.PASS, Verdict.MISSING, Verdict.WARN]) is Verdict.MISSING
    assert worst([]) is Verdict.MISSING
    assert worst_answer([GO, NO_GO, HOLD]) is NO_GO
    assert worst_answer([]) is HOLD


WHEN = BESIDE_A_HARD_ONE.format("when: {configured: KEY}")


def test_a_criterion_applies_where_its_condition_is_met() -> None:
    failed = attempts("fail")
    assert answer_of(WHEN, checks=failed, configured={"KEY": True}).answer is NO_GO
    assert answer_of(WHEN, checks=failed, configured={"KEY": False}).answer is NO_GO
    outside = answer_of(WHEN, configured={"KEY": False})
    assert (outside.answer, outside.conditions) == (GO, ())
    assert outside.criteria[1].verdict is Verdict.NOT_APPLICABLE
    assert text(outside.criteria[1]) == "KEY is not configured"


def test_a_condition_that_was_not_looked_at_is_missing() -> None:
    decision = answer_of(WHEN, configured={})
    assert (decision.answer, decision.criteria[1].verdict) == (HOLD, Verdict.MISSING)


def test_a_gate_where_nothing_applies_is_hold() -> None:
    phase = criterion(when="{configured: KEY}")
    decision = answer_of(phase, configured={"KEY": False})
    assert (decision.answer, "nothing to judge" in told(decision)[0]) == (HOLD, True)


def test_a_gate_without_criteria_is_hold() -> None:
    plan = plan_of(criterion())
    decision = decided(plan, world_of(plan), Gate.ENTRY)
    assert decision.answer is HOLD
    assert "nothing to judge: the plan states no criterion" in told(decision)[0]


@pytest.mark.parametrize("severity", ["hard", "soft", "optional"])
def test_a_check_that_never_reported_holds_whatever_its_severity(severity: str) -> None:
    phase = BESIDE_A_HARD_ONE.format(f"severity: {severity}")
    plan = plan_of(phase)
    silent = f"t.py::test_{plan.phases[0].criteria[1].id}"
    decision = answer_of(phase, checks={silent: ()})
    assert decision.answer is HOLD
    assert f"1 bound check never reported: {silent[6:]}" in told(decision)[0]
    left_out = answer_of(phase, checks={silent: ()}, dropped={silent: "-k"})
    assert not any("never reported" in reason for reason in told(left_out)[:1])


def test_a_partial_run_holds_and_is_shown() -> None:
    decision = answer_of(criterion(), partial=("1 bound check did not run (-k)",))
    assert (decision.answer, decision.partial) == (HOLD, ("1 bound check did not run (-k)",))
    assert "partial run: 1 bound check did not run (-k)" in told(decision)[0]


def test_what_is_seen_to_be_bad_in_a_partial_run_is_no_go() -> None:
    assert answer_of(criterion(), partial=("-k",), checks=attempts("fail")).answer is NO_GO


@pytest.mark.parametrize("verdict", ["pass", "fail"])
def test_a_run_without_its_seal_is_all_holes(verdict: str) -> None:
    phase = criterion('metric: m, take: max, pass: "< 10"')
    decision = answer_of(
        phase, observed=samples(99), checks=attempts(verdict), sealed=False, problems=("killed",)
    )
    assert (decision.answer, decision.criteria[0].verdict) == (HOLD, Verdict.MISSING)
    assert told(decision)[0] == "run.sealed: killed"


def test_a_sealed_run_with_problems_holds() -> None:
    decision = answer_of(criterion(), problems=("a worker crashed",))
    assert (decision.answer, told(decision)) == (HOLD, ["run.sealed: a worker crashed"])


RELEASE = HEADER.replace("phases:", "release: {target: api, path: /version}\nphases:")


def release(*facts: ReleaseFact) -> Decision:
    plan = plan_of(criterion(), header=RELEASE)
    return decided(plan, world_of(plan, releases=facts))


def fact(when: str, name: str | None = "v1", **more: Any) -> ReleaseFact:
    return ReleaseFact(when, name, **more)


def test_one_release_read_at_start_and_end_is_go() -> None:
    decision = release(fact("start"), fact("end"))
    assert (decision.answer, decision.release) == (GO, "v1")


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ((), "a rehearsal reads it from the target api"),
        ((fact("start"),), "only at the start"),
        ((fact("end"),), "only at the end"),
        ((fact("start"), fact("end", "v2")), "more than one release was judged: v1, v2"),
        ((fact("start"), fact("end", None)), "named none"),
        ((fact("start", None), fact("end", None)), "named none"),
        ((fact("start", ""), fact("end", "")), "named none"),
        ((fact("start"), fact("end", None, error="refused")), "could not be read: refused"),
    ],
)
def test_a_release_that_is_not_known_throughout_holds(
    facts: tuple[ReleaseFact, ...], said: str
) -> None:
    decision = release(*facts)
    assert decision.answer is HOLD
    assert said in told(decision)[0]


@pytest.mark.parametrize(("environment", "answer"), [("embedded", GO), ("prod", HOLD)])
def test_a_reference_target_is_worth_nothing_elsewhere(environment: str, answer: Answer) -> None:
    plan = plan_of(criterion())
    facts = (ReleaseFact("start", "v1", reference="fixtures.plms"),)
    decision = decided(plan, world_of(plan, environment=environment, releases=facts))
    assert decision.answer is answer


@pytest.mark.parametrize(("age", "answer"), [(DAY, GO), (DAY + 1, HOLD)])
def test_evidence_older_than_max_age_is_a_hole(age: int, answer: Answer) -> None:
    plan = plan_of(criterion('metric: m, over: [{last: 5}], take: max, pass: "< 10"'))
    observed = [seen(1, 3600 - age), seen(1, 3500)]
    world = world_of(plan, observed, environment="prod")
    assert decided(plan, world).answer is answer
    assert (
        decided(
            plan,
            dataclasses.replace(world, run=dataclasses.replace(world.run, environment="embedded")),
        ).answer
        is GO
    )


def both_ways() -> tuple[Plan, World]:
    plan = plan_of(
        criterion('metric: m, each: {lane: [A, B]}, take: max, pass: "< 10", warn: ">= 8"')
    )
    return plan, world_of(plan, [*samples(1, 9, lane="A"), *samples(2, 3, lane="B")])


def test_the_same_evidence_gives_the_same_bytes_in_any_order_of_recording() -> None:
    plan, world = both_ways()
    once = to_json(decided(plan, world))
    turned = dataclasses.replace(world, seen=tuple(reversed(world.seen)))
    assert to_json(decided(plan, turned)) == once
    assert to_json(from_json(once)) == once


def test_the_substance_changes_with_the_answer_and_not_with_the_run() -> None:
    plan, world = both_ways()
    before = decided(plan, world)
    again = dataclasses.replace(world, run=dataclasses.replace(world.run, ended_us=AT + 1))
    assert decided(plan, again).substance_digest == before.substance_digest
    worse = dataclasses.replace(world, seen=world.seen[:2])
    assert decided(plan, worse).substance_digest != before.substance_digest


def test_a_gate_with_soft_criteria_alone_says_that_nothing_hard_applies() -> None:
    decision = answer_of(criterion(severity="soft"))
    assert (decision.answer, "no hard criterion applies" in told(decision)[0]) == (HOLD, True)
