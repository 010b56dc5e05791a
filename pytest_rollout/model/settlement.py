"""Settlements: what a person says of a run that was ended before it had seen everything."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Settlement:
    """A person's word that what a run did not finish may be taken as not run.

    It lifts nothing that the run saw: what it recorded counts as ever.
    """

    run: str
    by: str
    why: str
    at_us: int  # when it was recorded
    at: str  # the same as an instant with an offset
