"""The reasons of several parts as one."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_rollout.model.finding import Fact, Part, Reason
from pytest_rollout.model.verdict import State


def several(parts: Sequence[Part], *, states: bool = False) -> Reason:
    """Return the reasons of some parts as one; a single one without a name stands for itself."""
    if len(parts) == 1 and not parts[0].subject.name and not states:
        return parts[0].reason
    return Reason("several", {"reasons": tuple(_told(part, states=states) for part in parts)})


def _told(part: Part, *, states: bool) -> Reason:
    facts: dict[str, Fact] = {"subject": part.subject.name, "reason": part.reason}
    if states:
        facts["state"] = State.of(part.verdict).value
    return Reason("told", facts)
