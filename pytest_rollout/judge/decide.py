"""The one decision function: it only folds findings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from pytest_rollout import calendar
from pytest_rollout.judge.asked import counted, criteria_digest, watched
from pytest_rollout.judge.criteria import judge_criterion
from pytest_rollout.judge.demands import configuration_of, demands, release_of
from pytest_rollout.judge.groups import judge_group
from pytest_rollout.judge.guardrails import judge_guardrail
from pytest_rollout.judge.slices import opportunities
from pytest_rollout.judge.waiving import waive
from pytest_rollout.model.decision import Condition, Decision, Finding, substance
from pytest_rollout.model.evidence import Hole, Run, Seen, World
from pytest_rollout.model.plan import (
    EMBEDDED,
    Address,
    Criterion,
    Gate,
    Guardrail,
    Phase,
    Plan,
    Severity,
    Then,
)
from pytest_rollout.model.reset import Reset
from pytest_rollout.model.verdict import Answer, Verdict
from pytest_rollout.model.waiver import Use, Waived


def decide(plan: Plan, phase: Phase, gate: Gate, world: World, at_us: int) -> Decision:
    """The decision of a gate from evidence alone.

    ``at_us`` is the event time of judging. The same plan, world and time give the same bytes.
    """
    world = counted(plan, world)
    oldest_us = _oldest(plan, world)
    found, waivers = _found(plan, phase, gate, _timely(world, oldest_us, at_us), at_us)
    asked = demands(plan, world, criteria=len(found))
    guarded = watched(phase, gate)
    rails = tuple(judge_guardrail(plan, phase, one, world, at_us, oldest_us) for one in guarded)
    railed = tuple(zip(guarded, rails, strict=True))
    answer, reasons = _fold(_weighed(phase, gate, found), asked, railed)
    resets = tuple(one for one in world.resets if one.guardrail in {rail.id for rail in rails})
    conditions = tuple(_conditions(plan, phase, gate, found, railed, waivers))
    conditions += tuple(_reset(plan, phase, gate, rails, resets))
    if not world.run.sealed:  # the rest follows from that
        reasons, conditions = tuple(_reason(one) for one in asked if one.verdict.holds_back), ()
    decision = Decision(
        address=Address(plan.id, phase.id, gate),
        answer=answer,
        reasons=reasons,
        conditions=conditions,
        criteria=found,
        demands=asked,
        guardrails=rails,
        plan_title=plan.title,
        phase_title=phase.title,
        plan_digest=plan.digest,
        environment=world.run.environment,
        run=world.run.id,
        decided_at=calendar.stamp(world.run.ended_us),
        judged_at=calendar.stamp(at_us),
        release=release_of(world.run),
        configuration=configuration_of(world.run),
        window=calendar.window_words(plan, phase),
        looks=world.looks,
        head=world.head,
        partial=world.run.partial,
        drill=world.run.drill,
        stand_ins=_stand_ins(plan, phase, gate, world.run),
        waivers=waivers,
        resets=resets,
        window_instants=_instants(plan, phase),
        zone_data=world.run.zone_data,
        criteria_digest=criteria_digest(phase, gate),
    )
    return replace(decision, substance_digest=substance(decision))


def _instants(plan: Plan, phase: Phase) -> tuple[str, ...]:
    """The start and the excluded end of the phase's window."""
    window = calendar.phase_window(plan, phase) or ()
    return tuple(calendar.stamp(calendar.to_us(moment)) for moment in window)


def _found(
    plan: Plan, phase: Phase, gate: Gate, world: World, at_us: int
) -> tuple[tuple[Finding, ...], tuple[Waived, ...]]:
    """The finding of each criterion, and what became of the waivers of them."""
    stated = phase.of(gate)
    found: dict[str, Finding] = {}
    waivers: list[Waived] = []
    todo = list(stated)
    while todo:  # groups wait for their members
        one = todo.pop(0)
        if one.of is not None and not all(name in found for name, _ in one.of.members):
            todo.append(one)
            continue
        finding = _judged(plan, phase, one, found, world, at_us)
        found[one.id], uses = waive(plan, phase, one, finding, world, at_us)
        waivers += uses
    return tuple(found[one.id] for one in stated), tuple(waivers)


def _judged(
    plan: Plan,
    phase: Phase,
    criterion: Criterion,
    found: Mapping[str, Finding],
    world: World,
    at_us: int,
) -> Finding:
    if criterion.of is None:
        return judge_criterion(plan, phase, criterion, world, at_us)
    return judge_group(criterion, f"{plan.id}.{phase.id}.{criterion.id}", found)


def _stand_ins(plan: Plan, phase: Phase, gate: Gate, run: Run) -> tuple[str, ...]:
    """What stands in for people's attestations in a rehearsal."""
    if run.environment != EMBEDDED:
        return ()
    asked = {criterion.id for criterion in phase.of(gate)}
    return tuple(
        f"{plan.id}.{phase.id}.{one.criterion}: {one.words}"
        for one in plan.stand_ins
        if one.phase == phase.id and one.criterion in asked and run.drill not in one.faults
    )


def _oldest(plan: Plan, world: World) -> int:
    """The record time before which evidence is stale; 0 where the environment allows any age."""
    environment = plan.environments.get(world.run.environment)
    if environment is None or environment.max_age_us is None:
        return 0
    return world.run.ended_us - environment.max_age_us


def _timely(world: World, oldest_us: int, at_us: int) -> World:
    """The world with a hole for all that is stale, and for all that has not happened yet."""
    return replace(world, seen=tuple(_timed(item, oldest_us, at_us) for item in world.seen))


def _timed(item: Seen, oldest_us: int, at_us: int) -> Seen:
    if item.seen_us < oldest_us:
        return replace(
            item, value=Hole("older than evidence may be (max_age)", opportunities(item))
        )
    if item.slot.t_us > at_us:  # somebody's clock is wrong, so it may belong to any scope
        why = f"from {calendar.stamp(item.slot.t_us)}, after the moment of judging"
        slot = replace(item.slot, t_us=at_us)
        return replace(item, slot=slot, value=Hole(why, opportunities(item)))
    return item


def _weighed(phase: Phase, gate: Gate, found: Sequence[Finding]) -> tuple[Finding, ...]:
    """The findings that an answer may rest on: of rules within the theorem."""
    pairs = zip(phase.of(gate), found, strict=True)
    return tuple(one for stated, one in pairs if stated.rule is None or stated.rule.in_theorem)


def _fold(
    criteria: Sequence[Finding],
    asked: Sequence[Finding],
    rails: Sequence[tuple[Guardrail, Finding]],
) -> tuple[Answer, tuple[str, ...]]:
    tripped = [(rail, finding) for rail, finding in rails if finding.verdict is Verdict.FAIL]
    back = [finding for rail, finding in tripped if Then.ROLLBACK in rail.then]
    hard = [finding for finding in criteria if finding.severity == Severity.HARD]
    failed = [finding for finding in hard if finding.verdict is Verdict.FAIL]
    held = [
        *(finding for finding in (*asked, *hard) if finding.verdict.holds_back),
        *(finding for rail, finding in tripped if Then.PAUSE in rail.then),
        *(finding for _, finding in rails if _blind(finding)),
    ]
    if back:
        return Answer.ROLLBACK, tuple(_reason(finding) for finding in (*back, *failed))
    if failed:
        return Answer.NO_GO, tuple(_reason(finding) for finding in failed)
    if held:
        return Answer.HOLD, tuple(_reason(finding) for finding in held)
    applied = [finding for finding in criteria if finding.verdict is not Verdict.NOT_APPLICABLE]
    if not any(finding.verdict in (Verdict.PASS, Verdict.WARN) for finding in applied):
        return Answer.HOLD, ("nothing to judge: no criterion of this gate applies and passes",)
    hard = [finding for finding in applied if finding.severity == Severity.HARD]
    if not hard:
        return Answer.HOLD, ("no hard criterion applies: a gate that cannot say no is no gate",)
    return Answer.GO, (f"{_good(hard)}, on evidence of a sealed run",)


def _good(hard: Sequence[Finding]) -> str:
    waived = sum(finding.verdict is Verdict.WAIVED for finding in hard)
    if not waived:
        return f"all {len(hard)} hard criteria hold"
    are = "is" if waived == 1 else "are"
    return f"{len(hard) - waived} of {len(hard)} hard criteria hold and {waived} {are} waived"


def _blind(finding: Finding) -> bool:
    """Whether a guardrail could not be judged somewhere, also where it tripped elsewhere."""
    return not finding.parts or any(
        part.verdict.holds_back and part.verdict is not Verdict.FAIL for part in finding.parts
    )


def _reason(finding: Finding) -> str:
    return f"{finding.id}: {finding.because}"


def _conditions(
    plan: Plan,
    phase: Phase,
    gate: Gate,
    criteria: Sequence[Finding],
    rails: Sequence[tuple[Guardrail, Finding]],
    waivers: Sequence[Waived],
) -> Iterator[Condition]:
    accepted = {one.id: one for one in waivers if one.use is Use.APPLIED}
    stated = {f"{plan.id}.{phase.id}.{one.id}": one for one in phase.criteria}
    due = _due(plan, phase, gate)
    owner = ", ".join(phase.owners) or "nobody is named"
    for finding in criteria:
        criterion = stated[finding.id]
        waiver = accepted.get(finding.id)
        if waiver is not None and criterion.severity is not Severity.OPTIONAL:
            says = (finding.verdict, finding.because)
            yield Condition(finding.id, *says, waiver.approver, waiver.until)
            continue
        soft = criterion.severity is Severity.SOFT and finding.verdict.rank < Verdict.PASS.rank
        met = (Verdict.WARN, Verdict.WAIVED) if criterion.rolls_up else (Verdict.WARN,)
        warned = criterion.severity is Severity.HARD and finding.verdict in met
        if soft or warned:
            yield Condition(
                finding.id,
                finding.verdict,
                finding.because,
                criterion.owner or owner,
                criterion.due or due,
            )
    for rail, finding in rails:
        if finding.verdict is Verdict.FAIL and not {Then.PAUSE, Then.ROLLBACK} & set(rail.then):
            yield Condition(finding.id, finding.verdict, finding.because, owner, due)


def _reset(
    plan: Plan,
    phase: Phase,
    gate: Gate,
    rails: Sequence[Finding],
    resets: Sequence[Reset],
) -> Iterator[Condition]:
    """A guardrail that is quiet because somebody reset it is a condition, not a clean sheet."""
    owner = ", ".join(phase.owners) or "nobody is named"
    for finding in rails:
        mine = [one.words for one in resets if one.guardrail == finding.id]
        if mine and finding.verdict is not Verdict.FAIL:
            because = "; ".join([*mine[-1:], finding.because])
            yield Condition(finding.id, finding.verdict, because, owner, _due(plan, phase, gate))


def _due(plan: Plan, phase: Phase, gate: Gate) -> str:
    """The gate by which a condition must be met: the exit, or the entry of what comes next."""
    if gate is Gate.ENTRY:
        return str(Address(plan.id, phase.id, Gate.EXIT))
    after = plan.phases[plan.phases.index(phase) + 1 :]
    following = next((later for later in after if phase.id in later.requires), None)
    if following is None and after:
        following = after[0]
    if following is None:
        return f"the end of {plan.id}"
    return str(Address(plan.id, following.id, Gate.ENTRY))
