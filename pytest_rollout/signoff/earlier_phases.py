"""What must be done before a phase: others that it requires, and itself after a ROLLBACK. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.plan import Phase, Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waives
from pytest_rollout.signoff.moments import Moment, held, passed, refused
from pytest_rollout.signoff.opening_hours import waived


class Known(Protocol):
    """What must be known of a gate and of the phases that it requires."""

    @property
    def release(self) -> str | None:
        """What the target says now."""

    @property
    def required(self) -> Mapping[str, str]:
        """The answer of each required phase's exit."""

    @property
    def required_release(self) -> Mapping[str, str | None]:
        """The release of each required phase's exit."""

    @property
    def begins(self) -> str:
        """The gate's run, where the ledger holds nothing that is older; else empty."""


def required(plan: Plan, phase: Phase, known: Known, moment: Moment) -> Iterator[Finding]:
    """A finding for each phase that must be GO before, for the release that runs now."""
    for name in phase.requires:
        answer = known.required.get(name, "undecided")
        gate = str(plan.required(name))
        begins = known.begins if name not in known.required else ""
        stated: dict[str, Fact] = {"phase": name, "gate": gate, "answer": answer}
        reason = Reason("clear.requires", stated | ({"begins": begins} if begins else {}))
        release = known.required_release.get(name, known.release)
        if answer == Answer.GO.value and release != known.release and name not in phase.any_release:
            facts: dict[str, Fact] = {"gate": gate, "judged": release, "runs": known.release}
            yield refused("requires", "clear.requires-other-release", **facts)
        elif answer == Answer.GO.value:
            yield Finding("clearance.requires", Verdict.PASS, reason)
        elif answer in (Answer.HOLD.value, Answer.NO_GO.value):
            waivers = plan.waivers_of(Waives.REQUIRES, phase.id, name)
            yield waived(plan, reason, "requires", waivers, known.release, moment)
        else:  # never looked at, or rolled back: nothing that could be accepted
            yield held("requires", reason)


def revalidated(phase: Phase, rolled_back: str, lacking: Mapping[str, str]) -> Iterator[Finding]:
    """After a ROLLBACK, what the plan wants looked at again before the phase goes on."""
    for gate in phase.rollback.revalidate if rolled_back else ():
        facts: dict[str, Fact] = {"gate": gate, "rolled_back": rolled_back}
        why = lacking.get(gate)
        if why:
            yield refused("revalidated", "clear.revalidate", **facts, why=why)
        else:
            yield passed("revalidated", "clear.revalidated", **facts)
