"""Waivers: what a plan's people accept although it does not hold, for how long and why."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.rule import Cut


class Waives(StrEnum):
    """What a waiver is about."""

    CRITERION = "criterion"
    WINDOW = "window"
    REQUIRES = "requires"


class WindowDemand(StrEnum):
    """Which demand on the moment of a change a waiver of a window lifts."""

    PHASE = "phase"  # the phase's own date and hours
    CHANGE = "change"  # the change windows of the plan
    FREEZE = "freeze"


@dataclass(frozen=True, slots=True)
class Waiver:
    """One reviewed exception; it ends with its last day, its release and its phase."""

    kind: Waives
    phase: str
    what: str  # the criterion's slug, the opening, or the required phase
    reason: str
    author: str
    approver: str
    until: dt.date  # the last day, in the plan's zone
    limit: Cut | None = None  # how far a rule may be missed; None: any value that was seen
    release: str | None = None  # None: any
    file: str = ""
    line: int = 0

    @property
    def terms(self) -> str:
        """Until when, by whom and why, as a reader would say it."""
        return f"until {self.until}, approved by {self.approver}: {self.reason}"

    def kept(self, id_: str, use: WaiverUse) -> Waived:
        """The waiver as a decision about a criterion keeps it."""
        return Waived(
            id=id_,
            use=use,
            reason=self.reason,
            author=self.author,
            approver=self.approver,
            until=self.until.isoformat(),
            limit=self.limit.text if self.limit else "",
            release=self.release,
        )


class WaiverUse(StrEnum):
    """What became of a criterion's waiver in a decision."""

    APPLIED = "applied"
    UNNEEDED = "not needed"  # the criterion holds, or does not apply
    SHORT = "not enough"  # beyond its limit, or something was not seen at all
    EXPIRED = "expired"
    OTHER = "of another release"


@dataclass(frozen=True, slots=True)
class Waived:
    """A waiver as a decision keeps it."""

    id: str  # the criterion's full id
    use: WaiverUse
    reason: str
    author: str
    approver: str
    until: str
    limit: str = ""
    release: str | None = None

    @property
    def words(self) -> str:
        """The waiver in one line."""
        limit = f" up to {self.limit}" if self.limit else ""
        release = f" of release {self.release}" if self.release else ""
        people = f"asked by {self.author}, approved by {self.approver}"
        waived = f"{self.id}{limit}{release}: {self.use.value}"
        return f"{waived}; until {self.until}, {people}: {self.reason}"
