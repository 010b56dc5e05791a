"""The one decision function: it only folds findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_rollout import calendar
from pytest_rollout.judge.accepted import accepted, due_here, overdue
from pytest_rollout.judge.beside import bounds, counted, rehearsal_only
from pytest_rollout.judge.case import Case, criteria_digest, watched
from pytest_rollout.judge.criteria import judge_criterion
from pytest_rollout.judge.demands import demands
from pytest_rollout.judge.groups import in_order, judge_group
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.judge.since_begin import (
    amendments_in_force,
    begin_demands,
    drift_finding,
    new_release,
)
from pytest_rollout.judge.waiving import waive
from pytest_rollout.model.decision import Cause, Condition, Decision, substance
from pytest_rollout.model.finding import Fact, Finding, Reason
from pytest_rollout.model.life import DRIFT, Amendment
from pytest_rollout.model.plan import Address, Criterion, Gate, Guardrail, Severity
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer, State, Verdict
from pytest_rollout.model.waiver import Waived, WaiverUse

_Rails = Sequence[tuple[Guardrail, Finding]]


def decide(case: Case, gate: Gate) -> Decision:
    """Return the decision of a gate from evidence alone.

    The same plan, world and moment of judging give the same bytes.
    """
    case = case.counted()
    findings, waivers = _findings(case, gate)
    asked = (*demands(case, criteria=len(findings)), *begin_demands(case, gate))
    asked += tuple(due_here(case, gate)) if case.world.run.sealed else ()
    rails = tuple((rail, judge_guardrail(case, rail)) for rail in watched(case.phase, gate))
    late = tuple(overdue(case, gate, findings))
    answer, causes = _fold(_weighed(case, gate, findings), asked, rails, late)
    drift = drift_finding(case) if gate is Gate.EXIT else None
    watched_too = (*rails, *([(DRIFT, drift)] if drift else []))
    ids = {finding.id for _, finding in watched_too}
    resets = tuple(reset for reset in case.world.resets if reset.guardrail in ids)
    amended = amendments_in_force(case.phase, case.world.life) if gate is Gate.EXIT else ()
    conditions = (
        *_conditions(case, gate, findings, rails, waivers),
        *_reset(case, gate, watched_too, resets),
        *_failed_before(case, gate, findings),
        *accepted(case, _owner(case), _due(case, gate)),
        *_since_begin(case, gate, (*findings, *(finding for _, finding in watched_too)), amended),
        *_settled(case, gate),
    )
    if not case.world.run.sealed:  # the rest follows from that
        causes, conditions = _held(asked), ()
    decision = replace(
        _stated(case, gate),
        decision=answer,
        reasons=causes,
        conditions=conditions,
        demands=asked,
        criteria=findings,
        guardrails=tuple(finding for _, finding in rails),
        waivers=waivers,
        resets=resets,
        amendments=amended,
    )
    ends = bounds(case, gate, decision) if answer is Answer.GO else ()
    return replace(
        decision,
        substance_digest=substance(decision),
        counts=counted(decision),
        valid_until=ends[0].until if ends else None,
        ends=ends,
    )


def _stated(case: Case, gate: Gate) -> Decision:
    """Whose decision it is and what it is of, before anything is judged: HOLD."""
    plan, phase, run = case.plan, case.phase, case.world.run
    return Decision(
        plan=plan.id,
        plan_title=plan.title,
        plan_digest=plan.digest,
        phase=phase.id,
        phase_title=phase.title,
        gate=gate,
        environment=run.environment,
        release=case.release,
        configuration=run.configuration,
        run=run.id,
        drill=run.drill,
        decided_at=case.instant(run.ended_us),
        judged_at=case.instant(case.at_us),
        timezone=plan.timezone,
        window=calendar.window_words(plan, phase),
        window_instants=_instants(case),
        zone_data=run.zone_data,
        decision=Answer.HOLD,
        reasons=(),
        conditions=(),
        partial=run.partial,
        demands=(),
        criteria=(),
        guardrails=(),
        looks=case.world.looks,
        waivers=(),
        resets=(),
        stand_ins=_stand_ins(case, gate),
        criteria_digest=criteria_digest(phase, gate),
        ledger=case.world.head,
        producer=run.producer,
        inputs=case.world.inputs,
        versions=run.versions,
        rehearsal_only=rehearsal_only(case, gate),
    )


def _instants(case: Case) -> tuple[str, ...]:
    """The start and the excluded end of the phase's window."""
    window = calendar.phase_window(case.plan, case.phase) or ()
    return tuple(case.instant(calendar.to_us(moment)) for moment in window)


def _findings(case: Case, gate: Gate) -> tuple[tuple[Finding, ...], tuple[Waived, ...]]:
    """The finding of each criterion, and what became of the waivers of them."""
    stated = case.phase.of(gate)
    findings: dict[str, Finding] = {}
    waivers: list[Waived] = []
    for criterion in in_order(stated):  # groups after their members
        finding = _judged(case, criterion, findings)
        finding, uses = waive(case, criterion, finding)
        findings[criterion.id] = replace(finding, controls=criterion.controls)
        waivers += uses
    return tuple(findings[criterion.id] for criterion in stated), tuple(waivers)


def _judged(case: Case, criterion: Criterion, findings: Mapping[str, Finding]) -> Finding:
    if criterion.of is None:
        return judge_criterion(case, criterion)
    return judge_group(criterion, case.full(criterion.id), findings)


def _stand_ins(case: Case, gate: Gate) -> tuple[str, ...]:
    """What stands in for people's attestations in a rehearsal."""
    if not case.embedded:
        return ()
    asked = {criterion.id for criterion in case.phase.of(gate)}
    return tuple(
        f"{case.full(answer.criterion)}: {answer.words}"
        for answer in case.plan.stand_ins
        if answer.phase == case.phase.id
        and answer.criterion in asked
        and case.world.run.drill not in answer.faults
    )


def _weighed(case: Case, gate: Gate, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that an answer may rest on: of rules within the theorem."""
    pairs = zip(case.phase.of(gate), findings, strict=True)
    return tuple(f for stated, f in pairs if stated.rule is None or stated.rule.in_theorem)


def _fold(
    criteria: Sequence[Finding], asked: Sequence[Finding], rails: _Rails, late: Sequence[Cause] = ()
) -> tuple[Answer, tuple[Cause, ...]]:
    """The answer, and all that stands in its way, worst first."""
    hard = [finding for finding in criteria if finding.severity == Severity.HARD]
    tripped = [(rail.effect(finding), finding) for rail, finding in rails]
    causes = [
        *(_rail(Answer.ROLLBACK, f) for effect, f in tripped if effect is Answer.ROLLBACK),
        *(_cause(Answer.NO_GO, f) for f in hard if f.verdict is Verdict.FAIL),
        *_held([*asked, *sorted(hard, key=lambda f: f.verdict.rank)]),
        *late,
        *(_rail(Answer.HOLD, f) for effect, f in tripped if effect is Answer.HOLD),
    ]
    if causes:
        return causes[0].answer, tuple(causes)
    applied = [f for f in criteria if f.verdict is not Verdict.NOT_APPLICABLE]
    if not any(finding.verdict in (Verdict.PASS, Verdict.WARN) for finding in applied):
        return Answer.HOLD, (_whole(Answer.HOLD, "gate.nothing-passes"),)
    hard = [finding for finding in applied if finding.severity == Severity.HARD]
    if not hard:
        return Answer.HOLD, (_whole(Answer.HOLD, "gate.nothing-hard"),)
    waived = sum(finding.verdict is Verdict.WAIVED for finding in hard)
    return Answer.GO, (_whole(Answer.GO, "gate.holds", hard=len(hard), waived=waived),)


def _whole(answer: Answer, code: str, **facts: Fact) -> Cause:
    return Cause("", answer, Reason(code, facts))


def _cause(answer: Answer, finding: Finding) -> Cause:
    return Cause(finding.id, answer, finding.reason)


def _rail(answer: Answer, finding: Finding) -> Cause:
    return Cause(finding.id, answer, finding.reason, finding.state.value)


def _held(findings: Sequence[Finding]) -> tuple[Cause, ...]:
    holding = (f for f in findings if f.verdict.holds_back and f.verdict is not Verdict.FAIL)
    return tuple(_cause(Answer.HOLD, f) for f in holding)


def _conditions(
    case: Case,
    gate: Gate,
    criteria: Sequence[Finding],
    rails: _Rails,
    waivers: Sequence[Waived],
) -> Iterator[Condition]:
    accepted = {waived.id: waived for waived in waivers if waived.use is WaiverUse.APPLIED}
    stated = {case.full(criterion.id): criterion for criterion in case.phase.criteria}
    for finding in criteria:
        criterion = stated[finding.id]
        waiver = accepted.get(finding.id)
        if waiver is not None and criterion.severity is not Severity.OPTIONAL:
            why = (finding.verdict, finding.reason)
            yield Condition(finding.id, *why, waiver.approver, waiver.until)
            continue
        soft = criterion.severity is Severity.SOFT and finding.verdict.rank < Verdict.PASS.rank
        met = (Verdict.WARN, Verdict.WAIVED) if criterion.rolls_up else (Verdict.WARN,)
        if soft or (criterion.severity is Severity.HARD and finding.verdict in met):
            yield _condition(case, gate, criterion, finding, finding.reason)
    for rail, finding in rails:
        tripped = finding.state is State.TRIPPED
        if tripped and rail.quiet_about_trips:
            owner = _owner(case)
            due = _due(case, gate)
            yield Condition(finding.id, finding.verdict, finding.reason, owner, due)


def _condition(
    case: Case, gate: Gate, criterion: Criterion, finding: Finding, reason: Reason
) -> Condition:
    owner = criterion.owner or _owner(case)
    due = criterion.due or _due(case, gate)
    return Condition(finding.id, finding.verdict, reason, owner, due)


def _owner(case: Case) -> str:
    return ", ".join(case.phase.owners) or "nobody is named"


def _reset(case: Case, gate: Gate, rails: _Rails, resets: Sequence[Reset]) -> Iterator[Condition]:
    """A guardrail that is quiet because somebody reset it is a condition, not a clean sheet."""
    for _, finding in rails:
        mine = [reset for reset in resets if reset.guardrail == finding.id]
        if mine and finding.state is not State.TRIPPED:
            last = mine[-1]
            facts: dict[str, Fact] = {
                "guardrail": last.guardrail,
                "release": last.release,
                "at": last.at,
                "by": last.by,
                "why": last.reason,
                "reason": finding.reason,
            }
            reason = Reason("reset", facts)
            yield Condition(finding.id, finding.verdict, reason, _owner(case), _due(case, gate))


def _settled(case: Case, gate: Gate) -> Iterator[Condition]:
    """A run in reach whose rest is taken as not run on somebody's word is a condition."""
    for run in case.world.settled:
        facts: dict[str, Fact] = {"run": run.run, "at": run.at, "by": run.by, "why": run.why}
        reason = Reason("settled", facts)
        yield Condition("run.settled", Verdict.WARN, reason, _owner(case), _due(case, gate))


def _failed_before(case: Case, gate: Gate, findings: Sequence[Finding]) -> Iterator[Condition]:
    """A hard criterion that failed in an earlier full run of the same release says so."""
    if case.embedded:
        return
    for criterion, finding in zip(case.phase.of(gate), findings, strict=True):
        runs = [run for run in case.world.failed_before if finding.id in run.criteria]
        if runs and criterion.severity is Severity.HARD and not finding.verdict.holds_back:
            earlier = tuple(
                Reason("run", {"run": run.run, "ended": case.instant(run.ended_us)}) for run in runs
            )
            reason = Reason("failed-before", {"runs": earlier, "release": case.release})
            yield _condition(case, gate, criterion, finding, reason)


def _since_begin(
    case: Case, gate: Gate, findings: Sequence[Finding], amended: Sequence[Amendment]
) -> Iterator[Condition]:
    """What was changed on record since the phase began is a condition of its exit."""
    terms = (_owner(case), _due(case, gate))
    verdicts = {finding.id: finding.verdict for finding in findings}
    for amendment in amended:
        names = ("at", "by", "approved_by", "why", "runs", "failed", "verdict", "seen")
        facts: dict[str, Fact] = {name: getattr(amendment, name) for name in names}
        verdict = verdicts.get(amendment.criterion, Verdict.NOT_APPLICABLE)
        yield Condition(amendment.criterion, verdict, Reason("amended", facts), *terms)
    changed = new_release(case, gate)
    if changed is not None:
        yield Condition("phase.release", Verdict.WARN, changed, *terms)


def _due(case: Case, gate: Gate) -> str:
    """The gate by which a condition must be met: the exit, or the entry of what comes next."""
    plan, phase = case.plan, case.phase
    if gate is Gate.ENTRY:
        return str(Address(plan.id, phase.id, Gate.EXIT))
    after = plan.phases[plan.phases.index(phase) + 1 :]
    following = next((later for later in after if phase.id in later.requires), None)
    if following is None and after:
        following = after[0]
    if following is None:
        return f"the end of {plan.id}"
    return str(Address(plan.id, following.id, Gate.ENTRY))
