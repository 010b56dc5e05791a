"""What verbs share that are about a real environment: which one, and what runs there."""

from __future__ import annotations

from pytest_rollout.model.errors import ReferenceTargetError, RolloutError, UnknownNameError
from pytest_rollout.model.evidence import ReleaseFact
from pytest_rollout.model.plan import EMBEDDED, Plan
from pytest_rollout.plan.reader import nearest
from pytest_rollout.targets.identity import identify


def real_environment(plan: Plan, name: str | None, *, embedded: str) -> str:
    """The environment of that name, or the plan's only real one.

    ``embedded`` says why the rehearsal is none. Raises RolloutError.
    """
    known = [environment for environment in plan.environments if environment != EMBEDDED]
    if name == EMBEDDED:
        raise RolloutError(embedded)
    if name is None and len(known) == 1:
        return known[0]
    if name is None:
        raise RolloutError(f"--env: say which ({nearest('', known)})")
    if name not in known:
        why = f"{plan.id} has no environment `{name}` ({nearest(name, known)})"
        raise UnknownNameError(why, "environment", name, known)
    return name


def identified(plan: Plan, environment: str, when: str = "now") -> ReleaseFact | None:
    """What the target says of its release; None where the plan does not say where to read it.

    Raises RolloutError where a reference target answers.
    """
    if plan.release is None:
        return None
    fact = identify(when, plan, plan.environments[environment])
    if fact.reference:
        raise ReferenceTargetError(
            f"the target answers as a reference target ({fact.reference}), "
            f"which is worth nothing in {environment}"
        )
    return fact


def release_now(plan: Plan, environment: str, *, why: str) -> str | None:
    """The release that the target runs; raises RolloutError where it cannot say."""
    fact = identified(plan, environment)
    if fact is not None and fact.error:
        raise RolloutError(f"the release could not be read, and {why}: {fact.error}")
    return fact.release if fact else None
