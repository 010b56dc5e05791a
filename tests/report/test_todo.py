"""What to do now: of a drill nothing is to be fixed, of errors what was met is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from pytest_rollout.model.decision import Cause, Condition, Decision
from pytest_rollout.model.finding import Finding, Reason, said
from pytest_rollout.model.people import Deputy, Person, Roster
from pytest_rollout.model.plan import Gate, Plan
from pytest_rollout.model.story import Evaluation, StepState
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.report import headline
from pytest_rollout.report.todo import todo
from tests.report import demonstration


@pytest.fixture(scope="module")
def decided() -> tuple[Plan, Decision]:
    """A plan and a decision of its exit gate."""
    return demonstration.decision()


def test_a_drill_that_was_noticed_asks_for_no_fix(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    (only,) = todo(plan, plan.phases[0], replace(decision, drill="slow", decision=Answer.NO_GO))
    assert only.says.startswith("nothing to fix: the fault was planted")
    assert only.command == f"rollout drill {decision.address.name} --fault slow"


def test_a_drill_that_was_missed_asks_for_a_stronger_criterion(
    decided: tuple[Plan, Decision],
) -> None:
    plan, decision = decided
    (only,) = todo(plan, plan.phases[0], replace(decision, drill="slow", decision=Answer.GO))
    assert only.says.startswith("the gate did not notice slow")


def test_an_error_is_named_by_what_was_met(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    met = "the environment variable SHOP_URL is not set"
    told = Reason("told", {"subject": "test_x", "reason": said(met)})
    reason = Reason("several", {"reasons": (told,)})
    finding = next(one for one in decision.criteria if one.severity == "hard" and one.parts)
    part = replace(finding.parts[0], verdict=Verdict.ERROR, reason=said(met), estimate=None)
    finding = replace(finding, verdict=Verdict.ERROR, reason=reason, parts=(part,))
    held = replace(
        decision,
        decision=Answer.HOLD,
        criteria=(finding,),
        guardrails=(),
        reasons=(Cause(finding.id, Answer.HOLD, reason),),
    )
    (first, *_) = todo(plan, plan.phases[0], held)
    assert met in first.says


def test_an_open_signature_comes_before_the_begin(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    go = replace(
        decision,
        decision=Answer.GO,
        environment="prod",
        gate=Gate.ENTRY,
        reasons=(),
        conditions=(),
        drill=None,
    )
    open_ = [
        Finding(
            f"signoff.{role}",
            Verdict.MISSING,
            Reason("signature.missing", {"role": role, "holders": (), "why": (), "twice": ()}),
        )
        for role in ("sre", "pm")
    ]
    given = Finding("signoff.cto", Verdict.PASS, Reason("signature.given", {"role": "cto"}))
    sign, clear, begin = todo(plan, plan.phases[0], go, signoff=[given, *open_])
    name = go.address.name
    assert (sign.who, sign.says) == ("sre", "sign it; 1 more signature to come")
    command = f"rollout sign {name}/entry --env prod --as sre --key FILE"
    assert sign.command == command
    assert clear.command == f"rollout clear {name} --env prod"
    assert begin.says == "once nothing is, begin the phase"
    assert begin.command == f"rollout begin {name} --env prod --by NAME"
    assert todo(plan, plan.phases[0], go, signoff=[given]) == (clear, begin)


def test_a_target_that_does_not_answer_comes_before_the_reset(
    decided: tuple[Plan, Decision],
) -> None:
    plan, decision = decided
    silent = Reason("release.unreadable", {"error": "GET http://web: refused"})
    back = replace(
        decision,
        decision=Answer.ROLLBACK,
        environment="prod",
        drill=None,
        reasons=(*decision.reasons, Cause("run.release", Answer.HOLD, silent)),
    )
    (first, *_) = todo(plan, plan.phases[0], back)
    assert first.says == "see that the target answers: GET http://web: refused"


def test_after_a_rollback_another_try_begins_anew(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    back = replace(decision, decision=Answer.ROLLBACK, environment="prod", drill=None)
    done = StepState("traffic goes back", by_hand=False, outcome="done", does="http on web: POST /")
    (reset, anew) = todo(plan, plan.phases[0], back, steps=[done])
    assert reset.says.startswith("rolled back, every step is done: fix the cause")
    assert anew.says == "for another try begin the phase anew"
    entry = replace(plan.phases[0].criteria[0], gate=Gate.ENTRY)
    with_entry = replace(plan.phases[0], criteria=(entry, *plan.phases[0].criteria))
    (_, first) = todo(plan, with_entry, back, steps=[done])
    assert first.command.endswith("--rollout-gate entry")
    not_yet = replace(done, outcome="")
    (roll_back, _) = todo(plan, plan.phases[0], back, steps=[not_yet])
    assert roll_back.says == "roll back: this runs 1 step, listed below, in prod"


def test_a_window_that_has_passed_is_said_to_be_over(decided: tuple[Plan, Decision]) -> None:
    real = replace(
        decided[1],
        environment="prod",
        drill=None,
        window="Mon 09:00-11:00",
        window_instants=("2025-11-10T09:00:00-05:00", "2025-11-10T11:00:00-05:00"),
    )
    for at, said_ in (("10:30", "Mon 09:00-11:00"), ("11:30", "Mon 09:00-11:00 (over)")):
        facts = headline.facts(replace(real, decided_at=f"2025-11-10T{at}:00-05:00"))
        assert [value for name, value, _ in facts if name == "Window"] == [said_]


def test_a_rehearsal_of_another_day_tells_its_clock(decided: tuple[Plan, Decision]) -> None:
    rehearsed = replace(
        decided[1],
        environment="embedded",
        judged_at="2025-11-10T10:00:00-05:00",
        decided_at="2026-11-29T10:26:04-05:00",
        timezone="America/New_York",
    )
    clock = [value for name, value, _ in headline.facts(rehearsed) if name == "Clock"]
    assert clock == ["2025-11-10 10:00:00 EST in the rehearsal"]
    same = replace(rehearsed, decided_at="2025-11-10T12:00:00-05:00")
    assert not [value for name, value, _ in headline.facts(same) if name == "Clock"]


def test_a_row_of_equal_answers_says_since_when(decided: tuple[Plan, Decision]) -> None:
    def evaluated(day: int, answer: Answer) -> Evaluation:
        return Evaluation(f"2025-11-{day:02}T10:00:00-05:00", answer, "v1", {}, {})

    held = replace(decided[1], environment="prod", drill=None, partial=(), decision=Answer.HOLD)
    held = replace(held, timezone="America/New_York")
    row = [evaluated(7, Answer.GO), evaluated(10, Answer.HOLD), evaluated(11, Answer.HOLD)]
    assert headline.since(held, row) == [("Since", "2025-11-10 10:00:00 EST (2 evaluations)", "")]
    assert headline.since(held, row[:2]) == []
    assert headline.since(replace(held, environment="embedded"), row) == []


def test_a_condition_that_no_plan_states_is_explained_by_its_whole_name(
    decided: tuple[Plan, Decision],
) -> None:
    plan, decision = decided
    why = Reason("begin.new-release", {"began": "v1", "now": "v2", "says": "a fix"})
    owed = Condition("phase.release", Verdict.WARN, why, "sre", "the end of shop")
    go = replace(decision, decision=Answer.GO, reasons=(), conditions=(owed,), drill=None)
    told = todo(plan, plan.phases[0], go)[-1]
    assert told.says == "settle phase.release by the end of shop"
    full = f"{decision.address.name}.phase.release"
    assert told.command == f"rollout explain {full} --env {decision.environment}"


def test_a_target_that_does_not_answer_is_said_once(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    finding = next(one for one in decision.criteria if one.severity == "hard" and one.parts)
    finding = replace(finding, verdict=Verdict.ERROR, reason=said("GET /: connection refused"))
    silent = Reason("release.unreadable", {"error": "GET /version: connection refused"})
    held = replace(
        decision,
        decision=Answer.HOLD,
        criteria=(finding,),
        guardrails=(),
        reasons=(
            Cause("run.release", Answer.HOLD, silent),
            Cause(finding.id, Answer.HOLD, finding.reason),
        ),
    )
    first, last = todo(plan, plan.phases[0], held)
    assert first.says == "see that the target answers: GET /version: connection refused"
    assert last.command.startswith("pytest -m ")


def test_a_gate_without_a_criterion_asks_for_one(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    nothing = Cause("gate.criteria", Answer.HOLD, Reason("gate.no-criterion"))
    held = replace(decision, decision=Answer.HOLD, criteria=(), guardrails=(), reasons=(nothing,))
    first, *_ = todo(plan, plan.phases[0], held)
    assert first.says.startswith(f"state a hard criterion of {decision.address}")


def test_an_owner_is_named_with_the_people_of_that_day(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    judged = datetime.fromisoformat(decision.judged_at).date()
    day = timedelta(days=1)
    deputies = (
        Deputy("sre", "bob", judged - day, judged),
        Deputy("sre", "eve", judged - 9 * day, judged - day),  # before that day
    )
    people = (Person("ada", "Ada", ("sre",)), Person("bob", "Bob", ()), Person("eve", "Eve", ()))
    manned = replace(plan, roster=Roster(people, deputies))
    (first, *_) = todo(manned, manned.phases[0], replace(decision, drill=None))
    assert first.who == "sre (Ada, Bob)"


def test_a_phase_that_was_rolled_back_and_reset_begins_anew(decided: tuple[Plan, Decision]) -> None:
    plan, decision = decided
    back = Reason("begin.rolled-back", {"at": decision.judged_at, "says": "1."})
    held = replace(
        decision,
        decision=Answer.HOLD,
        environment="prod",
        drill=None,
        reasons=(Cause("phase.rolled-back", Answer.HOLD, back),),
    )
    (first, *_) = todo(plan, plan.phases[0], held)
    assert first.says == "for another try begin the phase anew"
