"""What a fixture declares of the work it does."""

from __future__ import annotations

from pytest_rollout.late_dataclass import dataclass
from pytest_rollout.model.plan import Effect

_ATTRIBUTE = "rollout_scenario"


@dataclass(frozen=True, slots=True)
class Scenario:
    """What a scenario declares of itself."""

    name: str
    effect: Effect
    own_target: bool


def declare(function: object, facts: Scenario) -> None:
    """Mark a fixture function as a scenario."""
    setattr(function, _ATTRIBUTE, facts)


def scenario_of(function: object) -> Scenario | None:
    """What a fixture function declares, if it is a scenario."""
    declaration = getattr(function, _ATTRIBUTE, None)
    return declaration if isinstance(declaration, Scenario) else None
