"""What of plans keeps every change of a phase from being cleared, for `rollout check`."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from pytest_rollout.model.plan import Plan
from pytest_rollout.plan.reader import nearest


def clearing_notes(plan: Plan, plans: Collection[Plan]) -> Iterator[str]:
    """Return a note for each; ``plans`` are all that the project has."""
    real = [name for name, stated in plan.environments.items() if not stated.embedded]
    if real and plan.release is None and not plan.no_release:
        yield (
            f"{plan.id}: nothing is cleared in {', '.join(real)}, because nobody knows which "
            "release runs (`release:` says where to read it, `no_release:` why there is none)"
        )
    for phase in plan.phases:
        for name in phase.requires:
            wanted = plan.required(name)
            required = next((stated for stated in plans if stated.id == wanted.plan), None)
            if required is None:
                near = nearest(wanted.plan, [stated.id for stated in plans])
                yield f"{plan.address(phase.id)} requires {name}: no plan `{wanted.plan}` ({near})"
            elif required.phase(wanted.phase) is None:
                near = nearest(wanted.phase, [stated.id for stated in required.phases])
                lacks = f"which {required.id} has not ({near})"
                yield f"{plan.address(phase.id)} requires {name}, {lacks}"
