"""May the change start, right now? Pure: from what is known of a gate at a moment.

A decision says that the evidence is good; a clearance asks for more: that the decision still
holds for this release and plan, that what came before is done, and that now is the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.judge.case import criteria_digest
from pytest_rollout.model.decision import Decision
from pytest_rollout.model.finding import Finding, said
from pytest_rollout.model.plan import Address, Gate, Phase, Plan
from pytest_rollout.model.rule import duration_words
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Opening, Use, Waiver, Waives
from pytest_rollout.report import sentences


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a gate."""

    run: str  # its last full run
    decision: Decision | None  # the one that run stored
    again: Decision | None  # the same run judged again
    doubt: str = ""  # why the stored decision cannot be believed
    release: str | None = None  # what the target says now; not asked of a rehearsal
    release_error: str = ""
    required: Mapping[str, str] = field(default_factory=dict)  # phase to its exit's answer
    rolled_back: str = ""  # when and how the phase was; empty where it was not
    revalidate: Mapping[str, str] = field(default_factory=dict)  # gate to why it is not GO anew


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer for one gate."""

    address: Address
    answer: Answer
    findings: tuple[Finding, ...]


def clearance(
    plan: Plan, address: Address, known: Known, now: datetime, max_age_us: int | None = None
) -> Clearance:
    """Whether a change behind a gate may start now, and every demand with its finding.

    ``max_age_us`` bounds the age of the decision, besides the environment's own `max_age`.
    """
    findings = tuple(_demands(plan, address, known, now, max_age_us))
    return Clearance(address, _answer(known, findings), findings)


def _answer(known: Known, findings: tuple[Finding, ...]) -> Answer:
    if not any(finding.verdict.holds_back for finding in findings):
        return Answer.GO
    believed = known.decision is not None and not known.doubt
    if believed and known.decision and known.decision.answer is not Answer.GO:
        return known.decision.answer
    return Answer.HOLD


def _demands(
    plan: Plan, address: Address, known: Known, now: datetime, max_age_us: int | None
) -> Iterator[Finding]:
    decision = known.decision
    if decision is None or known.doubt:
        yield _no("decision", known.doubt or f"run {known.run} stored no decision")
        return
    yield from _decided(decision, known.again)
    phase = plan.phase(address.phase)
    if phase is None or address.gate is None:
        yield _no("plan", f"the plan has no phase {address.phase} any more")
        return
    yield _same_plan(phase, address.gate, decision)
    yield _fresh(plan, decision, now, max_age_us)
    yield from _waivers(plan, phase, decision, now)
    if not plan.environments[decision.environment].embedded:
        yield from _real(plan, phase, decision, known, now)


def _real(
    plan: Plan, phase: Phase, decision: Decision, known: Known, now: datetime
) -> Iterator[Finding]:
    """What is asked of a real environment only: a rehearsal starts nothing."""
    if plan.release is not None:
        yield _same_release(decision, known)
    yield from _revalidated(phase, known)
    if decision.gate is Gate.ENTRY:
        yield from _required(plan, phase, known, now)
        yield from _open(plan, phase, known, now)
    if phase.signoff:
        yield _no("signatures", f"not signed by {', '.join(phase.signoff)}")


def _decided(decision: Decision, again: Decision | None) -> Iterator[Finding]:
    answer = decision.answer.value
    if decision.answer is not Answer.GO:
        zone = decision.timezone
        causes = [sentences.cause(one.id, one.reason, zone) for one in decision.reasons]
        yield _no("decision", f"{answer}: {'; '.join(causes)}")
    elif again is None or again.substance_digest != decision.substance_digest:
        now = f"now {again.answer.value}" if again else "its plan is not in the ledger"
        yield _no("decision", f"{answer} was stored, but judged again it is not the same ({now})")
    else:
        yield _yes("decision", f"{answer} of run {decision.run}, sealed, the same judged again")


def _same_plan(phase: Phase, gate: Gate, decision: Decision) -> Finding:
    if criteria_digest(phase, gate) == decision.criteria_digest:
        return _yes("plan", "the gate asks now what was judged")
    return _no("plan", "the gate's criteria or guardrails were changed since it was decided")


def _fresh(plan: Plan, decision: Decision, now: datetime, max_age_us: int | None) -> Finding:
    limits = [plan.environments[decision.environment].max_age_us, max_age_us]
    known = [limit for limit in limits if limit is not None]
    age_us = calendar.to_us(now) - calendar.to_us(datetime.fromisoformat(decision.decided_at))
    when = calendar.wall(calendar.to_us(now) - age_us, plan.timezone)
    if age_us < 0:
        return _no("age", f"decided at {when}, which is still to come")
    if known and age_us > min(known):
        return _no("age", f"decided at {when}, longer ago than {duration_words(min(known))}")
    return _yes("age", f"decided at {when}")


def _same_release(decision: Decision, known: Known) -> Finding:
    if known.release_error:
        return _no("release", f"the release could not be read: {known.release_error}")
    if known.release != decision.release:
        return _no("release", f"{decision.release} was judged, {known.release} runs now")
    return _yes("release", f"{known.release} was judged and runs now")


def _required(plan: Plan, phase: Phase, known: Known, now: datetime) -> Iterator[Finding]:
    for name in phase.requires:
        answer = known.required.get(name, "undecided")
        if answer == Answer.GO.value:
            yield _yes("requires", f"{name}/exit is {answer}")
            continue
        finding = _no("requires", f"{name}/exit is {answer}")
        if answer not in (Answer.HOLD.value, Answer.NO_GO.value):
            yield finding  # never looked at, or rolled back: nothing that could be accepted
            continue
        waivers = plan.waivers_of(Waives.REQUIRES, phase.id, name)
        yield _waived(plan, f"{name}/exit is {answer}", "requires", waivers, known, now)


def _revalidated(phase: Phase, known: Known) -> Iterator[Finding]:
    """After a ROLLBACK, what the plan wants looked at again before the phase goes on."""
    if not known.rolled_back:
        return
    for gate in phase.rollback.revalidate:
        why = known.revalidate.get(gate)
        if why:
            yield _no("revalidated", f"{gate} must be GO anew ({known.rolled_back}): {why}")
        else:
            yield _yes("revalidated", f"{gate} is GO anew since {known.rolled_back}")


def _open(plan: Plan, phase: Phase, known: Known, now: datetime) -> Iterator[Finding]:
    words = calendar.opening_words(plan, phase, now)
    closed = dict(_closed(plan, phase, now))
    for opening, why in closed.items():
        waivers = plan.waivers_of(Waives.WINDOW, phase.id, opening.value)
        yield _waived(plan, f"{why}; {words}", "window", waivers, known, now)
    if not closed:
        yield _yes("window", f"{calendar.wall(calendar.to_us(now), plan.timezone)}: {words}")


def _closed(plan: Plan, phase: Phase, now: datetime) -> Iterator[tuple[Opening, str]]:
    """What of the calendar stands against a moment."""
    moment = calendar.wall(calendar.to_us(now), plan.timezone)
    window = calendar.phase_window(plan, phase)
    if window and not window[0] <= now < window[1]:
        yield Opening.PHASE, f"{moment} is outside of {calendar.window_words(plan, phase)}"
    freeze = calendar.frozen(plan, now, phase.risk)
    if freeze is not None:
        yield Opening.FREEZE, f"{moment} is in {freeze}"
    if not calendar.admitted(plan, phase, now):
        risk = f" of {phase.risk} risk" if phase.risk else ""
        yield Opening.CHANGE, f"no change window admits a change{risk} at {moment}"


def _waived(
    plan: Plan, why: str, name: str, waivers: tuple[Waiver, ...], known: Known, now: datetime
) -> Finding:
    """What stands against a change, unless a waiver of it is in force."""
    for waiver in waivers:
        if waiver.release not in (None, known.release):
            continue
        if _over(plan, waiver, now):
            return _no(name, f"{why}; its waiver expired at the end of {waiver.until}")
        reason = said(f"{why}; waived {waiver.terms}")
        return Finding(f"clearance.{name}", Verdict.WAIVED, reason)
    return _no(name, why)


def _over(plan: Plan, waiver: Waiver, now: datetime) -> bool:
    return calendar.end_of_day(waiver.until, plan.timezone) <= calendar.to_us(now)


def _waivers(plan: Plan, phase: Phase, decision: Decision, now: datetime) -> Iterator[Finding]:
    """The waivers that the decision rests on must still stand, as they were."""
    for used in decision.waivers:
        if used.use is not Use.APPLIED:
            continue
        slug = used.id.rpartition(".")[2]
        stated = plan.waivers_of(Waives.CRITERION, phase.id, slug)
        same = [one for one in stated if one.kept(used.id, Use.APPLIED) == used]
        if not same:
            yield _no("waivers", f"the waiver of {used.id} was changed or withdrawn since")
        elif _over(plan, same[0], now):
            yield _no("waivers", f"the waiver of {used.id} expired at the end of {used.until}")
        else:
            yield _yes("waivers", used.words)


def _yes(name: str, because: str) -> Finding:
    return Finding(f"clearance.{name}", Verdict.PASS, said(because))


def _no(name: str, because: str) -> Finding:
    return Finding(f"clearance.{name}", Verdict.MISSING, said(because))
