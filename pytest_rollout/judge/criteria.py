"""The finding of one criterion: its checks, its rule, and whether it applies at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pytest_rollout.judge import reasons
from pytest_rollout.judge.attempts import judged
from pytest_rollout.judge.case import Case
from pytest_rollout.judge.other_gates import gate_subject, rolled_up
from pytest_rollout.judge.people import SUBJECT, attested
from pytest_rollout.judge.results import file_subject, resulted
from pytest_rollout.judge.rules import judge
from pytest_rollout.judge.telling import several
from pytest_rollout.model.check import item_name
from pytest_rollout.model.evidence import World
from pytest_rollout.model.finding import (
    Fact,
    Finding,
    Part,
    Reason,
    Subject,
    SubjectKind,
    said,
)
from pytest_rollout.model.node_id import NodeId
from pytest_rollout.model.plan import Criterion, Phase
from pytest_rollout.model.verdict import Verdict, worst

_UNSEALED = Reason("unsealed")
_WHOLE = Subject(SubjectKind.GROUP)
_SPEAK = (
    SubjectKind.ATTESTATION,
    SubjectKind.GATE,
    SubjectKind.FILE,
)  # worth a sentence where all passes


def judge_criterion(case: Case, criterion: Criterion) -> Finding:
    """Judge a criterion: every bound check executed and passed, and the rule passes."""
    outside = _not_applicable(case, criterion)
    parts = (outside,) if outside else _parts(case, criterion)
    rule = criterion.rule
    finding = Finding(
        id=case.full(criterion.id),
        verdict=Verdict.MISSING,
        reason=Reason("passed"),
        says=criterion.says,
        severity=criterion.severity.value,
        kind=criterion.kind.value,
        allowed=reasons.allowed(rule.bands) if rule else "",
        samples=sum(part.estimate.n for part in parts if part.estimate),
    )
    return summed(finding, parts)


def summed(finding: Finding, parts: tuple[Part, ...]) -> Finding:
    """Return a finding of its parts: the worst decides, and says why."""
    verdict = worst(part.verdict for part in parts)
    deciding = [part for part in parts if part.verdict is verdict]
    return replace(finding, verdict=verdict, reason=_reason(verdict, deciding), parts=parts)


def _reason(verdict: Verdict, deciding: list[Part]) -> Reason:
    """The parts worth a sentence: a rule's measurement says more than that its check passed.

    A check that failed says in words what is wrong, so it stands beside the measurement.
    """
    measured = [p for p in deciding if p.estimate or p.subject.kind is SubjectKind.ATTESTATION]
    if verdict is Verdict.PASS and not measured:
        spoken = [part for part in deciding if part.subject.kind in _SPEAK]
        if spoken:
            return several(spoken)
        return Reason("checks-passed", {"n": len(deciding)})
    telling = deciding if verdict is Verdict.FAIL else measured or deciding
    if len(telling) == 1 and telling[0].subject == SUBJECT:
        return telling[0].reason
    return several(telling)


def _not_applicable(case: Case, criterion: Criterion) -> Part | None:
    """Return why a criterion does not apply; a check of it that ran and failed says otherwise."""
    if criterion.when is None:
        return None
    world = case.world
    name = criterion.when.configured
    configured = world.run.configured.get(name)
    if configured is None:
        return Part(_WHOLE, Verdict.MISSING, Reason("configured.unknown", {"variable": name}))
    if configured:
        return None
    items = world.manifest.items.get(case.full(criterion.id), ())
    checks = [judge_check(item, world) for item in items]
    bad = [part for part in checks if part.verdict in (Verdict.FAIL, Verdict.ERROR)]
    if bad:
        facts: dict[str, Fact] = {"variable": name, "checks": several(bad)}
        reason = Reason("configured.failed", facts)
        return Part(_WHOLE, worst(part.verdict for part in bad), reason)
    reason = Reason("configured.not", {"variable": name})
    return Part(_WHOLE, Verdict.NOT_APPLICABLE, reason)


def _parts(case: Case, criterion: Criterion) -> tuple[Part, ...]:
    world = case.world
    sealed = world.run.sealed
    items = world.manifest.items.get(case.full(criterion.id), ())
    bound = case.plan.bound_ids(criterion)
    parts = [_absent(item, world, bound) or judge_check(item, world) for item in items]
    if criterion.attested:
        parts.append(attested(case, criterion) if sealed else _unsealed(SUBJECT))
    if criterion.rolls_up and sealed:
        parts += rolled_up(case, criterion)
    elif criterion.rolls_up:
        parts += [_unsealed(gate_subject(named)) for named in criterion.rolls_up]
    left_out = _own_check_left_out(criterion, case.phase, items)
    if criterion.ingest is not None:
        parts += resulted(case, criterion) if sealed else (_unsealed(file_subject(criterion)),)
    brought = criterion.ingest is not None
    answered = criterion.attested or brought or (criterion.rolls_up and criterion.rule is None)
    if left_out or not (items or answered):
        reason = _unbound(criterion) if sealed else _UNSEALED
        parts.append(Part(_WHOLE, Verdict.MISSING, reason))
    if criterion.rule is not None and not brought:
        parts += judge(criterion.rule, case, criterion.max_age_us)
    return tuple(parts)


def _unsealed(subject: Subject) -> Part:
    return Part(subject, Verdict.MISSING, _UNSEALED)


def _absent(item: str, world: World, bound: Sequence[str]) -> Part | None:
    """What became of a check that the plan or its list names, where no collected one is it.

    A test of that name that belongs to no criterion may have run; it says nothing for this one.
    """
    if not (world.run.sealed and item in world.manifest.absent):
        return None
    reason = Reason("check.unmatched" if item in bound else "check.absent")
    return Part(Subject(SubjectKind.CHECK, item), Verdict.MISSING, reason)


def _own_check_left_out(criterion: Criterion, phase: Phase, items: tuple[str, ...]) -> bool:
    """Whether a check that the plan states is not among what should have run."""
    name = item_name(phase.id, criterion.id)
    return criterion.check is not None and all(NodeId.parse(item).name != name for item in items)


def _unbound(criterion: Criterion) -> Reason:
    if criterion.check:
        return Reason("check.not-collected")
    return Reason("check.unbound", {"criterion": criterion.id})


def judge_check(item: str, world: World) -> Part:
    """Return the part of one bound item: its last attempt, a warning if one before failed."""
    subject = Subject(SubjectKind.CHECK, item)
    attempts = world.checks.get(item, ())
    if not attempts:
        return Part(subject, Verdict.MISSING, _why_none(item, world))
    return judged(subject, attempts)


def _why_none(item: str, world: World) -> Reason:
    if not world.run.sealed:
        return _UNSEALED
    dropped = world.manifest.dropped.get(item)
    return said(dropped) if dropped else Reason("check.silent")
