"""Guardrails: judged at each slot's time; a trip latches, too little is blind."""

from __future__ import annotations

from dataclasses import replace

from pytest_rollout.judge import words
from pytest_rollout.judge.rules import judge_slice
from pytest_rollout.judge.slices import select, slices
from pytest_rollout.model.decision import Finding, Part
from pytest_rollout.model.evidence import World
from pytest_rollout.model.plan import Guardrail, Phase, Plan
from pytest_rollout.model.verdict import Verdict, worst


def judge_guardrail(
    plan: Plan, phase: Phase, guardrail: Guardrail, world: World, at_us: int
) -> Finding:
    """FAIL is tripped, PASS is quiet, anything between is blind."""
    rule = guardrail.rule
    chosen = select(rule, world.seen)
    latched: dict[str, Part] = {}
    for moment in sorted({seen.slot.t_us for seen in chosen} | {at_us}):
        known = [seen for seen in chosen if seen.slot.t_us <= moment]
        found, _ = slices(rule, known, moment, world.begun_us, world.run.id)
        for slice_ in found:
            part = judge_slice(rule, slice_, plan.timezone)
            earlier = latched.get(part.name)
            if earlier is None or earlier.verdict is not Verdict.FAIL:
                latched[part.name] = part
    parts = tuple(_state(part) for part in latched.values())
    verdict = worst(part.verdict for part in parts)
    deciding = [part for part in parts if part.verdict is verdict]
    return Finding(
        id=f"{plan.id}.{phase.id}.{guardrail.id}",
        verdict=verdict,
        because=words.joined([f"{p.name}: {p.because}" if p.name else p.because for p in deciding]),
        says=guardrail.says,
        severity="hard",
        kind="guardrail",
        allowed=words.allowed(replace(rule.bands, fail=None)),
        parts=parts,
    )


def _state(part: Part) -> Part:
    match part.verdict:
        case Verdict.FAIL:
            return replace(part, because=f"tripped: {part.because}")
        case Verdict.PASS:
            return replace(part, because=f"quiet: {part.because}")
        case _:
            return replace(part, because=f"blind: {part.because}")
