"""May the change start, right now? Pure: from what is known of a gate at a moment.

A decision says that the evidence is good; a clearance asks for more: that the decision still
holds for this release and plan, that what came before is done, and that now is the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.judge.case import criteria_digest, instant
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.finding import Fact, Finding, Reason, said
from pytest_rollout.model.plan import Address, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Waiver, WaiverUse, Waives, WindowDemand
from pytest_rollout.signoff.signatures import Signed, SignoffDemand, signatures


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What is known of a gate."""

    run: str  # its last full run
    decision: Decision | None  # the one that run stored
    again: Decision | None  # the same run judged again
    doubt: Reason | None = None  # why the stored decision cannot be believed
    release: str | None = None  # what the target says now; not asked of a rehearsal
    release_error: str = ""
    others: tuple[OtherRun, ...] = ()  # partial and overlapping runs
    judged_at: Mapping[str, str] = field(default_factory=dict)  # where each target was
    runs_at: Mapping[str, str] = field(default_factory=dict)  # where each is now
    required: Mapping[str, str] = field(default_factory=dict)  # phase to its exit's answer
    required_release: Mapping[str, str | None] = field(default_factory=dict)  # of those
    begins: str = ""  # the run with which the ledger begins, where that is the one asked about
    rolled_back: str = ""  # when and how the phase was; empty where it was not
    revalidate: Mapping[str, str] = field(default_factory=dict)  # gate to why it is not GO anew
    frozen: Reason | None = None  # a recorded freeze that was not lifted
    tripped: tuple[Reason, ...] = ()  # trips on record that were not reset
    settled: tuple[Reason, ...] = ()  # runs after it that were ended early, and settled
    signed: tuple[Signed, ...] = ()  # signatures of the gate, as they were recorded


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer for one gate."""

    address: Address
    answer: Answer
    findings: tuple[Finding, ...]


def clearance(
    plan: Plan, address: Address, known: GateFacts, now: datetime, max_age_us: int | None = None
) -> Clearance:
    """Whether a change behind a gate may start now, and every demand with its finding.

    ``max_age_us`` bounds the age of the decision, besides the environment's own `max_age`.
    """
    findings = tuple(_demands(plan, address, known, now, max_age_us))
    return Clearance(address, _answer(known, findings), findings)


def _answer(known: GateFacts, findings: tuple[Finding, ...]) -> Answer:
    if not any(finding.verdict.holds_back for finding in findings):
        return Answer.GO
    believed = known.decision is not None and not known.doubt
    if believed and known.decision and known.decision.answer is not Answer.GO:
        return known.decision.answer
    return Answer.HOLD


def _demands(
    plan: Plan, address: Address, known: GateFacts, now: datetime, max_age_us: int | None
) -> Iterator[Finding]:
    decision = known.decision
    if decision is None or known.doubt:
        yield _held("decision", known.doubt or Reason("run.undecided", {"run": known.run}))
        return
    yield from _decided(decision, known.again)
    yield from (_held("decision", reason) for other in known.others for reason in _against(other))
    yield from (Finding("clearance.settled", Verdict.PASS, reason) for reason in known.settled)
    phase = plan.phase(address.phase)
    if phase is None or address.gate is None:
        yield _no("plan", "clear.no-phase", phase=address.phase)
        return
    yield _same_plan(phase, address.gate, decision)
    yield _fresh(plan, decision, now, max_age_us)
    yield from _waivers(plan, phase, decision, now)
    if not plan.environments[decision.environment].embedded:
        yield from _real(plan, phase, decision, known, now)


def _real(
    plan: Plan, phase: Phase, decision: Decision, known: GateFacts, now: datetime
) -> Iterator[Finding]:
    """What is asked of a real environment only: a rehearsal starts nothing."""
    if plan.release is not None:
        yield _same_release(decision, known)
    yield from _same_addresses(known)
    for reason in known.tripped:
        yield _held("trips", reason)
    if known.frozen:
        yield _held("freeze", known.frozen)
    yield from _revalidated(phase, known)
    if decision.gate is Gate.ENTRY:
        yield from _required(plan, phase, known, now)
        yield from _open(plan, phase, known, now)
    yield from signatures(SignoffDemand(plan, phase, decision, now), known.signed)


def _decided(decision: Decision, again: Decision | None) -> Iterator[Finding]:
    answer = decision.answer.value
    if decision.answer is not Answer.GO:
        causes = tuple(
            Reason("told", {"subject": cause.id, "reason": cause.reason})
            for cause in decision.reasons
        )
        yield _no("decision", "gate.no", answer=answer, causes=causes)
    elif again is None or again.substance_digest != decision.substance_digest:
        now = again.answer.value if again else None
        yield _no("decision", "clear.differs", answer=answer, again=now)
    else:
        yield _yes("decision", "clear.same", answer=answer, run=decision.run)


def _against(other: OtherRun) -> Iterator[Reason]:
    """What another run knows against the decision of the last full one."""
    facts: dict[str, Fact] = {"run": other.run}
    decision = other.decision
    if not other.later and decision is None:
        yield Reason("clear.overlapped-unfinished", {**facts, "why": other.why})
    elif not other.later and decision and decision.answer is not Answer.GO:
        yield Reason("clear.overlapped", {**facts, "answer": decision.answer.value})
    elif other.later:
        seen = [(one, said(why or "it failed")) for one, why in other.failed]
        if decision and decision.answer in (Answer.NO_GO, Answer.ROLLBACK):
            seen = [(cause.id, cause.reason) for cause in decision.reasons]
        causes = tuple(Reason("told", {"subject": one, "reason": why}) for one, why in seen)
        if causes:
            yield Reason("clear.failed-since", {**facts, "causes": causes})


def _same_plan(phase: Phase, gate: Gate, decision: Decision) -> Finding:
    if criteria_digest(phase, gate) == decision.criteria_digest:
        return _yes("plan", "clear.asked-the-same")
    return _no("plan", "clear.asked-otherwise")


def _fresh(plan: Plan, decision: Decision, now: datetime, max_age_us: int | None) -> Finding:
    limits = [plan.environments[decision.environment].max_age_us, max_age_us]
    known = [limit for limit in limits if limit is not None]
    decided_us = calendar.to_us(datetime.fromisoformat(decision.decided_at))
    age_us = calendar.to_us(now) - decided_us
    at = instant(decided_us, plan.timezone)
    if age_us < 0:
        return _no("age", "clear.decided-ahead", at=at)
    if known and age_us > min(known):
        return _no("age", "clear.decided-too-long-ago", at=at, life_us=min(known))
    over = [end for end in decision.ends if now > datetime.fromisoformat(end.until)]
    if over:
        return _no("age", "clear.ended", until=over[0].until, reason=over[0].reason)
    return _yes("age", "clear.decided", at=at)


def _same_release(decision: Decision, known: GateFacts) -> Finding:
    if known.release_error:
        return _no("release", "release.unreadable", error=known.release_error)
    if known.release != decision.release:
        facts: dict[str, Fact] = {"judged": decision.release, "runs": known.release}
        return _no("release", "clear.other-release", **facts)
    return _yes("release", "clear.same-release", release=known.release)


def _same_addresses(known: GateFacts) -> Iterator[Finding]:
    """A release of the same name somewhere else is not what was judged."""
    for name, judged in known.judged_at.items():
        now = known.runs_at.get(name)
        if now != judged:
            yield _no("target", "clear.other-address", target=name, judged=judged, runs=now)


def _required(plan: Plan, phase: Phase, known: GateFacts, now: datetime) -> Iterator[Finding]:
    for name in phase.requires:
        answer = known.required.get(name, "undecided")
        gate = str(Address(plan.id, name, Gate.EXIT))
        begins = known.begins if name not in known.required else ""
        stated: dict[str, Fact] = {"phase": name, "gate": gate, "answer": answer}
        reason = Reason("clear.requires", stated | ({"begins": begins} if begins else {}))
        release = known.required_release.get(name, known.release)
        if answer == Answer.GO.value and release != known.release and name not in phase.any_release:
            facts: dict[str, Fact] = {"gate": gate, "judged": release, "runs": known.release}
            yield _no("requires", "clear.requires-other-release", **facts)
        elif answer == Answer.GO.value:
            yield Finding("clearance.requires", Verdict.PASS, reason)
        elif answer in (Answer.HOLD.value, Answer.NO_GO.value):
            waivers = plan.waivers_of(Waives.REQUIRES, phase.id, name)
            yield _waived(plan, reason, "requires", waivers, known, now)
        else:  # never looked at, or rolled back: nothing that could be accepted
            yield _held("requires", reason)


def _revalidated(phase: Phase, known: GateFacts) -> Iterator[Finding]:
    """After a ROLLBACK, what the plan wants looked at again before the phase goes on."""
    if not known.rolled_back:
        return
    for gate in phase.rollback.revalidate:
        facts: dict[str, Fact] = {"gate": gate, "rolled_back": known.rolled_back}
        why = known.revalidate.get(gate)
        if why:
            yield _no("revalidated", "clear.revalidate", **facts, why=why)
        else:
            yield _yes("revalidated", "clear.revalidated", **facts)


def _open(plan: Plan, phase: Phase, known: GateFacts, now: datetime) -> Iterator[Finding]:
    at = instant(calendar.to_us(now), plan.timezone)
    moment: dict[str, Fact] = {"at": at, "opens": calendar.opening_words(plan, phase, now)}
    closed = dict(_closed(plan, phase, now, moment))
    for opening, reason in closed.items():
        waivers = plan.waivers_of(Waives.WINDOW, phase.id, opening.value)
        yield _waived(plan, reason, "window", waivers, known, now)
    if not closed:
        yield _yes("window", "clear.open", **moment)


def _closed(
    plan: Plan, phase: Phase, now: datetime, moment: Mapping[str, Fact]
) -> Iterator[tuple[WindowDemand, Reason]]:
    """What of the calendar stands against a moment."""
    window = calendar.phase_window(plan, phase)
    if window and not window[0] <= now < window[1]:
        words = calendar.window_words(plan, phase)
        yield WindowDemand.PHASE, Reason("clear.outside", {**moment, "window": words})
    freeze = calendar.frozen(plan, now, phase.risk)
    if freeze is not None:
        yield WindowDemand.FREEZE, Reason("clear.frozen", {**moment, "freeze": str(freeze)})
    if not calendar.admitted(plan, phase, now):
        yield WindowDemand.CHANGE, Reason("clear.not-admitted", {**moment, "risk": phase.risk})


def _waived(
    plan: Plan,
    reason: Reason,
    name: str,
    waivers: tuple[Waiver, ...],
    known: GateFacts,
    now: datetime,
) -> Finding:
    """What stands against a change, unless a waiver of it is in force."""
    for waiver in waivers:
        if waiver.release not in (None, known.release):
            continue
        terms: dict[str, Fact] = {"reason": reason, "until": waiver.until.isoformat()}
        if _over(plan, waiver, now):
            return _no(name, "waiver.expired", **terms)
        terms |= {"approver": waiver.approver, "why": waiver.reason}
        return Finding(f"clearance.{name}", Verdict.WAIVED, Reason("waived", terms))
    return _held(name, reason)


def _over(plan: Plan, waiver: Waiver, now: datetime) -> bool:
    return calendar.end_of_day(waiver.until, plan.timezone) <= calendar.to_us(now)


def _waivers(plan: Plan, phase: Phase, decision: Decision, now: datetime) -> Iterator[Finding]:
    """The waivers that the decision rests on must still stand, as they were."""
    for used in decision.waivers:
        if used.use is not WaiverUse.APPLIED:
            continue
        slug = used.id.rpartition(".")[2]
        stated = plan.waivers_of(Waives.CRITERION, phase.id, slug)
        same = [waiver for waiver in stated if waiver.kept(used.id, WaiverUse.APPLIED) == used]
        if not same:
            yield _no("waivers", "clear.waiver-changed", criterion=used.id)
        elif _over(plan, same[0], now):
            yield _no("waivers", "clear.waiver-over", criterion=used.id, until=used.until)
        else:
            yield Finding("clearance.waivers", Verdict.PASS, said(used.words))


def _yes(name: str, code: str, **facts: Fact) -> Finding:
    return Finding(f"clearance.{name}", Verdict.PASS, Reason(code, facts))


def _no(name: str, code: str, **facts: Fact) -> Finding:
    return _held(name, Reason(code, facts))


def _held(name: str, reason: Reason) -> Finding:
    return Finding(f"clearance.{name}", Verdict.MISSING, reason)
