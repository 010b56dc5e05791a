"""Each cell of the table of roles, tried."""

from __future__ import annotations

from datetime import datetime

import pytest

from pytest_rollout import Observe, Reported
from suites.bridge.views import oracle
from suites.bridge.views.service import Bridge

pytestmark = [pytest.mark.bridge_security, pytest.mark.bridge_phase1]


@pytest.mark.criterion("unit-policy")
def test_each_cell_is_as_the_table_says(
    policy_cells: dict[tuple[str, str, str], str],
    bridge: Bridge,
    observe: Observe,
    moment: datetime,
) -> None:
    said = bridge.operator.get("/v1/policy").inner("roles")
    for cell, became in policy_cells.items():
        operation, state, role = cell
        wrong = became != oracle.allowed(*cell)
        observe(
            "policy_cell_wrong", int(wrong), operation=operation, state=state, role=role, at=moment
        )
        told = told_of(said, operation, state, role)
        assert told in ("", became), (
            f"{role} {operation} in {state}: {told} is said, it is {became}"
        )


def told_of(said: Reported, operation: str, state: str, role: str) -> str:
    """What the policy page says of a cell; nothing where it names the operation otherwise."""
    states = (said.get(operation) or {}).get(role) or {}
    return str(states.get(state) or "")


@pytest.mark.criterion("unauthorized-role")
def test_a_member_may_do_no_more_than_the_role(
    policy_cells: dict[tuple[str, str, str], str], observe: Observe, moment: datetime
) -> None:
    for (operation, state, role), became in policy_cells.items():
        if oracle.allowed(operation, state, role) == "deny":
            labels = {"operation": operation, "state": state, "role": role}
            observe("role_exceeded", int(became != "deny"), **labels, at=moment)
    granted = [cell for cell, became in policy_cells.items() if became == "allow"]
    assert granted, "nobody may do anything, so a refusal shows nothing"
