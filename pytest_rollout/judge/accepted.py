"""Conditions of what people accepted: that no release can be read, and overrides of clearances."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.judge.case import Case
from pytest_rollout.model.decision import Condition
from pytest_rollout.model.finding import Reason
from pytest_rollout.model.verdict import Verdict


def accepted(case: Case, owner: str, due: str) -> Iterator[Condition]:
    """A condition for each: it stands on every later decision of the phase and the release."""
    if case.embedded:
        return
    if case.plan.no_release:
        why = Reason("release.has-none", {"why": case.plan.no_release})
        yield Condition("run.release", Verdict.WARN, why, owner, due)
    for override in case.world.overrides:
        reason = Reason(
            "overridden",
            {
                "gate": override.gate,
                "by": override.by,
                "at": case.instant(override.at_us),
                "why": override.why,
            },
        )
        yield Condition("clearance.override", Verdict.WAIVED, reason, owner, due)
