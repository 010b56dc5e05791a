"""Findings, conditions and a plain decision: built directly, as a judge could have left them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_rollout.model.decision import Cause, Condition, Decision, substance
from pytest_rollout.model.evidence import Head
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
from pytest_rollout.model.plan import Gate
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.model.waiver import Waived, WaiverUse

LANES = ("Code-API", "Data-Schema", "Narrative", "Viz-Charts")


def check(name: str = "test_it", verdict: Verdict = Verdict.PASS, because: str = "passed") -> Part:
    """One bound check as a part."""
    subject = Subject(SubjectKind.CHECK, f"suites/plms/test_day3.py::{name}")
    reason = Reason("passed") if because == "passed" else said(because)
    return Part(subject, verdict, reason, attempts=(Attempted(verdict, reason),))


def group(verdict: Verdict, because: str, seen: Estimate | None = None, **labels: str) -> Part:
    """One group of a rule as a part; without labels all samples together."""
    subject = Subject(SubjectKind.GROUP, labels=tuple(labels.items()))
    return Part(subject, verdict, said(because), seen)


def criterion(
    slug: str, verdict: Verdict = Verdict.PASS, because: str = "", **changes: Any
) -> Finding:
    """A hard criterion of plms.day3."""
    finding = Finding(
        id=f"plms.day3.{slug}",
        verdict=verdict,
        reason=said(because or f"test_{slug.replace('-', '_')}: passed"),
        says=f"What {slug} states",
        severity="hard",
        kind="operational",
        parts=(check(f"test_{slug.replace('-', '_')}", verdict),),
    )
    return replace(finding, **changes)


def demand(name: str, verdict: Verdict, because: str) -> Finding:
    """A demand on the run."""
    return Finding(f"run.{name}", verdict, said(because))


DEMANDS = (
    demand("sealed", Verdict.PASS, "the run ended by itself and is sealed"),
    demand("whole", Verdict.PASS, "nothing that is bound was left out"),
    demand("release", Verdict.PASS, "plms-v1.0.0, at start and end"),
)

PASSING = (
    criterion("lane-cap-code-api", says="Code-API may run four at once"),
    criterion("lane-cap-narrative", says="Narrative may run six at once"),
    criterion(
        "projects-complete",
        says="Both projects end with every task done",
        because="last of tasks_open was 0 at 2025-11-10 09:58:00 EST, over 2 samples in this run; "
        "allowed == 0",
        kind="kpi",
        allowed="== 0",
        samples=2,
        parts=tuple(
            group(Verdict.PASS, "last of tasks_open was 0; allowed == 0", seen, project=project)
            for project, seen in (
                ("101", Estimate("0", 1, at="2025-11-10T09:57:45-05:00")),
                ("102", Estimate("0", 1, at="2025-11-10T09:58:00-05:00")),
            )
        ),
    ),
)

STARVED = criterion(
    "no-starvation",
    Verdict.FAIL,
    says="No lane that has work runs at or under a fifth of what it could",
    because="lane Data-Schema: min of lane_utilization was 0.125 at 2025-11-10 09:07:15 EST, "
    "over 240 samples in this run; allowed > 0.20",
    kind="load",
    allowed="> 0.20",
    samples=960,
    parts=(
        check("test_every_lane_with_work_gets_slots"),
        *(
            group(
                Verdict.FAIL if lane == "Data-Schema" else Verdict.PASS,
                f"min of lane_utilization was {value} at 2025-11-10 09:07:15 EST, "
                "over 240 samples in this run; allowed > 0.20",
                Estimate(value, 240, at="2025-11-10T09:07:15-05:00"),
                lane=lane,
            )
            for lane, value in zip(LANES, ("0.5", "0.125", "0.333333", "0.666667"), strict=True)
        ),
    ),
)

QUEUE = criterion(
    "queue-depth",
    Verdict.WARN,
    says="Queue depth stays under ten at every sample",
    because="max of queue_depth was 8 at 2025-11-10 09:31:00 EST, over 240 samples in this run; "
    "allowed < 10, but >= 8 is a warning",
    kind="load",
    allowed="< 10, warns >= 8",
    samples=240,
    parts=(
        group(
            Verdict.WARN,
            "max of queue_depth was 8 at 2025-11-10 09:31:00 EST, over 240 samples in this run; "
            "allowed < 10, but >= 8 is a warning",
            Estimate("8", 240, at="2025-11-10T09:31:00-05:00"),
        ),
    ),
)

PAGED = criterion(
    "pagerduty-incident",
    Verdict.NOT_APPLICABLE,
    says="An incident is opened",
    because="PD_ROUTING_KEY is not configured",
    severity="optional",
    kind="alerting",
    parts=(group(Verdict.NOT_APPLICABLE, "PD_ROUTING_KEY is not configured"),),
)

RUNBOOK = criterion(
    "runbook-linked",
    Verdict.MISSING,
    says="The alert links to its runbook",
    because="nobody has attested it",
    severity="soft",
    kind="manual",
    parts=(Part(Subject(SubjectKind.ATTESTATION), Verdict.MISSING, Reason("attested.nobody")),),
)


def owed(finding: Finding, owner: str = "operations", due: str = "plms.day4/entry") -> Condition:
    """A finding as a condition."""
    return Condition(finding.id, finding.verdict, finding.reason, owner, due)


def cause(finding: Finding, answer: Answer = Answer.HOLD) -> Cause:
    """A finding as what an answer rests on."""
    state = State.of(finding.verdict).value if finding.kind == "guardrail" else ""
    return Cause(finding.id, answer, finding.reason, state)


def whole(text: str, answer: Answer = Answer.HOLD) -> Cause:
    """A text as what an answer rests on, of no finding."""
    return Cause("", answer, said(text))


def decision(answer: Answer = Answer.GO, **changes: Any) -> Decision:
    """A decision of plms.day3/exit in prod; a GO without conditions unless told otherwise."""
    plain = Decision(
        plan="plms",
        plan_title="PLMS Tier 1, seven-day rollout",
        plan_digest="55d85e95a4ab111f322fbe3bffd5254d319626ec0fa2baf5f5dd76a85e7b9ef1",
        phase="day3",
        phase_title="Portfolio scheduler",
        gate=Gate.EXIT,
        environment="prod",
        release="plms-v1.0.0",
        configuration="sha256:9c1185a5c5e9fc54612808977ee8f548b2258d31",
        run="20251110T150102-46ef62",
        drill=None,
        decided_at="2025-11-10T10:12:04.150716-05:00",
        judged_at="2025-11-10T10:12:04.150716-05:00",
        timezone="America/New_York",
        window="Mon 2025-11-10 09:00-11:00 EST",
        window_instants=("2025-11-10T09:00:00-05:00", "2025-11-10T11:00:00-05:00"),
        zone_data="2025b",
        decision=answer,
        reasons=(Cause("", answer, Reason("gate.holds", {"hard": 3, "waived": 0})),),
        conditions=(),
        partial=(),
        demands=DEMANDS,
        criteria=PASSING,
        guardrails=(),
        looks=4,
        waivers=(),
        resets=(),
        stand_ins=(),
        criteria_digest="85c7a96b64695bda8658f42b1fafee554b42decad1f1a4332333429fb9c4e6f9",
        ledger=Head(709, "6ae6253d0e8388d97d22c95c92405f62f54243dbec7e37fc8c32808aebc83ce9"),
    )
    changed = replace(plain, **changes)
    return replace(changed, substance_digest=substance(changed))


def waived(id_: str, use: WaiverUse = WaiverUse.APPLIED, limit: str = "") -> Waived:
    """A waiver of a criterion, in use unless told otherwise."""
    return Waived(id_, use, "two hosts only", "A. Author", "B. Approver", "2025-11-30", limit)
