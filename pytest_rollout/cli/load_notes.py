"""What of a plan's loads cannot be answered or is refused, for `rollout check`."""

from __future__ import annotations

from collections.abc import Iterator

from pytest_rollout.load.planned_answers import shortfalls
from pytest_rollout.model.check import CheckMeans, Effect
from pytest_rollout.model.plan import Phase, Plan


def load_notes(plan: Plan) -> Iterator[str]:
    """Yield a note for each."""
    yield from shortfalls(plan)
    for phase in plan.phases:
        for environment in plan.environments.values():
            lacking = _effects(phase) - environment.allow
            if lacking and not environment.embedded:
                words = [effect.value for effect in Effect if effect in environment.allow | lacking]
                names = ", ".join(_loads(phase, lacking))
                yield (
                    f"{plan.address(phase.id)}: {environment.name} does not allow "
                    f"{', '.join(sorted(effect.value for effect in lacking))}, "
                    "so no load is made there "
                    f"({names}; `allow: [{', '.join(words)}]` would, or let it be a rehearsal)"
                )


def _effects(phase: Phase) -> frozenset[Effect]:
    checks = (criterion.check for criterion in phase.criteria)
    return frozenset(check.effect for check in checks if check and check.means is CheckMeans.LOAD)


def _loads(phase: Phase, effects: frozenset[Effect]) -> list[str]:
    """The loads of a phase that have such effects, each once."""
    checks = (criterion.check for criterion in phase.criteria)
    made = (check for check in checks if check and check.means is CheckMeans.LOAD)
    return list(dict.fromkeys(check.text for check in made if check.effect in effects))
