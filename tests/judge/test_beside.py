"""What a decision says beside its verdict: controls, counts, and until when a GO counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest

from pytest_rollout.judge.case import criteria_digest
from pytest_rollout.model.attestation import Attestation
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.evidence import Attempt, ReleaseFact
from pytest_rollout.model.plan import Gate, Phase, Plan
from pytest_rollout.model.provenance import Producer, input_of
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waiver, Waives
from tests.judge.worlds import AT, HEADER, SECOND, decided, plan_of, world_of

HOUR = 3600
V1 = (ReleaseFact("start", "v1"), ReleaseFact("end", "v1"))
CRITERIA = """\
    criteria:
      - {id: a, kind: demo, controls: [SOC2-CC8.1, "ISO27001:A.8.32"]}
      - {id: b, kind: demo, severity: soft, controls: [SOC2-CC8.1]}
      - {id: c, kind: demo, when: {configured: X}}
"""
NO_LIMIT = HEADER.replace(", max_age: 24h", "")
MANUAL = "    criteria: [{id: a, kind: demo}, {id: m, kind: manual, valid_for: 3h}]\n"


def judged(text: str, header: str = HEADER, gate: Gate = Gate.EXIT) -> Decision:
    plan = plan_of(text, header=header)
    checks = {"t.py::test_b": [Attempt(Verdict.FAIL, "no")]}
    world = world_of(plan, checks=checks, environment="prod", configured={"X": False})
    return decided(plan, world, gate)


def attested(*ago_hours: float, header: str = NO_LIMIT) -> Decision:
    """The decision on answers that were given so many hours before it."""
    plan = plan_of(MANUAL, header=header)
    world = world_of(plan, items={"p.one.m": ()}, environment="prod", releases=V1)
    said = tuple(
        Attestation(
            "p.one.m", "A. Person", "engineering", "", True, AT - int(h * HOUR * SECOND), "v1"
        )
        for h in ago_hours
    )
    return decided(plan, replace(world, attestations=said))


def test_controls_stand_on_the_findings_of_their_criteria() -> None:
    named = {finding.id: finding.controls for finding in judged(CRITERIA).criteria}
    assert named["p.one.a"] == ("SOC2-CC8.1", "ISO27001:A.8.32")
    assert named["p.one.c"] == ()


def test_controls_change_nothing_of_what_was_asked_or_signed() -> None:
    plain = CRITERIA.replace(", controls: [SOC2-CC8.1]", "")
    plain = plain.replace(', controls: [SOC2-CC8.1, "ISO27001:A.8.32"]', "")
    assert judged(plain).substance_digest == judged(CRITERIA).substance_digest
    digests = {criteria_digest(plan_of(one).phases[0], Gate.EXIT) for one in (CRITERIA, plain)}
    assert len(digests) == 1


def test_counts_are_by_verdict_by_severity_and_of_conditions() -> None:
    decision = judged(CRITERIA)
    counts = decision.counts
    assert decision.answer is Answer.GO
    assert counts.verdicts == {"fail": 1, "not_applicable": 1, "pass": 1}
    assert counts.severities == {
        "hard": {"not_applicable": 1, "pass": 1},
        "soft": {"fail": 1},
    }
    assert (counts.conditions, counts.waived, counts.not_applicable) == (1, 0, 1)


def test_a_go_counts_as_long_as_evidence_of_its_environment() -> None:
    decision = judged(CRITERIA)
    assert decision.valid_until == "2025-11-11T10:00:00-05:00"
    assert [end.reason.code for end in decision.ends] == ["ends.age"]


def test_nothing_ends_where_nothing_bounds_it() -> None:
    decision = judged(CRITERIA, NO_LIMIT)
    assert (decision.answer, decision.valid_until, decision.ends) == (Answer.GO, None, ())


def test_only_a_go_counts_until_some_time() -> None:
    decision = judged(CRITERIA.replace("severity: soft", "severity: hard"))
    assert (decision.answer, decision.valid_until) == (Answer.NO_GO, None)


@pytest.mark.parametrize(("given", "ends"), [((1,), "12:00"), ((2, 1), "12:00"), ((2,), "11:00")])
def test_the_newest_answer_of_a_person_ends_with_its_shelf_life(
    given: tuple[float, ...], ends: str
) -> None:
    decision = attested(*given)
    assert decision.answer is Answer.GO
    assert decision.valid_until == f"2025-11-10T{ends}:00-05:00"


def test_of_several_ends_the_first_counts() -> None:
    decision = attested(1, header=HEADER)
    assert [(end.until[:16], end.reason.code) for end in decision.ends] == [
        ("2025-11-10T12:00", "ends.attestation"),
        ("2025-11-11T10:00", "ends.age"),
    ]
    assert decision.valid_until == decision.ends[0].until


def test_a_waiver_ends_with_its_last_day_in_the_zone_of_the_plan() -> None:
    plan = _plan()
    waiver = Waiver(Waives.CRITERION, "one", "a", "agreed", "A", "B", dt.date(2025, 11, 12))
    waived = replace(plan, waivers=(waiver,), phases=(_with_another_check(plan.phases[0]),))
    failed = {"t.py::test_a": [Attempt(Verdict.FAIL, "no")]}
    world = world_of(waived, checks=failed, environment="prod", configured={"X": False})
    decision = decided(waived, world)
    assert (decision.answer, decision.counts.waived) == (Answer.GO, 1)
    assert decision.valid_until == "2025-11-13T00:00:00-05:00"
    assert decision.ends[0].reason.facts["criterion"] == "p.one.a"


def _with_another_check(phase: Phase) -> Phase:
    """A gate of which one hard criterion passes, so that another may be waived."""
    first = phase.criteria[0]
    return replace(phase, criteria=(*phase.criteria, replace(first, id="d", controls=())))


def _plan() -> Plan:
    return plan_of(CRITERIA, header=NO_LIMIT)


def test_what_comes_from_the_ledger_is_passed_on_and_changes_no_substance() -> None:
    plan = _plan()
    world = world_of(plan, environment="prod", configured={"X": False})
    producer = Producer("gitlab-ci", "https://ci/1", "abc")
    run = replace(world.run, producer=producer, versions={"pytest": "9"})
    read = (input_of("rollout-run:r1", "0" * 64),)
    told = decided(plan, replace(world, run=run, inputs=read))
    assert (told.producer, told.inputs, told.versions) == (producer, read, {"pytest": "9"})
    assert told.substance_digest == decided(plan, world).substance_digest
