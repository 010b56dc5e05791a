"""The first lines of a watch: what it does by itself, and where the phase stands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pytest_rollout import calendar
from pytest_rollout.cli.after_trip import TripResponse, refusal
from pytest_rollout.evidence.bodies import StoredEvent
from pytest_rollout.evidence.run_log import Told
from pytest_rollout.model.plan import Effect, Phase, Plan, Then
from pytest_rollout.model.rollback import Mode, Rollback
from pytest_rollout.model.rule import Rule, ScopeKind
from pytest_rollout.report.fact_words import count


def by_itself(
    phase: Phase, asked: TripResponse, name: str, environment: str, allow: frozenset[Effect]
) -> str:
    """Say what a watch does by itself after a trip that rolls back.

    ``name`` is the phase's full name, ``allow`` what the environment lets anybody do.
    """
    tripping = [rail.id for rail in phase.guardrails if Then.ROLLBACK in rail.then]
    if not tripping:
        return "no guardrail rolls back, so it only records what trips and tells people"
    after = f"after a trip of {' or '.join(tripping)} it"
    if not phase.rollback.steps:
        return f"{after} does nothing by itself: the plan states no rollback steps"
    why = refusal(phase, asked, name, environment)
    if why:
        return f"{after} does nothing by itself: {why}"
    runs = f"runs {_steps(phase.rollback)}"
    lacking = sorted(
        {step.action.effect.value for step in phase.rollback.steps if step.action}
        - {effect.value for effect in allow}
    )
    but = f"; {environment} does not allow {', '.join(lacking)}, so that fails" if lacking else ""
    rest = any(step.action is None for step in phase.rollback.steps)
    by_hand = "; the rest is done by hand" * rest
    if phase.rollback.mode is Mode.AUTO:
        return f"{after} {runs} by itself (mode: auto{by_hand}){but}"
    if asked.yes is not None:
        return f"{after} {runs} by itself (--yes {name}{by_hand}){but}"
    return f"{after} asks for a confirmation, then {runs}{by_hand}{but}"


def _steps(rollback: Rollback) -> str:
    """``2 steps``, ``2 of 3 steps``."""
    can, many = sum(step.action is not None for step in rollback.steps), len(rollback.steps)
    return count(many, "step") if can == many else f"{can} of {count(many, 'step')}"


def life(
    plan: Plan,
    phase: Phase,
    begun: Told[StoredEvent] | None,
    environment: str,
    now: datetime,
    *,
    limited: bool = False,
) -> Iterator[str]:
    """Say whether the phase has begun and who began it, when it ends and how long that is.

    ``limited``: the watch itself ends after some time, as it says elsewhere.
    """
    name = plan.address(phase.id).name
    if begun is None:
        yield f"{name} has not begun in {environment} (rollout begin {name} begins it)"
        if any(_since_begin(rail.rules) for rail in phase.guardrails):
            yield "until then, what looks since its begin looks since the first watch"
    else:
        at = calendar.wall(begun.body.t_us, plan.timezone)
        yield f"{begun.body.says} at {at}"
    if not limited or calendar.phase_window(plan, phase) is not None:
        yield ending(plan, phase, now)


def _since_begin(rules: Iterable[Rule]) -> bool:
    return any(scope.kind is ScopeKind.SINCE for rule in rules for scope in rule.scopes)


def ending(plan: Plan, phase: Phase, now: datetime) -> str:
    """When the phase's window ends, and how long that is from now."""
    window = calendar.phase_window(plan, phase)
    if window is None:
        return "the plan gives the phase no date, so the watch ends with `rollout end`, or Ctrl-C"
    start, end = window
    words = calendar.window_words(plan, phase)
    if now < start:
        ahead = calendar.length_words(calendar.to_us(start) - calendar.to_us(now))
        return f"its window is {words}: it opens in {ahead}"
    if now >= end:
        return f"its window is over: {words}"
    return f"its window is {words}: {left(plan, phase, now)}"


def left(plan: Plan, phase: Phase, now: datetime) -> str:
    """How long the phase's window still lasts: ``1 h 12 min left``; empty outside of it."""
    window = calendar.phase_window(plan, phase)
    if window is None or not window[0] <= now < window[1]:
        return ""
    return f"{calendar.length_words(calendar.to_us(window[1]) - calendar.to_us(now))} left"
