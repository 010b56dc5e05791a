"""Resets: a person's recorded word that a guardrail is to be judged anew."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Reset:
    """Whatever was known of a guardrail at that instant does not trip or blind it any more."""

    guardrail: str  # full id
    by: str
    reason: str
    at_us: int  # when it was recorded
    at: str  # the same as a stamp
    was: str  # how the guardrail stood then
    release: str | None = None  # whose evidence it is about
