"""A decision in which every text is an attack."""

from __future__ import annotations

from pytest_rollout.model.decision import Cause, Decision
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
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waived, WaiverUse
from pytest_rollout.report.sentences import TABLE
from tests.report import report_decisions as given

HOSTILE = (
    "<img src=x onerror=alert(1)>\x1b[31m\x9b1mred\x00\n\r|`](javascript:1)\u202e\ud800'\""
    "{{7919*7907}}"
)


def hostile() -> Decision:
    """Every text of a decision is an attack."""
    facts = dict.fromkeys(("subject", "metric", "value", "at", "until", "since"), HOSTILE)
    estimate = Estimate(HOSTILE, 3, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    tried = Attempted(Verdict.FAIL, said(HOSTILE))
    parts = tuple(
        Part(subject, Verdict.FAIL, reason, estimate, (tried, tried))
        for subject in (
            *(Subject(kind, HOSTILE) for kind in SubjectKind),
            Subject(SubjectKind.GROUP, labels=((HOSTILE, HOSTILE),)),
        )
        for reason in (said(HOSTILE), Reason(HOSTILE, facts), *(Reason(c, facts) for c in TABLE))
    )
    bad = Finding(
        *(HOSTILE, Verdict.FAIL, said(HOSTILE)),
        says=HOSTILE,
        severity=HOSTILE,
        kind=HOSTILE,
        allowed=HOSTILE,
        samples=3,
        parts=parts,
    )
    return given.decision(
        Answer.NO_GO,
        plan=HOSTILE,
        phase=HOSTILE,
        reasons=(
            Cause("", Answer.NO_GO, said(HOSTILE)),
            Cause(HOSTILE, Answer.NO_GO, said(HOSTILE)),
        ),
        conditions=(given.owed(bad, HOSTILE, HOSTILE),),
        criteria=(bad,),
        demands=(bad,),
        guardrails=(bad,),
        plan_title=HOSTILE,
        phase_title=HOSTILE,
        plan_digest=HOSTILE,
        environment=HOSTILE,
        run=HOSTILE,
        decided_at=HOSTILE,
        judged_at=HOSTILE,
        release=HOSTILE,
        configuration=HOSTILE,
        window=HOSTILE,
        timezone=HOSTILE,
        ledger=Head(1, HOSTILE),
        partial=(HOSTILE,),
        drill=HOSTILE,
        stand_ins=(HOSTILE,),
        waivers=(Waived(HOSTILE, WaiverUse.APPLIED, *[HOSTILE] * 6),),
        zone_data=HOSTILE,
        criteria_digest=HOSTILE,
        judge=HOSTILE,
    )
