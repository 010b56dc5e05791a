"""One decision of each sort that a report is for."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.model.decision import Cause, Decision
from pytest_rollout.model.finding import (
    Attempted,
    Estimate,
    Finding,
    Part,
    Reason,
    Subject,
    SubjectKind,
    said,
)
from pytest_rollout.model.verdict import Answer, Verdict
from tests.report.report_parts import (
    DEMANDS,
    LANES,
    PAGED,
    PASSING,
    QUEUE,
    RUNBOOK,
    STARVED,
    cause,
    check,
    criterion,
    decision,
    demand,
    group,
    owed,
    waived,
    whole,
)

__all__ = [
    "DEMANDS",
    "LANES",
    "PAGED",
    "PASSING",
    "QUEUE",
    "RUNBOOK",
    "STARVED",
    "cause",
    "check",
    "criterion",
    "decision",
    "demand",
    "owed",
    "waived",
    "whole",
]

CAPS = criterion(
    "caps-enforced",
    Verdict.FAIL,
    says="No lane ever runs more than its cap",
    because="lane Code-API: max of running_minus_cap was 2 at 2025-11-10 09:12:30 EST, over "
    "240 samples in this run; allowed <= 0; lane Narrative: max of running_minus_cap was 1 "
    "at 2025-11-10 09:13:00 EST, over 240 samples in this run; allowed <= 0",
    kind="invariant",
    allowed="<= 0",
    samples=960,
    parts=tuple(
        group(
            Verdict.FAIL if over > 0 else Verdict.PASS,
            f"max of running_minus_cap was {over}, over 240 samples in this run; allowed <= 0",
            Estimate(str(over), 240, at="2025-11-10T09:12:30-05:00"),
            lane=lane,
        )
        for lane, over in zip(LANES, (2, 0, 1, -1), strict=True)
    ),
)

RETRIED = criterion(
    "retry-is-idempotent",
    Verdict.WARN,
    says="Starting a project again starts nothing new",
    because="test_retry: passed only at attempt 2; before: 409 was expected, 500 was seen",
    kind="idempotency",
    parts=(
        Part(
            Subject(SubjectKind.CHECK, "suites/plms/test_day3.py::test_retry"),
            Verdict.WARN,
            said("passed only at attempt 2; before: 409 was expected, 500 was seen"),
            attempts=(
                Attempted(Verdict.FAIL, said("409 was expected, 500 was seen")),
                Attempted(Verdict.PASS, Reason("passed")),
            ),
        ),
    ),
)

LATENCY = criterion(
    "start-latency",
    Verdict.INCONCLUSIVE,
    says="A project starts within two seconds, in 95 of 100 cases",
    because="7 of 60 needed samples of start_seconds were seen in this run",
    kind="slo",
    allowed="<= 2",
    parts=(
        group(
            Verdict.INCONCLUSIVE,
            "7 of 60 needed samples of start_seconds were seen in this run",
        ),
    ),
)

TRIPPED = Finding(
    id="plms.day3.cap-exceeded",
    verdict=Verdict.FAIL,
    reason=said(
        "lane Code-API: tripped: max of running_minus_cap was 2 at "
        "2025-11-10 09:12:30 EST, over 8 samples in 5 minutes; allowed <= 0"
    ),
    says="No lane runs more than its cap",
    severity="hard",
    kind="guardrail",
    allowed="<= 0",
    parts=(
        group(
            Verdict.FAIL,
            "max of running_minus_cap was 2 at 2025-11-10 09:12:30 EST, over 8 "
            "samples in 5 minutes; allowed <= 0",
            Estimate("2", 8, at="2025-11-10T09:12:30-05:00"),
            lane="Code-API",
        ),
        group(Verdict.PASS, "max of running_minus_cap was 0", lane="Narrative"),
    ),
)

QUIET = replace(
    TRIPPED,
    id="plms.day3.errors-burst",
    verdict=Verdict.PASS,
    reason=said("quiet: rate of errors was 0.001, over 4200 samples in 5 minutes; allowed < 0.01"),
    says="Errors stay under one in a hundred",
    allowed="< 0.01",
    parts=(),
)

BLIND = replace(
    QUIET,
    id="plms.day3.registry-lag",
    verdict=Verdict.MISSING,
    reason=said("blind: no sample of registry_lag was seen in 5 minutes; 7 samples needed"),
    says="The registry follows within a second",
    allowed="< 1",
)


def go_with_conditions() -> Decision:
    """GO with two conditions."""
    return decision(
        reasons=(Cause("", Answer.GO, Reason("gate.holds", {"hard": 4, "waived": 0})),),
        criteria=(*PASSING, QUEUE, RUNBOOK, PAGED),
        conditions=(owed(QUEUE), owed(RUNBOOK, "documentation")),
    )


def no_go() -> Decision:
    """NO-GO with several failing criteria and groups."""
    return decision(
        Answer.NO_GO,
        reasons=tuple(cause(finding, Answer.NO_GO) for finding in (STARVED, CAPS)),
        criteria=(*PASSING, STARVED, QUEUE, CAPS, LATENCY, RETRIED, RUNBOOK, PAGED),
        conditions=(owed(QUEUE), owed(RETRIED), owed(RUNBOOK, "documentation")),
    )


def held_partial() -> Decision:
    """HOLD: a rehearsal that left checks out and rests on stand-ins."""
    why = ("-k 'not starvation' leaves checks out", "--lf leaves checks out")
    missing = criterion(
        "no-starvation",
        Verdict.MISSING,
        says=STARVED.says,
        because="test_every_lane_with_work_gets_slots: deselected",
        kind="load",
        allowed="> 0.20",
        parts=(check("test_every_lane_with_work_gets_slots", Verdict.MISSING, "deselected"),),
    )
    part = demand("whole", Verdict.MISSING, "partial run: " + "; ".join(why))
    return decision(
        Answer.HOLD,
        environment="embedded",
        reasons=(cause(part), cause(missing)),
        criteria=(*PASSING, missing),
        demands=(DEMANDS[0], part, DEMANDS[2]),
        partial=why,
        stand_ins=("plms.day3.runbook-linked is answered by attestations.embedded.yaml",),
    )


def drill() -> Decision:
    """NO-GO of a drill, as it should be."""
    return decision(
        Answer.NO_GO,
        environment="embedded",
        drill="lane-starved",
        reasons=(cause(STARVED, Answer.NO_GO),),
        criteria=(*PASSING, STARVED),
        looks=0,
    )


def rollback() -> Decision:
    """ROLLBACK: one guardrail tripped, one only warns, one is blind, one is quiet."""
    warning = replace(TRIPPED, id="plms.day3.cap-reached")
    return decision(
        Answer.ROLLBACK,
        reasons=(cause(TRIPPED, Answer.ROLLBACK), cause(STARVED, Answer.NO_GO)),
        criteria=(*PASSING, STARVED),
        guardrails=(QUIET, TRIPPED, warning, BLIND),
        conditions=(owed(warning),),
    )
