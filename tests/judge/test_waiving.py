"""What a waiver does to a verdict, and what it never does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pytest_rollout.model.decision import Decision, from_json
from pytest_rollout.model.evidence import Attempt, ReleaseFact, Seen
from pytest_rollout.model.plan import Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import WaiverUse
from pytest_rollout.plan.load import parse
from pytest_rollout.report.stored import to_json
from tests.judge.worlds import HEADER, criterion, decided, samples, seen, text, told, world_of

# The worlds end on Monday 2025-11-10 at ten in New York.
LATENCY = 'metric: m, take: max, pass: "< 10", need: 2'
GAP = 'metric: m, take: max, pass: "< 10", fail: ">= 20", need: 2'
GOOD = {"p.one.ok": ("t.py::test_ok",)}


def waived_plan(rule: str = LATENCY, waiver: str = "", **more: str) -> Plan:
    """A plan whose criterion `c` is waived, beside a good criterion `ok`."""
    text = HEADER + criterion(rule, **more) + "      - {id: ok, kind: demo}\n"
    last = "" if "until:" in waiver else ", until: 2025-11-30"
    base = "phase: one, criterion: c, reason: two hosts only, author: A. One, approver: B. Two"
    beside = {"waivers.yaml": f"waivers:\n  - {{{base}{last}{waiver and ', ' + waiver}}}\n"}
    found = parse(text, Path("p/rollout.yaml"), "rollout.yaml", beside)
    assert found.problems == (), [str(problem) for problem in found.problems]
    assert found.plan is not None
    return found.plan


def answer(plan: Plan, observed: list[Seen] | None = None, **world: Any) -> Decision:
    return decided(plan, world_of(plan, observed or [], **world))


def verdict(decision: Decision) -> str:
    """The verdict of `c`."""
    return decision.criteria[0].verdict.value


def test_a_breach_that_is_waived_is_a_condition_of_the_go() -> None:
    decision = answer(waived_plan(), samples(5, 12))
    assert (decision.answer, verdict(decision)) == (Answer.GO, "waived")
    assert told(decision) == [
        "1 of 2 hard criteria hold and 1 is waived, on evidence of a sealed run"
    ]
    (condition,) = decision.conditions
    assert (condition.owner, condition.due) == ("B. Two", "2025-11-30")
    assert condition.verdict is Verdict.WAIVED
    assert "max of m was 12" in text(condition)
    assert "waived until 2025-11-30, approved by B. Two: two hosts only" in text(condition)
    (waiver,) = decision.waivers
    assert (waiver.id, waiver.use, waiver.author) == ("p.one.c", WaiverUse.APPLIED, "A. One")


def test_without_the_waiver_it_is_no_go() -> None:
    plan = waived_plan()
    bare = parse(HEADER + criterion(LATENCY), Path("p/rollout.yaml"), "rollout.yaml").plan
    assert bare is not None
    assert answer(bare, samples(5, 12)).answer is Answer.NO_GO
    assert answer(plan, samples(5, 12)).answer is Answer.GO


@pytest.mark.parametrize(
    ("value", "found", "answered"),
    [
        ("9", "pass", Answer.GO),
        ("10", "waived", Answer.GO),
        ("12", "waived", Answer.GO),
        ("12.000000000000000001", "fail", Answer.NO_GO),
        ("1e400", "fail", Answer.NO_GO),
    ],
)
def test_a_limit_is_another_cut_on_the_same_estimate(
    value: str, found: str, answered: Answer
) -> None:
    decision = answer(waived_plan(waiver='limit: "<= 12"'), samples(5, value))
    assert (verdict(decision), decision.answer) == (found, answered)


def test_what_lies_between_target_and_breach_is_waived_too() -> None:
    assert answer(waived_plan(GAP), samples(5, 15)).answer is Answer.GO
    beyond = answer(waived_plan(GAP, 'limit: "<= 14"'), samples(5, 15))
    assert (verdict(beyond), beyond.answer) == ("hold", Answer.HOLD)
    assert "with its waiver <= 14" in text(beyond.criteria[0])


@pytest.mark.parametrize(
    ("observed", "found"),
    [
        ([], "missing"),
        (samples(12), "inconclusive"),
        (samples(5, None), "inconclusive"),
        (samples(12, None), "fail"),  # bad whatever was lost, but what was lost is not accepted
    ],
)
@pytest.mark.parametrize("limit", ["", 'limit: "<= 12"'])
def test_a_waiver_never_stands_for_evidence(observed: list[Seen], found: str, limit: str) -> None:
    decision = answer(waived_plan(waiver=limit), observed)
    assert verdict(decision) == found
    assert decision.answer is not Answer.GO
    assert decision.waivers[0].use is WaiverUse.SHORT
    assert "its waiver does not cover this" in text(decision.criteria[0])


BOUND = 'metric: m, take: rate, pass: ">= 0.9", confidence: 95%, need: 10'


@pytest.mark.parametrize(
    ("bad", "limit", "found"),
    [
        (0, 'limit: ">= 0.6"', "waived"),
        (0, 'limit: ">= 0.8"', "inconclusive"),
        (0, "", "waived"),
        (8, 'limit: ">= 0.6"', "fail"),
    ],
)
def test_what_a_bound_leaves_open_is_waived_within_its_limit(
    bad: int, limit: str, found: str
) -> None:
    # Ten good ones of ten show at least 0.74 with 95 % confidence.
    decision = answer(waived_plan(BOUND, limit), samples(*[0] * bad, *[1] * (10 - bad)))
    assert verdict(decision) == found


def test_what_a_waiver_accepts_lies_where_the_rule_looks() -> None:
    rule = 'metric: m, take: max, pass: "< 10", over: [{span: 5m, need: 1}]'
    recent = samples(99, *[12] * 60)  # one a minute, up to the end
    assert verdict(answer(waived_plan(rule, 'limit: "<= 12"'), recent)) == "waived"
    assert verdict(answer(waived_plan(rule, 'limit: "<= 11"'), recent)) == "fail"


def test_a_rule_that_cannot_be_judged_is_not_waived() -> None:
    plan = waived_plan('metric: m, take: rate, pass: "< 0.1", need: 2')
    assert verdict(answer(plan, samples(1, 1))) == "waived"
    assert verdict(answer(plan, samples(1, 7))) == "fail"  # whatever the one was
    beside = answer(plan, samples(0, 7))
    assert verdict(beside) == "inconclusive"
    assert text(beside.criteria[0]) == (
        "1 of 2 samples of m cannot be judged: a rate is of outcomes between 0 and 1, "
        "and 7 was observed; its waiver does not cover this"
    )


@pytest.mark.parametrize(
    ("attempt", "found", "answered"),
    [
        ("fail", "waived", Answer.GO),
        ("error", "error", Answer.HOLD),
        ("missing", "missing", Answer.HOLD),
        ("inconclusive", "inconclusive", Answer.HOLD),
    ],
)
def test_of_a_check_only_a_failure_is_waived(attempt: str, found: str, answered: Answer) -> None:
    checks = {"t.py::test_c": [Attempt(Verdict(attempt), "seen")]}
    decision = answer(waived_plan(""), checks=checks)
    assert (verdict(decision), decision.answer) == (found, answered)


def test_a_limit_covers_no_failing_check() -> None:
    checks = {"t.py::test_c": [Attempt(Verdict.FAIL, "broken")]}
    plan = waived_plan(waiver='limit: "<= 12"')
    assert answer(plan, samples(5, 12), checks=checks).answer is Answer.NO_GO
    assert answer(waived_plan(), samples(5, 12), checks=checks).answer is Answer.GO


def test_one_group_that_was_not_seen_keeps_the_criterion_back() -> None:
    rule = LATENCY + ", each: {lane: [A, B]}"
    bad = [seen(12, 0, lane="A"), seen(12, 1, lane="A")]
    decision = answer(waived_plan(rule), bad)
    assert (verdict(decision), decision.answer) == ("missing", Answer.HOLD)
    states = {part.subject.name: part.verdict.value for part in decision.criteria[0].parts}
    assert states == {"test_c": "pass", "lane A": "waived", "lane B": "missing"}
    both = answer(waived_plan(rule), [*bad, seen(1, 0, lane="B"), seen(1, 1, lane="B")])
    assert verdict(both) == "waived"
    assert [part.verdict.value for part in both.criteria[0].parts] == ["pass", "waived", "pass"]


def test_a_limit_is_asked_of_each_group() -> None:
    rule = LATENCY + ", each: {lane: [A, B]}"
    observed = [seen(12 + lane, t, lane="AB"[lane]) for lane in (0, 1) for t in (0, 1)]
    assert verdict(answer(waived_plan(rule, 'limit: "<= 13"'), observed)) == "waived"
    decision = answer(waived_plan(rule, 'limit: "<= 12"'), observed)
    assert (verdict(decision), decision.answer) == ("fail", Answer.NO_GO)
    assert "lane B: max of m was 13" in told(decision)[0]
    assert "lane A" not in told(decision)[0]


def test_the_last_day_counts_whole_in_the_plans_zone() -> None:
    assert answer(waived_plan(waiver="until: 2025-11-10"), samples(5, 12)).answer is Answer.GO
    over = answer(waived_plan(waiver="until: 2025-11-09"), samples(5, 12))
    assert (over.answer, over.waivers[0].use) == (Answer.NO_GO, WaiverUse.EXPIRED)
    assert "its waiver expired at the end of 2025-11-09" in told(over)[0]
    midnight = 1_762_837_200_000_000  # 2025-11-11 00:00 in New York
    plan = waived_plan(waiver="until: 2025-11-10")
    assert answer(plan, samples(5, 12), ended_us=midnight - 1).answer is Answer.GO
    assert answer(plan, samples(5, 12), ended_us=midnight).answer is Answer.NO_GO


def test_small_values_may_be_the_bad_ones() -> None:
    rule = 'metric: m, take: min, pass: ">= 5", need: 2'
    assert verdict(answer(waived_plan(rule), samples(9, -1000))) == "waived"
    assert verdict(answer(waived_plan(rule, 'limit: ">= 4"'), samples(9, 4))) == "waived"
    assert verdict(answer(waived_plan(rule, 'limit: ">= 4"'), samples(9, 3))) == "fail"


def test_without_a_release_it_is_of_any() -> None:
    facts = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
    assert answer(waived_plan(), samples(5, 12), releases=facts).answer is Answer.GO


def test_it_ends_with_its_release() -> None:
    plan = waived_plan(waiver="release: 1.10")
    for release, answered in (("1.10", Answer.GO), ("1.1", Answer.NO_GO), (None, Answer.NO_GO)):
        facts = (ReleaseFact("start", release), ReleaseFact("end", release))
        decision = answer(plan, samples(5, 12), releases=facts)
        assert decision.answer is answered, release
    assert decision.waivers[0].use is WaiverUse.OTHER
    assert "a waiver of release 1.10 does not apply" in text(decision.criteria[0])


def test_one_that_is_not_needed_is_shown_and_changes_nothing() -> None:
    decision = answer(waived_plan(), samples(5, 9))
    assert (verdict(decision), decision.conditions) == ("pass", ())
    assert decision.waivers[0].use is WaiverUse.UNNEEDED
    assert "waive" not in text(decision.criteria[0])


def test_a_soft_criterion_that_is_waived_is_owed_by_its_approver() -> None:
    decision = answer(waived_plan(severity="soft", owner="sre"), samples(5, 12))
    assert [one.owner for one in decision.conditions] == ["B. Two"]
    optional = answer(waived_plan(severity="optional"), samples(5, 12))
    assert (verdict(optional), optional.conditions) == ("waived", ())


def test_a_gate_of_which_nothing_passes_is_held() -> None:
    checks = {f"t.py::test_{one}": [Attempt(Verdict.FAIL)] for one in ("c", "ok")}
    plan = waived_plan("", severity="hard")
    both = parse(
        HEADER + criterion(""),
        Path("p/rollout.yaml"),
        "rollout.yaml",
        {
            "waivers.yaml": "waivers:\n  - {phase: one, criterion: c, reason: r, author: a,"
            " approver: b, until: 2025-11-30}\n"
        },
    ).plan
    assert both is not None
    assert decided(both, world_of(both, checks=checks)).answer is Answer.HOLD
    assert answer(plan, checks={"t.py::test_c": checks["t.py::test_c"]}).answer is Answer.GO


def test_an_unsealed_run_is_not_waived() -> None:
    assert answer(waived_plan(), samples(5, 12), sealed=False).answer is Answer.HOLD


def test_the_substance_covers_waivers() -> None:
    digests = {
        answer(waived_plan(waiver=waiver), samples(5, 12)).substance_digest
        for waiver in ("", 'limit: "<= 12"', 'limit: "<= 13"', "until: 2025-12-01")
    }
    assert len(digests) == 4


def test_a_decision_with_a_waiver_is_stored_and_read() -> None:
    decision = answer(waived_plan(waiver='limit: "<= 12"'), samples(5, 12))
    assert from_json(to_json(decision)) == decision
