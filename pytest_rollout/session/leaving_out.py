"""Checks that a run leaves out: those of gates it does not decide, and those for rehearsals."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from pytest_rollout.session.binding import Bound

MARK = "rehearsal_only"
OTHER_GATE = "this run does not decide it"
REHEARSED = f"marked {MARK}, no evidence here"


def for_rehearsals(item: pytest.Item) -> bool:
    """Whether a check is made in rehearsals only."""
    return item.get_closest_marker(MARK) is not None


def leave_out(
    config: pytest.Config, items: list[pytest.Item], left: Mapping[str, Bound], why: str
) -> list[str]:
    """Deselect items by their ids, and return the note that says so, if there are any."""
    if not left:
        return []
    config.hook.pytest_deselected(items=[item for item in items if item.nodeid in left])
    items[:] = [item for item in items if item.nodeid not in left]
    gates = {f"{bound.name}/{gate}" for bound in left.values() for gate in bound.gates}
    where = ", ".join(sorted(gates)) or next(iter(left.values())).name
    checks = "1 check" if len(left) == 1 else f"{len(left)} checks"
    return [f"{checks} of {where} left out: {why}"]
