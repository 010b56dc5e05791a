"""A decision in which every text is an attack."""

from __future__ import annotations

from pytest_rollout.model.decision import Decision, Estimate, Finding, Part
from pytest_rollout.model.evidence import Head
from pytest_rollout.model.plan import Address, Gate
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Use, Waived
from tests.report import report_decisions as given

HOSTILE = (
    "<img src=x onerror=alert(1)>\x1b[31m\x9b1mred\x00\n\r|`](javascript:1)\u202e\ud800'\"{{7*7}}"
)


def hostile() -> Decision:
    """Every text of a decision is an attack."""
    part = Part(HOSTILE, Verdict.FAIL, HOSTILE, Estimate(HOSTILE, 3, HOSTILE), (HOSTILE, HOSTILE))
    bad = Finding(HOSTILE, Verdict.FAIL, HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, 3, (part,))
    return given.decision(
        Answer.NO_GO,
        address=Address(HOSTILE, HOSTILE, Gate.EXIT),
        reasons=(HOSTILE, f"{HOSTILE}: {HOSTILE}"),
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
        head=Head(1, HOSTILE),
        partial=(HOSTILE,),
        drill=HOSTILE,
        stand_ins=(HOSTILE,),
        waivers=(Waived(HOSTILE, Use.APPLIED, *[HOSTILE] * 6),),
        zone_data=HOSTILE,
        criteria_digest=HOSTILE,
        judge=HOSTILE,
        notes={HOSTILE: HOSTILE},
    )
