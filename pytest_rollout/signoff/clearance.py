"""May the change start, right now? Pure: from what is known of a gate at a moment.

A decision says that the evidence is good; a clearance asks for more: that the decision still
holds for this release and plan, that what came before is done, and that now is the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import field
from datetime import datetime
from functools import partial

from pytest_rollout import calendar
from pytest_rollout.judge.case import criteria_digest, instant
from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.decision import Decision, OtherRun
from pytest_rollout.model.finding import Fact, Finding, Reason, said
from pytest_rollout.model.life import Life
from pytest_rollout.model.override import Override
from pytest_rollout.model.people import Authors, Stance
from pytest_rollout.model.plan import Address, Gate, Phase, Plan
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.signoff.earlier_phases import required, revalidated
from pytest_rollout.signoff.moments import Moment, held, lasting, named, passed, refused
from pytest_rollout.signoff.opening_hours import is_open, waivers_kept
from pytest_rollout.signoff.overriding import overridden
from pytest_rollout.signoff.signatures import Signed, SignoffDemand, signatures
from pytest_rollout.signoff.since_begin import since_begin


@dataclass(frozen=True, slots=True)
class GateFacts:
    """What is known of a gate."""

    run: str  # its last full run
    decision: Decision | None  # the one that run stored
    again: Decision | None  # the same run judged again
    doubt: Reason | None = None  # why the stored decision cannot be believed
    release: str | None = None  # what the target says now; not asked of a rehearsal
    release_error: str = ""
    configuration: str | None = None
    others: tuple[OtherRun, ...] = ()  # partial and overlapping runs
    merged: Decision | None = None  # judged again with what other ledgers knew; None: no others
    judged_at: Mapping[str, str] = field(default_factory=dict)  # where each target was
    runs_at: Mapping[str, str] = field(default_factory=dict)  # where each is now
    required: Mapping[str, str] = field(default_factory=dict)  # phase to its exit's answer
    required_release: Mapping[str, str | None] = field(default_factory=dict)  # of those
    oldest_us: int | None = None  # when the oldest run of a joined one ended
    noes: tuple[Reason, ...] = ()  # that people answered since its run
    earlier_life: Reason | None = None  # that the run is from before the phase began, or ended
    begins: str = ""  # the run with which the ledger begins, where that is the one asked about
    rolled_back: str = ""  # when and how the phase was; empty where it was not
    revalidate: Mapping[str, str] = field(default_factory=dict)  # gate to why it is not GO anew
    frozen: Reason | None = None  # a recorded freeze that was not lifted
    tripped: tuple[Reason, ...] = ()  # trips on record that were not reset
    taken_back: tuple[Reason, ...] = ()  # what the gate stands on and a ROLLBACK took back
    ended: Reason | None = None  # the phase of an exit gate has ended
    settled: tuple[Reason, ...] = ()  # runs after it that were ended early, and settled
    signed: tuple[Signed, ...] = ()  # signatures of the gate, as they were recorded
    blind: tuple[Reason, ...] = ()  # guardrails whose watch left holes that nobody reset
    running: bool = True  # whether a run that has not finished may still do so
    override: Override | None = None  # the newest one of the decision
    environment: str = ""  # the real one that is asked about; empty: a rehearsal
    life: Life | None = None  # of the phase since its begin, what runs now included
    authors: Authors | None = None  # of the change that was judged
    disowned: tuple[Reason, ...] = ()  # answers that today's keys do not bear out
    given: Mapping[str, Reason] = field(default_factory=dict)  # since the run ended, by full id


@dataclass(frozen=True, slots=True)
class Clearance:
    """The answer for one gate."""

    address: Address
    answer: Answer
    findings: tuple[Finding, ...]


def clearance(
    plan: Plan,
    address: Address,
    known: GateFacts,
    now: datetime,
    max_age_us: int | None = None,
    for_us: int = 0,
) -> Clearance:
    """Whether a change behind a gate may start now, and every demand with its finding.

    What stands against it comes first, worst first. ``max_age_us`` bounds the age of the
    decision, besides the environment's own `max_age`; ``for_us`` is how long the change takes:
    until then window, age and waivers must hold.
    """
    moment = Moment(now, for_us)
    demands = tuple(_demands(plan, address, known, moment, max_age_us))
    override = known.override if known.decision and not known.doubt else None
    findings = tuple(sorted(overridden(demands, override, moment, plan.timezone), key=_rank))
    return Clearance(address, _answer(known, findings), findings)


_WORST_FIRST = (
    *(
        "decision",
        "release",
        "configuration",
        "target",
        "trips",
        "blind",
        "revalidated",
        "requires",
        "plan",
    ),
    *("age", "waivers", "signatures", "freeze", "window"),
)


_PLACES = {name: place for place, name in enumerate(_WORST_FIRST)}


def _rank(finding: Finding) -> tuple[bool, int]:
    """Where a finding is listed; one without a place of its own comes after the decision."""
    return not finding.verdict.holds_back, _PLACES.get(named(finding), 0)


def _answer(known: GateFacts, findings: tuple[Finding, ...]) -> Answer:
    if not any(finding.verdict.holds_back for finding in findings):
        return Answer.GO
    believed = known.decision is not None and not known.doubt
    if believed and known.decision and known.decision.answer is not Answer.GO:
        return known.decision.answer
    return Answer.HOLD


def _demands(
    plan: Plan, address: Address, known: GateFacts, moment: Moment, max_age_us: int | None
) -> Iterator[Finding]:
    decision, phase = known.decision, plan.phase(address.phase)
    if known.ended:
        yield Finding("clearance.ended", Verdict.PASS, known.ended)
    if decision is None or known.doubt:
        yield held("decision", known.doubt or Reason("run.undecided", {"run": known.run}))
        if phase and known.environment:
            against = _started(plan, phase, address.gate, known, moment)
            yield from (finding for finding in against if finding.verdict.holds_back)
        return
    yield from _decided(decision, known.again, known.given)
    yield from (held("decision", reason) for run in known.others for reason in _against(run))
    yield from _merged(decision, known.merged)
    yield from (Finding("clearance.settled", Verdict.PASS, reason) for reason in known.settled)
    if phase is None or address.gate is None:
        yield refused("plan", "clear.no-phase", phase=address.phase)
        return
    yield _same_plan(phase, address.gate, decision)

    def fresh(at: datetime) -> Iterator[Finding]:
        yield _fresh(plan, decision, at, max_age_us, known.oldest_us)

    yield from lasting(fresh, moment, plan.timezone)
    yield from lasting(partial(waivers_kept, plan, phase, decision), moment, plan.timezone)
    if not plan.environments[decision.environment].embedded:
        yield from _real(plan, phase, decision, known, moment)


def _real(
    plan: Plan, phase: Phase, decision: Decision, known: GateFacts, moment: Moment
) -> Iterator[Finding]:
    """What is asked of a real environment only: a rehearsal starts nothing."""
    yield _same_release(plan, decision, known)
    yield from _same_configuration(plan, decision, known)
    yield from _same_addresses(known)
    yield from (held("attestations", reason) for reason in known.noes)
    if known.earlier_life:
        yield held("decision", known.earlier_life)
    yield from _started(plan, phase, decision.gate, known, moment)
    signed = [
        signature for signature in known.signed if signature.signature.stance is not Stance.OVERRIDE
    ]
    yield from signatures(
        SignoffDemand(plan, phase, decision, moment.now, known.authors, known.disowned), signed
    )


def _started(
    plan: Plan, phase: Phase, gate: Gate | None, known: GateFacts, moment: Moment
) -> Iterator[Finding]:
    """What is asked of the phase, whatever its gate decided."""
    yield from (held("trips", reason) for reason in known.tripped)
    yield from (held("blind", reason) for reason in known.blind)
    yield from (held("requires", reason) for reason in known.taken_back)
    if known.frozen:
        yield held("freeze", known.frozen)
    yield from since_begin(plan, phase, gate, known.life)
    yield from revalidated(phase, known.rolled_back, known.revalidate)
    if gate is Gate.ENTRY:
        yield from required(plan, phase, known, moment)
        yield from is_open(plan, phase, known.release, moment)


def _decided(
    decision: Decision, again: Decision | None, given: Mapping[str, Reason]
) -> Iterator[Finding]:
    answer = decision.answer.value
    if decision.answer is not Answer.GO:
        for cause in decision.reasons:
            reason = Reason("told", {"subject": cause.id, "reason": cause.reason})
            facts: dict[str, Fact] = {"answer": answer, "causes": (reason,)}
            since = given.get(str(cause.reason.facts.get("command") or cause.id))
            yield refused("decision", "gate.no", **facts | ({"given": since} if since else {}))
    elif again is None or again.substance_digest != decision.substance_digest:
        now = again.answer.value if again else None
        yield refused("decision", "clear.differs", answer=answer, again=now)
    else:
        yield passed("decision", "clear.same", answer=answer, run=decision.run)


def held_by(runs: Iterable[OtherRun]) -> Iterator[Reason]:
    """Yield what other runs know against the decision of the last full one."""
    for run in runs:
        yield from _against(run)


def _merged(decision: Decision, merged: Decision | None) -> Iterator[Finding]:
    """A GO that was made without knowing what another ledger held stands only if that agrees."""
    if merged is None or merged.substance_digest == decision.substance_digest:
        return
    address = decision.address
    facts: dict[str, Fact] = {"answer": decision.answer.value, "merged": merged.answer.value}
    facts |= {"gate": str(address), "environment": decision.environment}
    yield refused("decision", "clear.merged", **facts)


def _against(run: OtherRun) -> Iterator[Reason]:
    """What another run knows against the decision of the last full one."""
    facts: dict[str, Fact] = {"run": run.run}
    decision = run.decision
    if not run.later and decision is None:
        yield Reason("clear.overlapped-unfinished", {**facts, "why": run.why})
    elif not run.later and decision and decision.answer is not Answer.GO:
        yield Reason("clear.overlapped", {**facts, "answer": decision.answer.value})
    elif run.later:
        pairs = [(subject, said(why or "it failed")) for subject, why in run.failed]
        if decision and decision.answer in (Answer.NO_GO, Answer.ROLLBACK):
            pairs = [(cause.id, cause.reason) for cause in decision.reasons]
        causes = tuple(
            Reason("told", {"subject": subject, "reason": why}) for subject, why in pairs
        )
        if causes:
            yield Reason("clear.failed-since", {**facts, "causes": causes})


def _same_plan(phase: Phase, gate: Gate, decision: Decision) -> Finding:
    if criteria_digest(phase, gate) == decision.criteria_digest:
        return passed("plan", "clear.asked-the-same")
    return refused("plan", "clear.asked-otherwise")


def _fresh(
    plan: Plan,
    decision: Decision,
    now: datetime,
    max_age_us: int | None,
    oldest_us: int | None,
) -> Finding:
    limits = [plan.environments[decision.environment].max_age_us, max_age_us]
    stated = [limit for limit in limits if limit is not None]
    decided_us = calendar.to_us(datetime.fromisoformat(decision.decided_at))
    seen_us = decided_us if oldest_us is None else min(decided_us, oldest_us)
    age_us = calendar.to_us(now) - seen_us
    at = instant(decided_us, plan.timezone)
    if age_us < 0:
        return refused("age", "clear.decided-ahead", at=at)
    if stated and age_us > min(stated):
        return refused("age", "clear.decided-too-long-ago", at=at, life_us=min(stated))
    over = [end for end in decision.ends if now > datetime.fromisoformat(end.until)]
    if over:
        return refused("age", "clear.ended", until=over[0].until, reason=over[0].reason)
    return passed("age", "clear.decided", at=at)


def _same_release(plan: Plan, decision: Decision, known: GateFacts) -> Finding:
    """Without a release nobody knows what was judged, and what runs now."""
    if plan.release is None and plan.no_release and decision.release is None:
        return passed("release", "release.has-none", why=plan.no_release)
    if plan.release is None:
        return refused("release", "release.not-stated")
    if known.release_error:
        return refused("release", "release.unreadable", error=known.release_error)
    if known.release is None or known.release != decision.release:
        facts: dict[str, Fact] = {"judged": decision.release, "runs": known.release}
        return refused("release", "clear.other-release", **facts)
    return passed("release", "clear.same-release", release=known.release)


def _same_configuration(plan: Plan, decision: Decision, known: GateFacts) -> Iterator[Finding]:
    """A release with other settings is not what was judged."""
    if plan.configuration is None or known.release_error:
        return
    if known.configuration is None or known.configuration != decision.configuration:
        yield refused("configuration", "clear.other-configuration")


def _same_addresses(known: GateFacts) -> Iterator[Finding]:
    """A release of the same name somewhere else is not what was judged."""
    for name, judged in known.judged_at.items():
        now = known.runs_at.get(name)
        if now != judged:
            yield refused("target", "clear.other-address", target=name, judged=judged, runs=now)
