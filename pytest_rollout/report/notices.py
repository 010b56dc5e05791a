"""What limits the worth of an answer: the notices of a report."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.plan import EMBEDDED
from pytest_rollout.model.waiver import WaiverUse
from pytest_rollout.report import text


@dataclass(frozen=True, slots=True)
class Banner:
    """Something that limits what the answer is worth, and what there is to say of it."""

    title: str
    says: str
    items: tuple[str, ...] = ()


def notices(decision: Decision) -> tuple[Banner, ...]:
    """What a reader must know before trusting the answer."""
    banners = []
    if decision.drill:
        says = f"The fault {text.cut(decision.drill, text.NAME)} was planted on purpose. "
        banners.append(Banner("Drill", says + "A drill satisfies no gate."))
    if decision.partial:
        says = "Some of what is bound to this gate was left out."
        banners.append(Banner("Partial run", says, decision.partial))
    if decision.rehearsal_only:
        says = "Checks that are marked rehearsal_only: not made here, and no evidence."
        banners.append(Banner("For rehearsals only", says, decision.rehearsal_only))
    if decision.environment == EMBEDDED and not decision.drill:
        says = "Evidence of a reference target; it satisfies no gate of another environment."
        banners.append(Banner("Rehearsal", says))
    if decision.stand_ins:
        says = "Answers that stand in for people's attestations."
        banners.append(Banner("Stand-ins", says, decision.stand_ins))
    if decision.waivers:
        banners.append(Banner("Waivers", *_waivers(decision)))
    if decision.resets:
        says = "Guardrails that somebody reset: judged anew since then."
        resets = tuple(text.reset_words(reset, decision.timezone) for reset in decision.resets)
        banners.append(Banner("Resets", says, resets))
    if decision.amendments:
        says = "Asked otherwise than when the phase began, by the word of two people."
        banners.append(Banner("Amendments", says, text.amendments_said(decision)))
    return tuple(banners)


def _waivers(decision: Decision) -> tuple[str, tuple[str, ...]]:
    """How many waivers a gate has and how many of them it rests on, and each, those first."""
    uses = [waived.use for waived in decision.waivers]
    applied = uses.count(WaiverUse.APPLIED)
    says = (
        f"{text.count(len(uses), 'waiver')}, {applied} applied: accepted there, though not passed."
    )
    ordered = sorted(decision.waivers, key=lambda waived: waived.use is not WaiverUse.APPLIED)
    return says, tuple(waived.words for waived in ordered)
