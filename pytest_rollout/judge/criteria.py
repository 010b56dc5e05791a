"""The finding of one criterion: its checks, its rule, and whether it applies at all."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.judge import words
from pytest_rollout.judge.attesting import attested
from pytest_rollout.judge.demands import release_of
from pytest_rollout.judge.rolling import roll_up
from pytest_rollout.judge.rules import judge
from pytest_rollout.model.attestation import NAME
from pytest_rollout.model.check import item_name
from pytest_rollout.model.decision import Finding, Part
from pytest_rollout.model.evidence import Attempt, World
from pytest_rollout.model.plan import Criterion, Phase, Plan
from pytest_rollout.model.verdict import Verdict, worst

_PASSED = "passed"
_UNSEALED = "not counted, because the run is not sealed"


def judge_criterion(
    plan: Plan, phase: Phase, criterion: Criterion, world: World, at_us: int
) -> Finding:
    """Every bound check executed and passed, and the rule passes; the worst part decides."""
    outside = _not_applicable(criterion, world)
    full = f"{plan.id}.{phase.id}.{criterion.id}"
    parts = (outside,) if outside else _parts(plan, phase, criterion, world, at_us)
    rule = criterion.rule
    finding = Finding(
        id=full,
        verdict=Verdict.MISSING,
        because="",
        says=criterion.says,
        severity=criterion.severity.value,
        kind=criterion.kind.value,
        allowed=words.allowed(rule.bands) if rule else "",
        samples=sum(part.estimate.n for part in parts if part.estimate),
    )
    return summed(finding, parts)


def summed(finding: Finding, parts: tuple[Part, ...]) -> Finding:
    """A finding of its parts: the worst decides, and says why."""
    verdict = worst(part.verdict for part in parts)
    deciding = [part for part in parts if part.verdict is verdict]
    because = _because(verdict, deciding)
    return replace(finding, verdict=verdict, because=because, parts=parts)


def _because(verdict: Verdict, deciding: list[Part]) -> str:
    """The parts worth a sentence: a rule's measurement says more than that its check passed."""
    measured = [part for part in deciding if part.estimate or part.name == NAME]
    if verdict is Verdict.PASS and not measured:
        said = [part for part in deciding if part.because != _PASSED]  # by other gates
        if said:
            return words.joined([_sentence(part) for part in said])
        return "its check passed" if len(deciding) == 1 else f"all {len(deciding)} checks passed"
    return words.joined([_sentence(part) for part in measured or deciding])


def _sentence(part: Part) -> str:
    if part.name == NAME:
        return part.because
    name = part.name.rpartition("::")[2]  # of a check the function, of a group its labels
    return f"{name}: {part.because}" if name else part.because


def _not_applicable(criterion: Criterion, world: World) -> Part | None:
    if criterion.when is None:
        return None
    name = criterion.when.configured
    configured = world.run.configured.get(name)
    if configured is None:
        return Part("", Verdict.MISSING, f"whether {name} is configured was not recorded")
    if configured:
        return None
    return Part("", Verdict.NOT_APPLICABLE, f"{name} is not configured")


def _parts(
    plan: Plan, phase: Phase, criterion: Criterion, world: World, at_us: int
) -> tuple[Part, ...]:
    items = world.manifest.items.get(f"{plan.id}.{phase.id}.{criterion.id}", ())
    parts = [judge_check(item, world) for item in items]
    if criterion.attested:
        parts.append(_attested(plan, phase, criterion, world))
    if criterion.rolls_up:
        parts += _rolled_up(plan, criterion, world)
    left_out = _own_check_left_out(criterion, phase, items)
    answered = criterion.attested or (criterion.rolls_up and criterion.rule is None)
    if left_out or not (items or answered):
        because = _unbound(criterion) if world.run.sealed else _UNSEALED
        parts.append(Part("", Verdict.MISSING, because))
    if criterion.rule is not None:
        parts += judge(criterion.rule, world, at_us, plan)
    return tuple(parts)


def _rolled_up(plan: Plan, criterion: Criterion, world: World) -> tuple[Part, ...]:
    if world.run.sealed:
        return roll_up(plan, criterion, world)
    return tuple(Part(one.name, Verdict.MISSING, _UNSEALED) for one in criterion.rolls_up)


def _attested(plan: Plan, phase: Phase, criterion: Criterion, world: World) -> Part:
    run = world.run
    if not run.sealed:
        return Part(NAME, Verdict.MISSING, _UNSEALED)
    return attested(
        plan,
        phase,
        criterion,
        run.environment,
        world.attestations,
        release=release_of(run),
        now_us=run.ended_us,
        drill=run.drill,
    )


def _own_check_left_out(criterion: Criterion, phase: Phase, items: tuple[str, ...]) -> bool:
    """Whether a check that the plan states is not among what should have run."""
    name = item_name(phase.id, criterion.id)
    return criterion.check is not None and all(one.rpartition("::")[2] != name for one in items)


def _unbound(criterion: Criterion) -> str:
    if criterion.check:
        return "its `check:` was not collected from the plan"
    return f"no check is bound to it (no test carries criterion({criterion.id!r}))"


def judge_check(item: str, world: World) -> Part:
    """The part of one bound item: its last attempt, with a warning if one before failed."""
    attempts = world.checks.get(item, ())
    if not attempts:
        return Part(item, Verdict.MISSING, _why_none(item, world))
    last = attempts[-1]
    said = tuple(_attempt(attempt) for attempt in attempts)
    if last.verdict is Verdict.PASS and any(a.verdict is not Verdict.PASS for a in attempts):
        before = next(_attempt(one) for one in attempts if one.verdict is not Verdict.PASS)
        because = f"passed only at attempt {len(attempts)}; before: {before}"
        return Part(item, Verdict.WARN, because, attempts=said)
    return Part(item, last.verdict, last.reason or _PASSED, attempts=said)


def _why_none(item: str, world: World) -> str:
    if not world.run.sealed:
        return _UNSEALED
    if item in world.manifest.absent:
        return "listed in bindings.txt, but not collected"
    return world.manifest.dropped.get(item, "it never reported")


def _attempt(attempt: Attempt) -> str:
    return f"{attempt.verdict.value}: {attempt.reason}" if attempt.reason else attempt.verdict.value
